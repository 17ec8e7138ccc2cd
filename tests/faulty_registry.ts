/**
 * A registry that misbehaves on demand: it serves an `oci:` directory under every name, over HTTP/1.1 written by hand, since no server
 * library lets go of a connection in the middle of a body or lies about its length.
 */
import { containersHome, insecureRegistry } from "./registry.ts";
import { tempDir } from "./temp.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One request, as a fault may look at it. */
export interface FaultyRequest {
  readonly method: string;
  /** "/v2/os/manifests/latest" */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is asked for. */
  readonly kind: "manifest" | "blob" | "other";
}

/** What happens instead of a good answer. */
export type Fault =
  /** An HTTP status, with a registry error of this code in the body. */
  | {
    readonly kind: "status";
    readonly status: number;
    readonly code?: string;
    readonly headers?: Record<string, string>;
  }
  /** The connection is closed after so many bytes of the body; the length was announced in full. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Nothing more comes after so many bytes of the body, or not even a header when undefined. */
  | { readonly kind: "stall"; readonly afterBytes?: number }
  /** A shorter body, announced as such. */
  | { readonly kind: "truncate"; readonly bytes: number }
  /** One byte of the body is changed. */
  | { readonly kind: "corrupt" }
  /** A Content-Length that is off by so much; the connection is closed behind the body. */
  | { readonly kind: "length"; readonly delta: number }
  /** Another body. */
  | { readonly kind: "body"; readonly body: Bytes; readonly mediaType: string };

/** The server; it runs until the end of the block. */
export interface FaultyRegistry extends AsyncDisposable {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  /** As in `TestRegistry`. */
  readonly env: Readonly<Record<string, string>>;
  /** All requests so far. */
  readonly requests: readonly FaultyRequest[];
  /** Asked for each request; may be replaced at any time. */
  fault: (request: FaultyRequest) => Fault | undefined;
  /** Settles when a "stall" has begun. */
  readonly stalled: Promise<void>;
}

