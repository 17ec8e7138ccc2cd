import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { Interrupted, ToolError, UserError } from "../../lib/sys/errors.ts";
import { tryRead, waitReadable } from "../../lib/sys/libc.ts";
import type { BlobPipe } from "../../lib/skopeo/proxy.ts";
import { ImageProxy } from "../../lib/skopeo/proxy.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { parseImageConfig } from "../../lib/oci/config.ts";
import { tempDir } from "../temp.ts";
import { drain } from "./drain.ts";
import { gzip, noise, writeOciDir, type WrittenImage } from "./oci_dir.ts";

const context = () => plainContext(Deno.env.toObject());

/** An `oci:` directory in a temporary place, a proxy, and the image opened. */
async function opened(stack: AsyncDisposableStack, layers?: Uint8Array<ArrayBuffer>[], ctx = context()) {
  const tmp = stack.use(await tempDir());
  const written: WrittenImage = await writeOciDir(`${tmp.path}/image`, layers === undefined ? {} : { layers });
  const proxy = stack.use(await ImageProxy.start(ctx));
  const image = await proxy.openImage({ transport: "oci", name: `${tmp.path}/image` });
  return { path: `${tmp.path}/image`, written, proxy, image };
}

async function script(directory: string, body: string): Promise<string> {
  const path = `${directory}/skopeo`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("ImageProxy.manifest() gives the stored bytes and their digest", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack);
  const { digest, bytes } = await proxy.manifest(image);
  assertEquals(digest, written.manifestDigest);
  assertEquals(bytes, written.manifest);
  assertEquals(parseManifest(bytes).layers[0]!.digest, written.layers[0]!.digest);
});

Deno.test("ImageProxy.config() gives the configuration", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack);
  const config = parseImageConfig(await proxy.config(image));
  assertEquals(config.labels, { "containers.bootc": "1" });
  assertEquals(config.diffIds, [written.layers[0]!.digest]);
});

Deno.test("ImageProxy.blob() gives the bytes of a layer larger than its pipe", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack, [noise(5_000_000)]);
  const { digest, size, bytes } = written.layers[0]!;
  assertEquals(await drain(await proxy.blob(image, digest, size), size), bytes);
});

Deno.test("ImageProxy.blob() can be asked ahead, and read in reverse order", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack, [noise(3_000_000, 1), noise(2_000_000, 2), noise(10, 3)]);
  const pipes: BlobPipe[] = [];
  for (const { digest, size } of written.layers) pipes.push(await proxy.blob(image, digest, size));
  for (const [index, layer] of [...written.layers.entries()].reverse()) {
    assertEquals(await drain(pipes[index]!, layer.size), layer.bytes);
  }
});

Deno.test("ImageProxy.blob() of an empty blob comes to its end", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack, [new Uint8Array(0)]);
  assertEquals((await drain(await proxy.blob(image, written.layers[0]!.digest, 0), 0)).length, 0);
});

Deno.test("ImageProxy.blob() leaves no descriptor open after 200 blobs", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack, [noise(500)]);
  const { digest, size } = written.layers[0]!;
  await drain(await proxy.blob(image, digest, size), size);
  const before = openDescriptors();
  for (let i = 0; i < 200; i++) await drain(await proxy.blob(image, digest, size), size);
  assertEquals(openDescriptors(), before);
});

Deno.test("ImageProxy leaves no descriptor open after its end", async () => {
  const before = openDescriptors();
  {
    await using stack = new AsyncDisposableStack();
    const { proxy, image, written } = await opened(stack);
    const { digest, size } = written.layers[0]!;
    await drain(await proxy.blob(image, digest, size), size);
  }
  assertEquals(openDescriptors(), before);
});

Deno.test("BlobPipe.close() before the end lets the next blob through", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await opened(stack, [noise(5_000_000, 1), noise(100, 2)]);
  const [large, small] = written.layers;
  const pipe = await proxy.blob(image, large!.digest, large!.size);
  pipe.close();
  pipe.close();
  const error = await assertRejects(() => pipe.finish(), UserError);
  assertStringIncludes(error.message, `Cannot fetch blob "${large!.digest}" of "oci:`);
  assertStringIncludes(error.message, "broken pipe");
  assertEquals(await drain(await proxy.blob(image, small!.digest, small!.size), small!.size), small!.bytes);
});

