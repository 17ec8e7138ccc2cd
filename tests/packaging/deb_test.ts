/** The Debian package: installed by apt, in an image that podman builds, and removed again. Takes some minutes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { mayMount } from "../may_mount.ts";
import { tempDir } from "../temp.ts";
import { attempt, checkout, must, sha256Of } from "./checkout.ts";
import { aptRoot, inRoot } from "./root.ts";

/** Every path of a root but those that apt itself writes. */
async function paths(root: string): Promise<string[]> {
  const text = await inRoot(root, "sh", "-c", "find / -xdev -not -path '/var/cache/*' -not -path '/var/log/*' | sort");
  return text.split("\n");
}

Deno.test("package-rpm.ts deb gives a package that apt installs with what it needs, and an image with it passes the lint", async (t) => {
  await using tmp = await tempDir("/var/tmp");
  await Deno.chmod(tmp.path, 0o755);
  const project = await checkout(`${tmp.path}/project`);
  const target = `${project}/target`;
  let deb = "";

  await t.step("package-rpm.ts deb", async () => {
    const stdout = await must(["deno", "run", "-A", "scripts/package-rpm.ts", "deb"], { cwd: project });
    deb = `${project}/${stdout.trim()}`;
    assertMatch(deb, /\/target\/bootc_202611302257\.g[0-9a-f]{8}_(amd64|arm64)\.deb$/);
    assertEquals([...Deno.readDirSync(target)].length, 1);
  });

  await t.step("lintian finds nothing that debian/bootc.lintian-overrides does not explain", async () => {
    const { code, stdout, stderr } = await attempt(["lintian", "--allow-root", "--fail-on=error,warning", deb]);
    assertEquals([code, stdout], [0, ""], stderr);
  });

  await t.step("it has the executable that the sources give elsewhere", async () => {
    await must(["deno", "task", "compile"], { cwd: project });
    await must(["dpkg-deb", "--extract", deb, `${tmp.path}/unpacked`]);
    assertEquals(await sha256Of(`${tmp.path}/unpacked/usr/bin/bootc`), await sha256Of(`${project}/bootc`));
  });

  const root = await aptRoot(`${tmp.path}/root`);

  await t.step({
    name: "podman builds contrib/Containerfile.debian with it, which ends with bootc container lint",
    ignore: !await mayMount(),
    async fn() {
      const storage = ["--storage-driver=vfs", `--root=${tmp.path}/storage`, `--runroot=${tmp.path}/run`];
      await must(["sh", "-euc", `tar -C "$1" -c . > "$0/base.tar"`, tmp.path, root]);
      await must(["podman", ...storage, "import", "--quiet", `${tmp.path}/base.tar`, "localhost/debian:base"]);
      // deno-fmt-ignore
      const built = await attempt([
      "podman", ...storage, "build", "--isolation=chroot", "--file", "contrib/Containerfile.debian",
      "--build-arg", "BASE=localhost/debian:base", "--tag", "localhost/debian-bootc", ".",
    ], { cwd: project });
      const said = built.stdout + built.stderr;
      assertEquals(built.code, 0, said.slice(-4000));
      assertMatch(said, /Checks passed: \d+/);
      // What the image says of itself is what bootc asks for.
      const labels = await must([
        "podman",
        ...storage,
        "inspect",
        "--format",
        "{{json .Labels}}",
        "localhost/debian-bootc",
      ]);
      assertEquals(JSON.parse(labels)["containers.bootc"], "1");
      await must(["podman", ...storage, "rmi", "--all", "--force"]);
    },
  });

  await t.step({
    name: "apt installs it with what it needs, and it runs",
    ignore: !await mayMount(),
    async fn() {
      await inRoot(root, "apt-get", "update");
      // What it depends on stays: only what comes and goes with the package itself counts.
      await inRoot(root, "apt-get", "install", "--yes", "--no-install-recommends", "ostree", "skopeo");
      const before = await paths(root);
      await Deno.copyFile(deb, `${root}/bootc.deb`);
      await inRoot(root, "apt-get", "install", "--yes", "--no-install-recommends", "/bootc.deb");
      await Deno.remove(`${root}/bootc.deb`);
      assertMatch(await inRoot(root, "bootc", "--version"), /^bootc \d+\.\d+\.\d+\n$/);
      assert((await inRoot(root, "ostree", "container", "--help")).includes("Usage: ostree container <COMMAND>"));
      assert((await paths(root)).includes("/usr/lib/systemd/system/bootc-fetch-apply-updates.timer"));
      await inRoot(root, "apt-get", "purge", "--yes", "bootc");
      assertEquals(await paths(root), before);
    },
  });
});