/** A list of images, none of which is for this kind of machine. */
export const FOREIGN_LIST: Fault = {
  kind: "body",
  mediaType: "application/vnd.oci.image.index.v1+json",
  body: new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${"0".repeat(64)}`,
      size: 500,
      platform: { os: "linux", architecture: "s390x" },
    }],
  })),
};

/** Serves `ociDir` on a free port, with all faults off. */
export async function startFaultyRegistry(
  ociDir: string,
  fault: FaultyRegistry["fault"] = () => undefined,
): Promise<FaultyRegistry> {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  const connections = new Set<Deno.Conn>();
  const requests: FaultyRequest[] = [];
  const stall = Promise.withResolvers<void>();
  const registry = { fault };
  const serving = (async () => {
    const answers: Promise<void>[] = [];
    for await (const connection of listener) {
      connections.add(connection);
      answers.push(
        serve(connection, { ociDir, requests, fault: (request) => registry.fault(request), onStall: stall.resolve })
          .finally(() => connections.delete(connection)),
      );
    }
    await Promise.all(answers);
  })();
  stack.defer(async () => {
    listener.close();
    for (const connection of connections) closeQuietly(connection);
    await serving;
  });
  const env = await containersHome(`${tmp.path}/home`, { registries: insecureRegistry(address) });
  const owned = stack.move();
  return Object.assign(registry, {
    address,
    env,
    requests,
    stalled: stall.promise,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}

interface Service {
  readonly ociDir: string;
  readonly requests: FaultyRequest[];
  readonly fault: FaultyRegistry["fault"];
  readonly onStall: () => void;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Bytes;
}

/** One request on one connection, then it is closed, unless it is stalled. */
async function serve(connection: Deno.Conn, service: Service): Promise<void> {
  try {
    const request = await readRequest(connection);
    if (request === undefined) return;
    service.requests.push(request);
    const fault = service.fault(request);
    await answer(connection, {
      request,
      good: await goodAnswer(service.ociDir, request),
      fault,
      onStall: service.onStall,
    });
  } catch (error) {
    // The client went away, or the test has ended.
    if (!isConnectionError(error)) throw error;
  } finally {
    closeQuietly(connection);
  }
}

async function readRequest(connection: Deno.Conn): Promise<FaultyRequest | undefined> {
  let text = "";
  const buffer = new Uint8Array(16 * 1024);
  while (!text.includes("\r\n\r\n")) {
    const n = await connection.read(buffer);
    // A TLS greeting: skopeo tries https first, and falls back to http when it fails.
    if (n === null || (text === "" && buffer[0] === 0x16)) return undefined;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, n));
  }
  const [first, ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
  const [method = "", path = ""] = first!.split(" ");
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const kind = path.includes("/manifests/") ? "manifest" : path.includes("/blobs/") ? "blob" : "other";
  return { method, path, headers, kind };
}

async function goodAnswer(ociDir: string, request: FaultyRequest): Promise<Answer> {
  if (request.path === "/v2/") return { status: 200, headers: {}, body: new Uint8Array(0) };
  const wanted = request.path.slice(request.path.lastIndexOf("/") + 1);
  const entry = JSON.parse(await Deno.readTextFile(`${ociDir}/index.json`)).manifests[0];
  const digest = wanted.startsWith("sha256:") ? wanted : String(entry.digest);
  try {
    const body = await Deno.readFile(`${ociDir}/blobs/sha256/${digest.slice("sha256:".length)}`);
    const type = request.kind === "manifest" ? JSON.parse(new TextDecoder().decode(body)).mediaType : undefined;
    const headers = { "content-type": type ?? "application/octet-stream", "docker-content-digest": digest };
    return { status: 200, headers, body };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return registryError(404, request.kind === "blob" ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN");
  }
}

function registryError(status: number, code: string): Answer {
  const body = new TextEncoder().encode(
    JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] }),
  );
  return { status, headers: { "content-type": "application/json" }, body };
}

async function answer(
  connection: Deno.Conn,
  { request, good, fault, onStall }: {
    request: FaultyRequest;
    good: Answer;
    fault: Fault | undefined;
    onStall: () => void;
  },
): Promise<void> {
  if (fault?.kind === "stall" && fault.afterBytes === undefined) return await hang(connection, onStall);
  const { status, headers, body, length, sendBytes } = disturb(good, fault);
  const lines = Object.entries({ ...headers, "content-length": String(length), connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  await writeAll(connection, new TextEncoder().encode(`HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`));
  if (request.method !== "HEAD") await writeAll(connection, body.subarray(0, sendBytes));
  if (fault?.kind === "stall") await hang(connection, onStall);
}

/** What is really sent: `length` is what the header says, `sendBytes` how much of the body goes out. */
function disturb(good: Answer, fault: Fault | undefined): Answer & { length: number; sendBytes: number } {
  const whole = (answer: Answer) => ({ ...answer, length: answer.body.length, sendBytes: answer.body.length });
  switch (fault?.kind) {
    case undefined:
      return whole(good);
    case "status": {
      const error = registryError(fault.status, fault.code ?? "UNKNOWN");
      return whole({ ...error, headers: { ...error.headers, ...fault.headers } });
    }
    case "reset":
    case "stall":
      return { ...whole(good), sendBytes: fault.afterBytes ?? 0 };
    case "truncate":
      return whole({ ...good, body: good.body.subarray(0, fault.bytes) });
    case "corrupt": {
      const body = good.body.slice();
      body[body.length >> 1]! ^= 1;
      return whole({ ...good, body });
    }
    case "length":
      return { ...whole(good), length: good.body.length + fault.delta };
    case "body":
      return whole({ status: 200, headers: { "content-type": fault.mediaType }, body: fault.body });
  }
}

/** Waits until the client or the end of the test closes the connection. */
async function hang(connection: Deno.Conn, onStall: () => void): Promise<void> {
  onStall();
  while (await connection.read(new Uint8Array(1024)) !== null);
}

async function writeAll(connection: Deno.Conn, bytes: Bytes): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

function isConnectionError(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
