/** From the checkout to an installed RPM, with the tools of a build service, the build without a network. Takes some minutes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { mayMount } from "../may_mount.ts";
import { tempDir } from "../temp.ts";
import { attempt, checkout, must, sha256Of } from "./checkout.ts";
import { extractRoot, inRoot } from "./root.ts";

const SNAPSHOT = /^202611302257\.g[0-9a-f]{8}$/;

/** Builds a source package as a builder without a network does; the packages of a Debian are unknown to rpmbuild, so it cannot ask for them. */
async function rebuild(srpm: string, topdir: string, ...options: string[]): Promise<string> {
  await must([
    "unshare",
    "--net",
    "rpmbuild",
    "--rebuild",
    "--nodeps",
    "--define",
    `_topdir ${topdir}`,
    ...options,
    srpm,
  ]);
  return (await must(["find", `${topdir}/RPMS`, "-name", "*.rpm"])).trim();
}

async function unpack(rpm: string, directory: string): Promise<string> {
  await Deno.mkdir(directory);
  await must(["sh", "-euc", `rpm2cpio "$0" | cpio --quiet -idm`, rpm], { cwd: directory });
  return directory;
}

async function query(file: string, format: string): Promise<string> {
  return await must(["rpm", "--query", "--package", "--queryformat", format, file]);
}

Deno.test("make srpm, rpmbuild --rebuild without a network, rpm --root: bootc runs in the installed system (X1, X2, X3)", async (t) => {
  await using tmp = await tempDir("/var/tmp");
  await Deno.chmod(tmp.path, 0o755);
  const project = await checkout(`${tmp.path}/project`);
  let srpm = "", version = "", rpm = "", unpacked = "";

  await t.step("make -f .copr/Makefile srpm outdir=OUT leaves one source package", async () => {
    const out = `${tmp.path}/out`;
    const stdout = await must(["make", "--silent", "-f", ".copr/Makefile", "srpm", `outdir=${out}`], { cwd: project });
    assertEquals([...Deno.readDirSync(out)].length, 1);
    srpm = stdout.trim();
    version = await query(srpm, "%{version}");
    assertMatch(version, SNAPSHOT);
    assertEquals(srpm, `${out}/bootc-${version}-1.src.rpm`);
    assertEquals(
      (await query(srpm, "[%{source}\\n]")).trim().split("\n").sort(),
      [`bootc-${version}-vendor.tar.zstd`, `bootc-${version}.tar.zstd`],
    );
  });

  await t.step("the spec in it says who set its version", async () => {
    const spec = await must(["sh", "-c", `rpm2cpio "$0" | cpio --quiet -i --to-stdout bootc.spec`, srpm]);
    assert(spec.includes(`\n# Replaced by scripts/package-rpm.ts\nVersion:        ${version}\n`), spec.slice(0, 2000));
  });

  await t.step("the archives are the same bytes a second time", async () => {
    const inside = await unpack(srpm, `${tmp.path}/srpm`);
    for (
      const [what, name] of [["vendor", `bootc-${version}-vendor.tar.zstd`], ["package", `bootc-${version}.tar.zstd`]]
    ) {
      const out = `${tmp.path}/again`;
      await must(["deno", "run", "-A", "scripts/package-rpm.ts", what!, "--outdir", out], { cwd: project });
      assertEquals(await sha256Of(`${out}/${name}`), await sha256Of(`${inside}/${name}`), name);
    }
  });

  await t.step("rpmbuild --rebuild builds and tests it with the network off", async () => {
    rpm = await rebuild(srpm, `${tmp.path}/top`);
    unpacked = await unpack(rpm, `${tmp.path}/unpacked`);
  });

  await t.step("it requires what bootc works with, in the lowest versions", async () => {
    const requires = (await must(["rpm", "--query", "--package", "--requires", rpm])).split("\n");
    for (const each of ["ostree >= 2022.7", "skopeo >= 1:1.9", "podman >= 2:4.3", "libostree-1.so.1()(64bit)"]) {
      assert(requires.includes(each), `${each} is not in:\n${requires.join("\n")}`);
    }
  });

  await t.step("rpmlint finds nothing that COPR/rpmlintrc.toml does not explain", async () => {
    const { stdout } = await attempt([
      "rpmlint",
      "-c",
      `${project}/COPR/rpmlintrc.toml`,
      `${project}/COPR/bootc.spec`,
      srpm,
      rpm,
    ]);
    assertEquals(stdout.split("\n").filter((line) => /^\S+: [EW]: /.test(line)), []);
  });

  await t.step("a build from the sources in another folder gives the same executable", async () => {
    await must(["deno", "task", "compile"], { cwd: project });
    assertEquals(await sha256Of(`${project}/bootc`), await sha256Of(`${unpacked}/usr/bin/bootc`));
  });

  await t.step({
    name: "rpm --root installs it where only glibc, ostree and skopeo are, and it runs there",
    ignore: !await mayMount(),
    async fn() {
      const root = await extractRoot(`${tmp.path}/root`, [
        "base-files",
        "libc6",
        "ostree",
        "skopeo",
        "coreutils",
        "dash",
      ]);
      await must(["rpm", "--root", root, "--initdb"]);
      // The rest of that system is Debian's, so that no RPM there can provide what this one requires.
      await must(["rpm", "--root", root, "--install", "--nodeps", rpm]);
      assertMatch(await inRoot(root, "bootc", "--version"), /^bootc \d+\.\d+\.\d+\n$/);
      assert((await inRoot(root, "bootc", "status", "--json")).startsWith(`{"apiVersion":"org.containers.bootc/v1"`));
      assert(
        (await inRoot(root, "ostree", "container", "image", "--help")).includes(
          "Usage: ostree container image <COMMAND>",
        ),
      );
      await inRoot(
        root,
        "sh",
        "-c",
        "cd /tmp && ostree init --repo=r --mode=bare-user && ostree container image list --repo r",
      );
      await inRoot(root, "/usr/lib/systemd/system-generators/bootc-systemd-generator", "/tmp", "/tmp", "/tmp");
      await must(["rpm", "--root", root, "--erase", "bootc"]);
      const left = await must(["sh", "-c", `find "$0" -name '*bootc*' -not -path '*/proc/*'`, root]);
      assertEquals(left, "");
    },
  });

  await t.step("rpmbuild --target aarch64 cross-compiles it, and qemu runs it", async () => {
    const foreign = await rebuild(srpm, `${tmp.path}/arm`, "--target", "aarch64", "--nocheck");
    assertEquals(await query(foreign, "%{arch}"), "aarch64");
    const root = await extractRoot(`${tmp.path}/arm-root`, ["base-files", "libc6", "libgcc-s1"], "arm64");
    const inside = await unpack(foreign, `${tmp.path}/arm-unpacked`);
    const ran = await must(["qemu-aarch64-static", "-L", root, `${inside}/usr/bin/bootc`, "--version"]);
    assertMatch(ran, /^bootc \d+\.\d+\.\d+\n$/);
  });
});
