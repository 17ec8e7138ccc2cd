import "../libraries.ts";
import { assertEquals } from "@std/assert";
import { buildHost } from "../../lib/host/read.ts";
import { renderHost } from "../../lib/host/render.ts";
import { planRollback } from "../../lib/host/rollback_plan.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { hasProgram } from "../has_program.ts";
import { ostreeCommit } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

// Without it a deployment is immutable, and the temporary directory stays for ever.
const ctx = plainContext({ ...Deno.env.toObject(), OSTREE_SYSROOT_DEBUG: "mutable-deployments" });

async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  }
}

/** A sysroot with two deployments of an image, the newer one first. */
async function twoDeployments(directory: string): Promise<{ sysroot: string; checksums: string[] }> {
  const sysroot = `${directory}/sysroot`, tree = `${directory}/tree`;
  await Deno.mkdir(sysroot);
  await run(ctx, ["ostree", "admin", "init-fs", "--modern", sysroot]);
  await run(ctx, ["ostree", "admin", "os-init", `--sysroot=${sysroot}`, "default"]);
  await writeFiles(tree, {
    "usr/lib/modules/6.1.0/vmlinuz": "kernel",
    "usr/lib/modules/6.1.0/initramfs.img": "initramfs",
    "usr/lib/os-release": "ID=example\n",
    "usr/etc/example.conf": "",
  });
  const origin = `${directory}/origin`;
  await Deno.writeTextFile(
    origin,
    "[origin]\ncontainer-image-reference=ostree-unverified-registry:quay.io/example/os:1\n",
  );
  const checksums: string[] = [];
  for (const version of ["1", "2"]) {
    await Deno.writeTextFile(`${tree}/usr/lib/version`, version);
    const checksum = await ostreeCommit(`${sysroot}/ostree/repo`, { ref: "example", tree });
    const target = [`--sysroot=${sysroot}`, "--os=default", "--retain", `--origin-file=${origin}`, checksum];
    await run(ctx, ["ostree", "admin", "deploy", ...target]);
    checksums.unshift(checksum);
  }
  return { sysroot, checksums };
}

// Packages are built without either.
const ignore = Deno.uid() !== 0 || !await hasProgram("ostree");
Deno.test(
  "buildHost() reads a sysroot that ostree made, and planRollback() swaps its deployments",
  { ignore },
  async () => {
    await using tmp = await tempDir();
    const { sysroot: path, checksums } = await twoDeployments(tmp.path);
    using sysroot = Sysroot.open(path);
    const imageFacts = (checksum: string) => ({
      version: checksum === checksums[0] ? "2" : "1",
      timestamp: null,
      imageDigest: `sha256:${checksum}`,
      architecture: "amd64",
    });
    const host = buildHost(sysroot, { imageFacts });
    assertEquals(
      renderHost(host, { unbooted: true }),
      `  Default image: quay.io/example/os:1
         Digest: sha256:${checksums[0]} (amd64)
        Version: 2

  Rollback image: quay.io/example/os:1
          Digest: sha256:${checksums[1]} (amd64)
         Version: 1
`,
    );
    const { order } = planRollback(host, sysroot.deployments());
    await sysroot.writeDeployments(order);
    const status = await capture(ctx, ["ostree", "admin", "status", `--sysroot=${path}`]);
    assertEquals(
      [...status.matchAll(/default ([0-9a-f]{64})\.0/g)].map(([, checksum]) => checksum),
      checksums.toReversed(),
    );
  },
);
