/**
 * `deno task demo`: a real Debian system from a real registry onto a real ostree sysroot, updated and rolled back by the compiled
 * executable, and checked with ostree's own tools at each step. Everything it makes is gone at the end, also after ^C; only the two
 * images stay in the cache for the next time.
 */
import { SUITE } from "./debian/root.ts";
import { requireMounts } from "./demo/chroot.ts";
import { type DemoImages, demoImages, VERSIONS } from "./demo/image.ts";
import { Narrator, seconds, sum } from "./demo/narrator.ts";
import { buildDeb } from "./package/deb.ts";
import { findRelease } from "./package/version.ts";
import { homeForRegistry, type Registry, startRegistry } from "./registry.ts";
import { script } from "./script.ts";
import { type Descriptor, parseManifest } from "../lib/oci/manifest.ts";
import { formatSize } from "../lib/oci/size.ts";
import { type Context, plainContext } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { capture, run } from "../lib/sys/run.ts";

/** What all steps need. */
interface Stage {
  readonly ctx: Context;
  readonly narrator: Narrator;
  readonly registry: Registry;
  readonly images: DemoImages;
  readonly sysroot: string;
  readonly bootc: string;
  /** HOME with the registry's configuration. */
  readonly env: Readonly<Record<string, string>>;
}

/** A directory on a real file system, with the immutable deployments that ostree makes in it. */
async function workDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ dir: Deno.env.get("TMPDIR") ?? "/var/tmp", prefix: "bootc-demo-" });
  return {
    path,
    async [Symbol.asyncDispose]() {
      // Not the demo's own context: that is aborted after ^C.
      const ctx = plainContext(Deno.env.toObject());
      await run(ctx, ["sh", "-c", `chattr -i "$0"/sysroot/ostree/deploy/*/deploy/*.[0-9] 2>/dev/null; true`, path]);
      await Deno.remove(path, { recursive: true });
    },
  };
}

async function layersOf({ ctx, images }: Stage, tag: string): Promise<readonly Descriptor[]> {
  return parseManifest(await capture(ctx, ["skopeo", "inspect", "--raw", `oci:${images.layout}:${tag}`])).layers;
}

async function describeImages(stage: Stage, builtMs: number): Promise<void> {
  const { narrator, images } = stage;
  const how = images.fromCache ? "kept from an earlier run" : `built in ${seconds(builtMs)}`;
  narrator.say(`Debian ${SUITE} with its kernel, an initramfs that finds an ostree root, and dpkg (${how})`);
  for (const { tag, news } of VERSIONS) {
    const sizes = (await layersOf(stage, tag)).map((layer) => layer.size);
    narrator.say(`${tag}: ${sizes.length} layers, ${sum(sizes)} as gzip`);
    if (news) narrator.say(`      against ${VERSIONS[0].tag}: ${news}`);
  }
}

/** Points the tag at a version. */
async function publish({ narrator, registry, images, env }: Stage, tag: string): Promise<void> {
  const image = `docker://${registry.host}/debian:stable`;
  await narrator.run({ argv: ["skopeo", "copy", "--quiet", `oci:${images.layout}:${tag}`, image], env, quiet: true });
  registry.requests();
}

/** Which layers of a version the registry was asked for since the last time. */
async function reportLayers(stage: Stage, tag: string): Promise<void> {
  const layers = await layersOf(stage, tag);
  const asked = stage.registry.requests().filter(({ method, status }) => method === "GET" && status === 200);
  const sent = layers.filter(({ digest }) => asked.some(({ path }) => path.endsWith(`/blobs/${digest}`)));
  const bytes = sent.reduce((total, { size }) => total + size, 0);
  stage.narrator.say(`The registry sent ${sent.length} of ${layers.length} layers, ${formatSize(bytes)}`);
}

/** ostree's own opinion of the sysroot. */
async function check({ narrator, sysroot }: Stage): Promise<void> {
  await narrator.run({ argv: ["ostree", "admin", "status", `--sysroot=${sysroot}`] });
  await narrator.run({ argv: ["ostree", "fsck", "--quiet", `--repo=${sysroot}/ostree/repo`], hide: /^fsck objects/ });
}

async function status({ narrator, bootc, sysroot, env }: Stage): Promise<void> {
  await narrator.run({ argv: [bootc, "status", "--format", "humanreadable", "--sysroot", sysroot], env });
}

/** Fails unless the default deployment is this version: the demo is also a test. */
async function expectDefault({ ctx, narrator, bootc, sysroot, env }: Stage, tag: string): Promise<void> {
  const text = await capture(ctx, [bootc, "status", "--json", "--sysroot", sysroot], { env });
  const version = JSON.parse(text).status.otherDeployments?.[0]?.image?.version;
  if (version !== tag) throw new UserError(`The default deployment is ${version}, not ${tag}`);
  narrator.say(`The next boot is ${tag}`);
}

