/** A real registry (docker-registry) on the loopback for one test, in memory, and an environment in which skopeo trusts it. */
import { plainContext } from "../lib/sys/context.ts";
import { run } from "../lib/sys/run.ts";
import { type TempDir, tempDir } from "./temp.ts";

/** A login that {@linkcode startRegistry} can demand; the hash is bcrypt of the password. */
export const TEST_LOGIN = {
  user: "user",
  password: "secret",
  htpasswd: "user:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
};

/** A registry that runs until the end of the block. */
export interface TestRegistry extends AsyncDisposable {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  /** `PATH` and a `HOME` in which this registry may be spoken to in plain http, and every image is accepted. */
  readonly env: Readonly<Record<string, string>>;
  /** Every request so far: "GET /v2/os/manifests/latest 200 skopeo/1.9.3". */
  readonly log: readonly string[];
  /** Waits until all answered requests are in the log, and gives a copy of it. */
  requests(): Promise<string[]>;
  /** Copies an image of an `oci:` directory ("DIR" or "DIR:TAG") to "NAME:TAG". Digests stay the same when its layers are compressed. */
  push(ociDir: string, name: string): Promise<void>;
}

/** What a registry is to demand. */
export interface RegistryOptions {
  /** Only {@linkcode TEST_LOGIN} may read and write. */
  readonly login?: boolean;
}

/** Starts a registry on a free port. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  await Deno.writeTextFile(`${tmp.path}/htpasswd`, `${TEST_LOGIN.htpasswd}\n`);
  await Deno.writeTextFile(`${tmp.path}/config.yml`, registryConfig(tmp, options));
  const child = startServer(`${tmp.path}/config.yml`);
  const log: string[] = [];
  const listening = Promise.withResolvers<string>();
  const outEnded = followLines(child.stdout, (line) => log.push(...accessLine(line)));
  const errEnded = followLines(child.stderr, (line) => {
    const match = /listening on (127\.0\.0\.1:\d+)/.exec(line);
    if (match) listening.resolve(match[1]!);
  });
  stack.defer(async () => {
    child.kill("SIGKILL");
    await Promise.all([child.status, outEnded, errEnded]);
  });
  errEnded.then(() => listening.reject(new Error("docker-registry ended before it listened")));
  const address = await listening.promise;
  const env = await containersHome(`${tmp.path}/home`, { registries: insecureRegistry(address) });
  const owned = stack.move();
  return {
    address,
    env,
    log,
    requests: () => settledLog(address, log),
    push: (ociDir, name) => push(env, { ociDir, target: `${address}/${name}` }, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a person would write into /etc/containers. */
export interface ContainersConfig {
  /** registries.conf(5) */
  readonly registries: string;
  /** containers-policy.json(5); accepts everything when not given. */
  readonly policy?: unknown;
}

/** Writes a `HOME` with this configuration and gives an environment with it, and nothing else of the machine but `PATH`. */
export async function containersHome(home: string, config: ContainersConfig): Promise<Record<string, string>> {
  const policy = config.policy ?? { default: [{ type: "insecureAcceptAnything" }] };
  await Deno.mkdir(`${home}/.config/containers`, { recursive: true });
  await Deno.writeTextFile(`${home}/.config/containers/registries.conf`, config.registries);
  await Deno.writeTextFile(`${home}/.config/containers/policy.json`, JSON.stringify(policy));
  return { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: home };
}

/** The registries.conf entry that allows plain http. */
export function insecureRegistry(address: string): string {
  return `[[registry]]\nlocation = "${address}"\ninsecure = true\n`;
}

/** A containers-auth.json(5) with {@linkcode TEST_LOGIN}. */
export function authfileText(address: string): string {
  return JSON.stringify({ auths: { [address]: { auth: btoa(`${TEST_LOGIN.user}:${TEST_LOGIN.password}`) } } });
}

function registryConfig(tmp: TempDir, options: RegistryOptions): string {
  const auth = options.login ? `auth: {htpasswd: {realm: test, path: "${tmp.path}/htpasswd"}}\n` : "";
  return `version: 0.1\nlog: {level: info}\nstorage: {inmemory: {}}\nhttp: {addr: "127.0.0.1:0", secret: test}\n${auth}`;
}

function startServer(config: string): Deno.ChildProcess {
  return new Deno.Command("docker-registry", {
    args: ["serve", config],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Calls back for each line, to the end of the stream. */
async function followLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
}

function accessLine(line: string): string[] {
  const match = /"([A-Z]+ \S+) HTTP\/1\.[01]" (\d+) \d+ "[^"]*" "([^"]*)"/.exec(line);
  return match === null ? [] : [`${match[1]} ${match[2]} ${match[3]}`];
}

const MARKER = "/v2/marker-of-the-test/";
let markers = 0;

/** The log is written after the answer: a request of our own that shows up in it has all earlier ones before it. */
async function settledLog(address: string, log: readonly string[]): Promise<string[]> {
  const marker = `${MARKER}${++markers}`;
  await (await fetch(`http://${address}${marker}`)).body?.cancel();
  const limit = Date.now() + 5000;
  while (!log.some((line) => line.includes(`${marker} `)) && Date.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return log.filter((line) => !line.includes(MARKER));
}

async function push(
  env: Record<string, string>,
  { ociDir, target }: { ociDir: string; target: string },
  options: RegistryOptions,
): Promise<void> {
  // deno-fmt-ignore
  await run(plainContext(env), [
    "skopeo", "--insecure-policy", "copy", "--quiet", "--preserve-digests",
    ...(options.login ? ["--dest-creds", `${TEST_LOGIN.user}:${TEST_LOGIN.password}`] : []),
    `oci:${ociDir}`, `docker://${target}`,
  ]);
}
