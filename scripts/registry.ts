/** A real registry (docker-registry) of one's own on loopback, for the demo and the benchmark. */
import { UserError } from "../lib/sys/errors.ts";

/** One answered request, as the registry's access log has it. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly sizeBytes: number;
}

/** Plain http on 127.0.0.1; its process is gone at the end of the block, its files stay in the directory it was given. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as image names begin. */
  readonly host: string;
  /** What was asked since the last call. */
  requests(): Request[];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function configuration(storage: string, host: string): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: storage }, cache: { blobdescriptor: "inmemory" } },
    http: { addr: host, secret: "loopback" },
  });
}

function spawnRegistry(config: string): Deno.ChildProcess {
  // Debian's docker-registry; Fedora's docker-distribution calls the program registry.
  for (const program of ["docker-registry", "registry"]) {
    try {
      return new Deno.Command(program, { args: ["serve", config], stdin: "null", stdout: "piped", stderr: "piped" })
        .spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new UserError("No docker-registry is here", { hint: `Run "sh scripts/setup.sh"` });
}

/** Collects text as it comes; ends with the stream. */
async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, add: (text: string) => void): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) add(text);
}

/** Requests of an access log (Apache's combined format). */
export function parseAccessLog(text: string): Request[] {
  const matches = text.matchAll(/"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+|-)/g);
  return [...matches].map(([, method, path, status, size]) => ({
    method: method!,
    path: path!,
    status: Number(status),
    sizeBytes: size === "-" ? 0 : Number(size),
  }));
}

async function waitUntilReady(host: string, ended: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 500 && !ended(); attempt++) {
    try {
      const answer = await fetch(`http://${host}/v2/`);
      await answer.body?.cancel();
      if (answer.ok) return true;
    } catch {
      // Nobody listens yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/**
 * Starts a registry that keeps its data below `directory`.
 * @throws {UserError} when there is none, or it does not come up within ten seconds
 */
export async function startRegistry(directory: string): Promise<Registry> {
  const host = `127.0.0.1:${freePort()}`;
  await Deno.mkdir(`${directory}/storage`, { recursive: true });
  await Deno.writeTextFile(`${directory}/registry.json`, configuration(`${directory}/storage`, host));
  const child = spawnRegistry(`${directory}/registry.json`);
  let [access, errors, ended] = ["", "", false];
  const streams = [
    collect(child.stdout, (text) => access += text),
    collect(child.stderr, (text) => errors += text),
    child.status.then(() => ended = true),
  ];
  const registry: Registry = {
    host,
    requests() {
      const end = access.lastIndexOf("\n") + 1;
      const complete = access.slice(0, end);
      access = access.slice(end);
      return parseAccessLog(complete);
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      await Promise.all(streams);
    },
  };
  if (!await waitUntilReady(host, () => ended)) {
    await registry[Symbol.asyncDispose]();
    throw new UserError(`The registry did not start: ${errors.trim()}`);
  }
  registry.requests();
  return registry;
}

/** A HOME below `directory` whose registries.conf lets skopeo and bootc speak plain http to this registry; its path. */
export async function homeForRegistry(directory: string, registry: Registry): Promise<string> {
  const configuration = `${directory}/home/.config/containers`;
  await Deno.mkdir(configuration, { recursive: true });
  await Deno.writeTextFile(
    `${configuration}/registries.conf`,
    `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`,
  );
  await Deno.writeTextFile(`${configuration}/policy.json`, `{ "default": [{ "type": "insecureAcceptAnything" }] }\n`);
  return `${directory}/home`;
}