async function deploy(stage: Stage): Promise<void> {
  const { narrator, registry, sysroot, bootc, env } = stage;
  narrator.heading("A sysroot as an installer makes it, and the first deployment");
  await Deno.mkdir(sysroot);
  await narrator.run({ argv: ["ostree", "admin", "init-fs", "--modern", sysroot] });
  await narrator.run({ argv: ["ostree", "admin", "os-init", `--sysroot=${sysroot}`, "debian"] });
  // deno-fmt-ignore
  await narrator.run({
    argv: [
      bootc, "internals", "ostree-container", "image", "deploy", "--sysroot", sysroot, "--stateroot", "debian",
      "--imgref", `ostree-unverified-registry:${registry.host}/debian:stable`, "--karg", "root=LABEL=root",
    ],
    env,
  });
  await reportLayers(stage, VERSIONS[0].tag);
  await status(stage);
  await check(stage);
  narrator.say(`What ostree calls an "unknown origin type" is the image: bootc status names it`);
  await expectDefault(stage, VERSIONS[0].tag);
}

async function upgrade(stage: Stage): Promise<void> {
  const { narrator, sysroot, bootc, env } = stage;
  narrator.heading(`Version ${VERSIONS[1].tag} comes out; the host upgrades`);
  await publish(stage, VERSIONS[1].tag);
  await narrator.run({ argv: [bootc, "upgrade", "--check", "--sysroot", sysroot], env });
  await reportLayers(stage, VERSIONS[1].tag);
  await narrator.run({ argv: [bootc, "upgrade", "--sysroot", sysroot], env });
  await reportLayers(stage, VERSIONS[1].tag);
  await status(stage);
  await check(stage);
  await expectDefault(stage, VERSIONS[1].tag);
  await narrator.run({ argv: [bootc, "upgrade", "--sysroot", sysroot], env });
}

async function rollback(stage: Stage): Promise<void> {
  const { narrator, sysroot, bootc, env } = stage;
  narrator.heading("And back");
  await narrator.run({ argv: [bootc, "rollback", "--sysroot", sysroot], env });
  await status(stage);
  await check(stage);
  await expectDefault(stage, VERSIONS[0].tag);
}

/** Builds the package of the commit that is checked out and unpacks it as `WORK/package`: the images and this host run the same executable. */
async function packageBootc(ctx: Context, narrator: Narrator, work: string): Promise<string> {
  const begin = performance.now();
  await Deno.mkdir(`${work}/build`);
  const release = await findRelease(ctx);
  const deb = await buildDeb(ctx, release, { directory: `${work}/build`, arch: Deno.build.arch, quick: true });
  await run(ctx, ["dpkg-deb", "--extract", deb, `${work}/package`]);
  const size = formatSize((await Deno.stat(`${work}/package/usr/bin/bootc`)).size);
  narrator.say(
    `${deb.slice(deb.lastIndexOf("/") + 1)}: built in ${seconds(performance.now() - begin)}, bootc is ${size}`,
  );
  return deb;
}

const spec = { summary: "Show an update from end to end", positionals: [], flags: {} } as const;

await script(spec, async (ctx) => {
  if (Deno.uid() !== 0) throw new UserError("The demo deploys a system, for which it has to be root");
  await requireMounts(ctx);
  await using work = await workDirectory();
  const sysroot = `${work.path}/sysroot`;
  const bootc = `${work.path}/package/usr/bin/bootc`;
  const narrator = new Narrator(ctx, [[bootc, "bootc"], [work.path, "WORK"]]);
  console.log(`bootc on Deno: one update, from end to end (WORK is ${work.path})`);
  narrator.heading("A Debian package of this program, and two versions of an operating system that has it");
  const deb = await packageBootc(ctx, narrator, work.path);
  const building = performance.now();
  const images = await demoImages(
    ctx,
    deb,
    () => narrator.say("Building the images with mmdebstrap: a minute or so, once"),
  );
  const builtMs = performance.now() - building;
  await using registry = await startRegistry(work.path);
  const env = { HOME: await homeForRegistry(work.path, registry) };
  const stage: Stage = { ctx, narrator, registry, images, sysroot, bootc, env };
  await describeImages(stage, builtMs);
  narrator.heading(`A registry on ${registry.host} serves the first`);
  narrator.say(`Plain http: HOME is ${env.HOME}, whose .config/containers/registries.conf allows it for this registry`);
  await publish(stage, VERSIONS[0].tag);
  await deploy(stage);
  await upgrade(stage);
  await rollback(stage);
  console.log(`\nDone in ${narrator.elapsed()}; everything is removed but the two images in the cache.`);
});
