import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { findRegistryAuth } from "../../lib/skopeo/auth.ts";
import { openVerified } from "../../lib/skopeo/copy.ts";
import { ImageProxy } from "../../lib/skopeo/proxy.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { authfileText, containersHome, insecureRegistry, startRegistry } from "../registry.ts";
import { tempDir } from "../temp.ts";
import { drain } from "./drain.ts";
import { gzip, noise, writeOciDir } from "./oci_dir.ts";

Deno.test("ImageProxy reads manifest, config and blobs from a registry", async () => {
  await using tmp = await tempDir();
  await using registry = await startRegistry();
  const written = await writeOciDir(tmp.path, { layers: [await gzip(noise(100_000, 1)), await gzip(noise(100, 2))] });
  await registry.push(`${tmp.path}:latest`, "os:1");
  await using proxy = await ImageProxy.start(plainContext(registry.env));
  const image = await proxy.openImage({ transport: "registry", name: `${registry.address}/os:1` });
  assertEquals((await proxy.manifest(image)).digest, written.manifestDigest);
  assertEquals(JSON.parse(new TextDecoder().decode(await proxy.config(image))).architecture, "amd64");
  for (const { digest, size, bytes } of written.layers) {
    assertEquals(await drain(await proxy.blob(image, digest, size), size), bytes);
  }
});

Deno.test("ImageProxy.openImage() takes a name with both tag and digest", async () => {
  await using tmp = await tempDir();
  await using registry = await startRegistry();
  const { manifestDigest } = await writeOciDir(tmp.path);
  await registry.push(`${tmp.path}:latest`, "os:1");
  await using proxy = await ImageProxy.start(plainContext(registry.env));
  const name = `${registry.address}/os:other@${manifestDigest}`;
  const image = await proxy.openImage({ transport: "registry", name });
  assertEquals((await proxy.manifest(image)).digest, manifestDigest);
});

Deno.test("U26: a mirror of registries.conf gets every request", async () => {
  await using tmp = await tempDir();
  await using registry = await startRegistry();
  const { layers } = await writeOciDir(`${tmp.path}/image`);
  const { digest, size } = layers[0]!;
  await registry.push(`${tmp.path}/image:latest`, "copy/os:1");
  const pushed = (await registry.requests()).length;
  const env = await containersHome(`${tmp.path}/home`, {
    registries: `[[registry]]
prefix = "registry.invalid/vendor"
location = "registry.invalid/vendor"
[[registry.mirror]]
location = "${registry.address}/copy"
insecure = true
`,
  });
  await using proxy = await ImageProxy.start(plainContext(env));
  const image = await proxy.openImage({ transport: "registry", name: "registry.invalid/vendor/os:1" });
  await drain(await proxy.blob(image, digest, size), size);
  const paths = (await registry.requests()).slice(pushed).map((line) => line.split(" ").slice(0, 3).join(" "));
  assertEquals(paths.filter((path) => path !== "GET /v2/ 200"), [
    "GET /v2/copy/os/manifests/1 200",
    `GET /v2/copy/os/blobs/${digest} 200`,
  ]);
});

Deno.test("U26: a blocked registry is refused with a hint at registries.conf", async () => {
  await using tmp = await tempDir();
  const env = await containersHome(tmp.path, {
    registries: `[[registry]]\nlocation = "registry.invalid"\nblocked = true\n`,
  });
  await using proxy = await ImageProxy.start(plainContext(env));
  const error = await assertRejects(
    () => proxy.openImage({ transport: "registry", name: "registry.invalid/os" }),
    UserError,
  );
  assertMatch(error.message, /^Cannot open image "docker:\/\/registry\.invalid\/os": .*blocked/);
  assertEquals(error.hint, 'Check the "blocked" entries of registries.conf');
});

Deno.test("U27: the login of etc/ostree/auth.json opens a registry that demands one", async () => {
  await using tmp = await tempDir();
  await using registry = await startRegistry({ login: true });
  await writeOciDir(`${tmp.path}/image`);
  await registry.push(`${tmp.path}/image:latest`, "os:1");
  const open = async () => {
    const auth = await findRegistryAuth(`${tmp.path}/root`, registry.env);
    await using proxy = await ImageProxy.start(plainContext(registry.env), auth);
    await proxy.openImage({ transport: "registry", name: `${registry.address}/os:1` });
  };
  const error = await assertRejects(open, UserError);
  assertMatch(
    error.message,
    /^Cannot open image "docker:\/\/127\.0\.0\.1:\d+\/os:1": .*(unauthorized|authentication required)/,
  );
  assertMatch(error.hint!, /^Log in to the registry/);
  await Deno.mkdir(`${tmp.path}/root/etc/ostree`, { recursive: true });
  await Deno.writeTextFile(`${tmp.path}/root/etc/ostree/auth.json`, authfileText(registry.address));
  await open();
});

