import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { findRegistryAuth } from "../../lib/skopeo/auth.ts";
import { openVerified } from "../../lib/skopeo/copy.ts";
import { ImageProxy } from "../../lib/skopeo/proxy.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { type Context, plainContext } from "../../lib/sys/context.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { waitReadable } from "../../lib/sys/libc.ts";
import { type Fault, type FaultyRequest, FOREIGN_LIST, startFaultyRegistry } from "../faulty_registry.ts";
import { authfileText, containersHome, insecureRegistry, TEST_LOGIN } from "../registry.ts";
import { tempDir } from "../temp.ts";
import { drain } from "./drain.ts";
import { noise, type OciDirOptions, writeOciDir } from "./oci_dir.ts";

/** A faulty registry over a fresh image, and a proxy that knows it. */
async function setup(stack: AsyncDisposableStack, options: OciDirOptions = {}, more: Partial<Context> = {}) {
  const tmp = stack.use(await tempDir());
  const written = await writeOciDir(tmp.path, options);
  const registry = stack.use(await startFaultyRegistry(tmp.path));
  const proxy = stack.use(await ImageProxy.start({ ...plainContext(registry.env), ...more }));
  return { written, registry, proxy, image: { transport: "registry", name: `${registry.address}/os:1` } as const };
}

const on = (kind: FaultyRequest["kind"], fault: Fault) => (request: FaultyRequest) =>
  request.kind === kind ? fault : undefined;

for (
  const [fact, fault, words, hint] of [
    ["401", { kind: "status", status: 401, code: "UNAUTHORIZED" }, /unauthorized|authentication required/, /^Log in/],
    ["403", { kind: "status", status: 403, code: "DENIED" }, /denied/i, /^Log in/],
    [
      "404",
      { kind: "status", status: 404, code: "MANIFEST_UNKNOWN" },
      /manifest unknown/,
      /^Check the name and the tag/,
    ],
    ["500", { kind: "status", status: 500, code: "UNKNOWN" }, /500/, /^The registry itself fails/],
    ["a reset", { kind: "reset", afterBytes: 10 }, /EOF/, /^Check the network/],
  ] satisfies [string, Fault, RegExp, RegExp][]
) {
  Deno.test(`ImageProxy.openImage() names the image, skopeo's words and a hint on ${fact}`, async () => {
    await using stack = new AsyncDisposableStack();
    const { registry, proxy, image } = await setup(stack);
    registry.fault = on("manifest", fault);
    const error = await assertRejects(() => proxy.openImage(image), UserError);
    const prefix = `Cannot open image "docker://${registry.address}/os:1": `;
    assertEquals(error.message.slice(0, prefix.length), prefix);
    assertMatch(error.message.slice(prefix.length), words);
    assertMatch(error.hint ?? "", hint);
  });
}

for (
  const [fact, fault, words, hint] of [
    ["a list without our platform", FOREIGN_LIST, /no image found in/, /architecture/],
    [
      "one that is no JSON",
      {
        kind: "body",
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        body: new TextEncoder().encode("{"),
      },
      /JSON/,
      undefined,
    ],
  ] satisfies [string, Fault, RegExp, RegExp | undefined][]
) {
  // skopeo 1.9 looks into the manifest only when it is asked for it, later ones when the image is opened.
  Deno.test(`ImageProxy.manifest() names the image, skopeo's words and a hint on ${fact}`, async () => {
    await using stack = new AsyncDisposableStack();
    const { registry, proxy, image } = await setup(stack);
    registry.fault = on("manifest", fault);
    const error = await assertRejects(async () => await proxy.manifest(await proxy.openImage(image)), UserError);
    assertMatch(error.message, /^Cannot (open image|read the manifest of) "docker:\/\/127\.0\.0\.1:\d+\/os:1": /);
    assertMatch(error.message, words);
    if (hint === undefined) assertEquals(error.hint, undefined);
    else assertMatch(error.hint ?? "", hint);
  });
}

Deno.test("ImageProxy.openImage() hints at the network when nothing listens", async () => {
  await using tmp = await tempDir();
  await using proxy = await ImageProxy.start(
    plainContext(await containersHome(tmp.path, { registries: insecureRegistry("127.0.0.1:1") })),
  );
  const error = await assertRejects(
    () => proxy.openImage({ transport: "registry", name: "127.0.0.1:1/os" }),
    UserError,
  );
  assertMatch(error.message, /^Cannot open image "docker:\/\/127\.0\.0\.1:1\/os": .*connection refused/);
  assertEquals(error.hint, "Check the network, the proxy settings and that the registry is up");
});