Deno.test("BlobPipe.finish() rejects a blob whose bytes have another digest", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, path, written } = await opened(stack, [noise(5000)]);
  const { digest, size } = written.layers[0]!;
  await Deno.writeFile(`${path}/blobs/sha256/${digest.slice(7)}`, noise(5000, 7));
  const error = await assertRejects(async () => await drain(await proxy.blob(image, digest, size), size), UserError);
  assertStringIncludes(error.message, `Cannot fetch blob "${digest}" of "oci:`);
  assertStringIncludes(error.message, `corrupted blob, expecting ${digest}`);
  assertMatch(error.hint!, /^What arrived is not what the manifest promises/);
});

Deno.test("BlobPipe.finish() rejects a blob that is shorter than promised", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, path, written } = await opened(stack, [noise(5000)]);
  const { digest, size } = written.layers[0]!;
  await Deno.truncate(`${path}/blobs/sha256/${digest.slice(7)}`, 4000);
  const error = await assertRejects(async () => await drain(await proxy.blob(image, digest, size), size), UserError);
  assertStringIncludes(error.message, digest);
});

Deno.test("BlobPipe.finish() rejects a blob that is longer than promised, without hanging", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, path, written } = await opened(stack, [noise(5000)]);
  const { digest, size } = written.layers[0]!;
  await Deno.writeFile(`${path}/blobs/sha256/${digest.slice(7)}`, noise(8_000_000));
  const error = await assertRejects(async () => await drain(await proxy.blob(image, digest, size), size), UserError);
  assertStringIncludes(error.message, digest);
});

Deno.test("ImageProxy.openImage() names a missing image and what to check", async () => {
  await using proxy = await ImageProxy.start(context());
  const error = await assertRejects(() => proxy.openImage({ transport: "oci", name: "/nonexistent/image" }), UserError);
  assertStringIncludes(error.message, 'Cannot open image "oci:/nonexistent/image": ');
  assertEquals(error.hint, "Check the path, and that it can be read");
});

Deno.test("ImageProxy.start() names a missing skopeo", async () => {
  const ctx = { ...context(), tools: { ...context().tools, skopeo: "/nonexistent/skopeo" } };
  const error = await assertRejects(() => ImageProxy.start(ctx), UserError);
  assertEquals(error.message, 'Cannot start "/nonexistent/skopeo": no such program');
});

Deno.test("ImageProxy.start() carries the words of a skopeo that does not start", async () => {
  await using tmp = await tempDir();
  const skopeo = await script(tmp.path, `echo 'time="x" level=fatal msg="no \\"proxy\\" here"' >&2; exit 3`);
  const error = await assertRejects(
    () => ImageProxy.start({ ...context(), tools: { ...context().tools, skopeo } }),
    ToolError,
  );
  assertEquals(error.message, 'The image proxy of skopeo ended with exit code 3 during Initialize: no "proxy" here');
  assertEquals(error.exitCode, 3);
});

/** Stands in for skopeo: answers each packet on descriptor 3 with the next of its arguments' lines. */
const PYTHON_PROXY = `exec python3 -c '
import socket, sys, os
s = socket.socket(fileno=3)
for answer in open(os.environ["ANSWERS"]):
    if not s.recv(65536): break
    s.send(answer.strip().encode())
s.recv(65536)
'`;