Deno.test("U28: the User-Agent is skopeo's, with our prefix where skopeo can", async () => {
  await using tmp = await tempDir();
  await using registry = await startRegistry();
  await writeOciDir(tmp.path);
  await registry.push(`${tmp.path}:latest`, "os:1");
  const pushed = (await registry.requests()).length;
  await using proxy = await ImageProxy.start(plainContext(registry.env), { userAgentPrefix: "bootc/0.1.0" });
  await proxy.openImage({ transport: "registry", name: `${registry.address}/os:1` });
  const agents = new Set((await registry.requests()).slice(pushed).map((line) => line.split(" ").slice(3).join(" ")));
  assertEquals(agents.size, 1);
  assertMatch([...agents][0]!, proxy.protocol === "0.2.3" ? /^skopeo\// : /skopeo\//);
});

/** A policy that rejects all but one repository. */
function policyFor(address: string): unknown {
  return {
    default: [{ type: "reject" }],
    transports: { docker: { [`${address}/good`]: [{ type: "insecureAcceptAnything" }] } },
  };
}

async function signedSetup(stack: AsyncDisposableStack, address: string) {
  const tmp = stack.use(await tempDir());
  const env = await containersHome(`${tmp.path}/home`, {
    registries: insecureRegistry(address),
    policy: policyFor(address),
  });
  await Deno.mkdir(`${tmp.path}/copies`);
  const left = () => [...Deno.readDirSync(`${tmp.path}/copies`)].length;
  return { ctx: plainContext(env), options: { temporaryDirectory: `${tmp.path}/copies` }, left };
}

Deno.test("openVerified() opens a signed reference that the policy accepts, and cleans up", async () => {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  const registry = stack.use(await startRegistry());
  const { manifestDigest, layers } = await writeOciDir(tmp.path);
  await registry.push(`${tmp.path}:latest`, "good:1");
  const { ctx, options, left } = await signedSetup(stack, registry.address);
  const image = { transport: "registry", name: `${registry.address}/good:1` } as const;
  {
    await using opened = await openVerified(ctx, { signature: { kind: "containerPolicy" }, image }, options);
    assertEquals((await opened.proxy.manifest(opened.imageId)).digest, manifestDigest);
    const { digest, size, bytes } = layers[0]!;
    assertEquals(await drain(await opened.proxy.blob(opened.imageId, digest, size), size), bytes);
  }
  assertEquals(left(), 0);
});

Deno.test("P1: openVerified() refuses a signed reference that the policy rejects, before any layer", async () => {
  await using stack = new AsyncDisposableStack();
  const tmp = stack.use(await tempDir());
  const registry = stack.use(await startRegistry());
  await writeOciDir(tmp.path);
  await registry.push(`${tmp.path}:latest`, "bad:1");
  const { ctx, options, left } = await signedSetup(stack, registry.address);
  const image = { transport: "registry", name: `${registry.address}/bad:1` } as const;
  const pushed = (await registry.requests()).length;
  const error = await assertRejects(
    () => openVerified(ctx, { signature: { kind: "containerPolicy" }, image }, options),
    UserError,
  );
  assertStringIncludes(error.message, `Cannot open image "docker://${registry.address}/bad:1": `);
  assertStringIncludes(error.message, "rejected by policy");
  assertEquals(error.hint, "Check the signature of the image, and the rules of containers-policy.json for it");
  assert(!(await registry.requests()).slice(pushed).some((line) => line.includes("/blobs/")));
  assertEquals(left(), 0);
});

Deno.test("P3: openVerified() refuses a policy that accepts anything before any request", async () => {
  await using registry = await startRegistry();
  const image = { transport: "registry", name: `${registry.address}/os:1` } as const;
  const error = await assertRejects(
    () => openVerified(plainContext(registry.env), { signature: { kind: "containerPolicy" }, image }),
    UserError,
  );
  assertEquals(
    error.message,
    "containers-policy.json specifies a default of `insecureAcceptAnything`; refusing usage",
  );
  assertEquals(await registry.requests(), []);
});

Deno.test("openVerified() opens an unverified reference without a copy", async () => {
  await using tmp = await tempDir();
  const { manifestDigest } = await writeOciDir(`${tmp.path}/image`);
  const env = await containersHome(`${tmp.path}/home`, { registries: "" });
  const image = { transport: "oci", name: `${tmp.path}/image` } as const;
  {
    const options = { temporaryDirectory: "/nonexistent" };
    await using opened = await openVerified(plainContext(env), { signature: { kind: "unverified" }, image }, options);
    assertEquals((await opened.proxy.manifest(opened.imageId)).digest, manifestDigest);
  }
});