for (
  const [fact, fault, words] of [
    ["a changed byte", { kind: "corrupt" }, /corrupted blob/],
    ["a shorter body", { kind: "truncate", bytes: 100_000 }, /expected|corrupted/],
    ["a reset", { kind: "reset", afterBytes: 100_000 }, /EOF/],
    ["a Content-Length that is too large", { kind: "length", delta: 10 }, /EOF/],
    ["a Content-Length that is too small", { kind: "length", delta: -10 }, /expected|corrupted/],
    ["404", { kind: "status", status: 404, code: "BLOB_UNKNOWN" }, /404|blob unknown/],
    ["500", { kind: "status", status: 500 }, /500/],
    ["a longer body", { kind: "body", mediaType: "application/octet-stream", body: noise(4_000_000) }, /./],
  ] satisfies [string, Fault, RegExp][]
) {
  Deno.test(`ImageProxy.blob() names the blob on ${fact}, and the proxy goes on`, async () => {
    await using stack = new AsyncDisposableStack();
    const { registry, proxy, image, written } = await setup(stack, { layers: [noise(300_000)] });
    const id = await proxy.openImage(image);
    const { digest, size, bytes } = written.layers[0]!;
    registry.fault = on("blob", fault);
    const error = await assertRejects(async () => await drain(await proxy.blob(id, digest, size), size), UserError);
    const prefix = `Cannot fetch blob "${digest}" of "docker://${registry.address}/os:1": `;
    assertEquals(error.message.slice(0, prefix.length), prefix);
    assertMatch(error.message.slice(prefix.length), words);
    registry.fault = () => undefined;
    assertEquals(await drain(await proxy.blob(id, digest, size), size), bytes);
  });
}

for (const kind of ["manifest", "blob"] as const) {
  for (const afterBytes of [undefined, 10]) {
    const where = afterBytes === undefined ? "before the header" : `${afterBytes} bytes into the body`;
    Deno.test(`ImageProxy is interrupted while the registry stalls a ${kind} ${where}`, async () => {
      const abort = new AbortController();
      await using stack = new AsyncDisposableStack();
      const { registry, proxy, image, written } = await setup(stack, { layers: [noise(300_000)] }, {
        signal: abort.signal,
      });
      registry.fault = on(kind, { kind: "stall", ...(afterBytes === undefined ? {} : { afterBytes }) });
      const { digest, size } = written.layers[0]!;
      const work = (async () => {
        const id = await proxy.openImage(image);
        await drain(await proxy.blob(id, digest, size), size);
      })();
      const rejected = assertRejects(() => work, Interrupted);
      await registry.stalled;
      const started = Date.now();
      abort.abort();
      await rejected;
      assert(Date.now() - started < 1000);
    });
  }
}

Deno.test("ImageProxy ends within its limit while a request hangs", async () => {
  await using stack = new AsyncDisposableStack();
  const { registry, proxy, image, written } = await setup(stack, { layers: [noise(300_000)] });
  const id = await proxy.openImage(image);
  const { digest, size } = written.layers[0]!;
  registry.fault = on("blob", { kind: "stall", afterBytes: 1000 });
  const pipe = await proxy.blob(id, digest, size);
  await waitReadable(pipe.fd);
  pipe.close();
  const started = Date.now();
  await proxy[Symbol.asyncDispose]();
  assert(Date.now() - started < 3000);
});

Deno.test("ImageProxy.manifest() of a docker image has the registry's digest and OCI types", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, image, written } = await setup(stack, { docker: true });
  const id = await proxy.openImage(image);
  const { digest, bytes } = await proxy.manifest(id);
  assertEquals(digest, written.manifestDigest);
  assertEquals(parseManifest(bytes).layers[0]!.mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
});

Deno.test("openVerified() keeps the digest of a signed docker image", async () => {
  await using stack = new AsyncDisposableStack();
  const { image, written, registry } = await setup(stack, { docker: true });
  const tmp = stack.use(await tempDir());
  const env = await containersHome(tmp.path, {
    registries: insecureRegistry(registry.address),
    policy: { default: [{ type: "reject" }], transports: { docker: { "": [{ type: "insecureAcceptAnything" }] } } },
  });
  const options = { temporaryDirectory: tmp.path };
  const opened = stack.use(
    await openVerified(plainContext(env), { signature: { kind: "containerPolicy" }, image }, options),
  );
  assertEquals((await opened.proxy.manifest(opened.imageId)).digest, written.manifestDigest);
});

for (
  const [fact, where, sees] of [
    ["sends the login of run/ostree/auth.json", "run/ostree", true],
    ["sends the login of etc/ostree/auth.json", "etc/ostree", true],
    ["sends the login of usr/lib/ostree/auth.json", "usr/lib/ostree", true],
    ["sends no login of the person's own", "home/.docker", false],
  ] as const
) {
  Deno.test(`U27: a pull ${fact}`, async () => {
    await using stack = new AsyncDisposableStack();
    const { registry, image } = await setup(stack);
    const tmp = stack.use(await tempDir());
    const challenge: Fault = {
      kind: "status",
      status: 401,
      code: "UNAUTHORIZED",
      headers: { "www-authenticate": 'Basic realm="test"' },
    };
    const login = `Basic ${btoa(`${TEST_LOGIN.user}:${TEST_LOGIN.password}`)}`;
    registry.fault = ({ headers }) => headers["authorization"] === login ? undefined : challenge;
    await Deno.mkdir(`${tmp.path}/${where}`, { recursive: true });
    const file = where === "home/.docker" ? "config.json" : "auth.json";
    await Deno.writeTextFile(`${tmp.path}/${where}/${file}`, authfileText(registry.address));
    const env = {
      ...registry.env,
      ...(where === "home/.docker"
        ? await containersHome(`${tmp.path}/home`, { registries: insecureRegistry(registry.address) })
        : {}),
    };
    const proxy = stack.use(await ImageProxy.start(plainContext(env), await findRegistryAuth(tmp.path, env)));
    const opening = proxy.openImage(image);
    if (sees) await opening;
    else await assertRejects(() => opening, UserError);
    assertEquals(registry.requests.some(({ headers }) => headers["authorization"] === login), sees);
  });
}