for (
  const [answer, kind, message] of [
    [
      '{"success":true,"value":"0.3.0","pipeid":0,"error":""}',
      ToolError,
      'Skopeo speaks image proxy protocol "0.3.0", needed is "0.2.3" or a later 0.2',
    ],
    [
      '{"success":true,"value":"0.2.1","pipeid":0,"error":""}',
      ToolError,
      'Skopeo speaks image proxy protocol "0.2.1", needed is "0.2.3" or a later 0.2',
    ],
    ['{"success":true,"value":7}', ToolError, "Unexpected answer of skopeo to Initialize: 7"],
    ['{"success":false,"error":"not today"}', ToolError, "Cannot start the image proxy: not today"],
    ["{", ToolError, "Unreadable answer of skopeo to Initialize"],
    [
      '{"success":true,"value":"0.2.3","pipeid":4}',
      ToolError,
      "Unexpected answer of skopeo to Initialize: pipe 4, 0 descriptors",
    ],
  ] as const
) {
  Deno.test(`ImageProxy.start() refuses the answer ${answer}`, async () => {
    await using tmp = await tempDir();
    await Deno.writeTextFile(`${tmp.path}/answers`, `${answer}\n`);
    const skopeo = await script(tmp.path, PYTHON_PROXY);
    const ctx = plainContext({ ...Deno.env.toObject(), ANSWERS: `${tmp.path}/answers` });
    const error = await assertRejects(() => ImageProxy.start({ ...ctx, tools: { ...ctx.tools, skopeo } }), kind);
    assertEquals(error.message, message);
  });
}

Deno.test("ImageProxy throws Interrupted when the signal comes in mid-blob", async () => {
  const abort = new AbortController();
  await using stack = new AsyncDisposableStack();
  const ctx = { ...context(), signal: abort.signal };
  const { proxy, image, written } = await opened(stack, [noise(8_000_000)], ctx);
  const { digest, size } = written.layers[0]!;
  const pipe = await proxy.blob(image, digest, size);
  const verdict = pipe.finish();
  await waitReadable(pipe.fd);
  assert(tryRead(pipe.fd, new Uint8Array(1000)) > 0);
  abort.abort();
  await assertRejects(() => verdict, Interrupted);
  pipe.close();
  await assertRejects(() => proxy.manifest(image), Interrupted);
});

Deno.test("ImageProxy.start() throws Interrupted when the signal was given before", async () => {
  const ctx = { ...context(), signal: AbortSignal.abort() };
  await assertRejects(() => ImageProxy.start(ctx), Interrupted);
});

Deno.test("ImageProxy tells of a skopeo that was killed in mid-blob", async () => {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  const skopeo = await script(tmp.path, `echo $$ > ${tmp.path}/pid; exec skopeo "$@"`);
  const ctx = { ...context(), tools: { ...context().tools, skopeo } };
  const { proxy, image, written } = await opened(stack, [noise(8_000_000)], ctx);
  const { digest, size } = written.layers[0]!;
  const pipe = await proxy.blob(image, digest, size);
  const started = Date.now();
  Deno.kill(Number(await Deno.readTextFile(`${tmp.path}/pid`)), "SIGKILL");
  const error = await assertRejects(() => drain(pipe, size));
  assertInstanceOf(error, ToolError);
  assertEquals(error.message, "The image proxy of skopeo was killed by signal 9 during FinishPipe");
  assert(Date.now() - started < 3000);
});

Deno.test("ImageProxy ends although a grandchild holds its socket and stderr", async () => {
  await using tmp = await tempDir();
  const skopeo = await script(tmp.path, `sleep 30 & echo $! > ${tmp.path}/pid; echo gone >&2; exit 4`);
  const error = await assertRejects(
    () => ImageProxy.start({ ...context(), tools: { ...context().tools, skopeo } }),
    ToolError,
  );
  Deno.kill(Number(await Deno.readTextFile(`${tmp.path}/pid`)), "SIGKILL");
  assertEquals(error.message, "The image proxy of skopeo ended with exit code 4 during Initialize: gone");
});

Deno.test("ImageProxy.manifest() refuses a manifest above its limit", async () => {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  await writeOciDir(tmp.path, {
    layers: [await gzip(noise(10))],
    manifest: { annotations: { big: "x".repeat(5 * 1024 * 1024) } },
  });
  const proxy = stack.use(await ImageProxy.start(context()));
  const error = await assertRejects(async () =>
    await proxy.manifest(await proxy.openImage({ transport: "oci", name: tmp.path }))
  );
  assertInstanceOf(error, UserError);
  assertStringIncludes(error.message, "4194304 bytes");
});
