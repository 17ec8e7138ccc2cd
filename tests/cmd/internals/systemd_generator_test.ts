import { assertEquals, assertStringIncludes } from "@std/assert";
import { plainContext } from "../../../lib/sys/context.ts";
import { run } from "../../../lib/sys/run.ts";
import { mayMount } from "../../may_mount.ts";
import { tempDir } from "../../temp.ts";
import { bootc, bootcWith } from "../bootc.ts";

const STATUS = ["bootc-status-updated-onboot.target", "bootc-status-updated.path"];

/** A host in a directory that ostree booted, with the directories that systemd gives. */
async function host(path: string): Promise<{ root: string; directories: string[] }> {
  const root = `${path}/root`;
  for (const name of ["run", "etc", "sysroot", "usr/lib/systemd/system"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  for (const name of ["run/ostree-booted", ...STATUS.map((unit) => `usr/lib/systemd/system/${unit}`)]) {
    await Deno.writeTextFile(`${root}/${name}`, "");
  }
  await Deno.writeTextFile(`${root}/etc/fstab`, "# Created by anaconda on some day\nUUID=1 / xfs defaults 0 0\n");
  const directories = ["normal", "early", "late"].map((name) => `${path}/${name}`);
  for (const each of directories) await Deno.mkdir(each);
  return { root, directories };
}

const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test("bootc-systemd-generator makes its units in the first directory, twice the same", async () => {
  await using tmp = await tempDir();
  const { root, directories } = await host(tmp.path);
  for (let times = 0; times < 2; times++) {
    const outcome = await bootcWith({ argv0: "/usr/lib/systemd/system-generators/bootc-systemd-generator" }, ...[
      `--root=${root}`,
      ...directories,
    ]);
    assertEquals(outcome, { code: 0, stdout: "", stderr: "" });
    assertEquals(names(directories[0]!), ["multi-user.target.wants"]);
    assertEquals(names(`${directories[0]!}/multi-user.target.wants`), STATUS);
  }
  for (const each of directories.slice(1)) assertEquals(names(each), []);
});

Deno.test("bootc internals systemd-generator does nothing on another host", async () => {
  await using tmp = await tempDir();
  const outcome = await bootc("internals", "systemd-generator", `--root=${tmp.path}`, tmp.path);
  assertEquals(outcome, { code: 0, stdout: "", stderr: "" });
  assertEquals(names(tmp.path), []);
});

for (const count of [0, 4]) {
  Deno.test(`bootc internals systemd-generator fails no boot with ${count} directories`, async () => {
    const outcome = await bootc("internals", "systemd-generator", ...Array(count).fill("/nowhere"));
    const stderr = `error: Cannot generate units with ${count} directories, where systemd gives 1 to 3\n`;
    assertEquals(outcome, { code: 0, stdout: "", stderr });
  });
}

Deno.test("bootc internals systemd-generator does not take no name for /", async () => {
  await using tmp = await tempDir();
  const { root } = await host(tmp.path);
  const outcome = await bootc("internals", "systemd-generator", `--root=${root}`, "");
  const stderr = "error: Cannot generate units in a directory without a name\n";
  assertEquals(outcome, { code: 0, stdout: "", stderr });
});

Deno.test("bootc internals systemd-generator fails no boot where it cannot write", async () => {
  await using tmp = await tempDir();
  const { root } = await host(tmp.path);
  const { code, stdout, stderr } = await bootc("internals", "systemd-generator", `--root=${root}`, `${root}/missing`);
  assertEquals([code, stdout], [0, ""]);
  assertStringIncludes(stderr, `error: Cannot make units in "${root}/missing": `);
  assertEquals(names(root), ["etc", "run", "sysroot", "usr"]);
});

Deno.test("bootc internals systemd-generator fails no boot on a host that makes no sense", async () => {
  await using tmp = await tempDir();
  const { root, directories } = await host(tmp.path);
  await Deno.remove(`${root}/run`, { recursive: true });
  await Deno.writeTextFile(`${root}/run`, "");
  const { code, stdout, stderr } = await bootc("internals", "systemd-generator", `--root=${root}`, ...directories);
  assertEquals([code, stdout], [0, ""]);
  assertStringIncludes(stderr, "error: ");
  assertEquals(names(directories[0]!), []);
});

const ignore = !await mayMount();
Deno.test("bootc-systemd-generator has the fstab of a composefs edited, and then no more", { ignore }, async () => {
  await using tmp = await tempDir();
  const { directories } = await host(tmp.path);
  const main = new URL("../../../main.ts", import.meta.url).pathname;
  const named = Deno.env.get("BOOTC");
  const program = named === undefined
    ? [Deno.execPath(), "run", "-A", "--quiet", main]
    : [new URL(named, new URL("../../../", import.meta.url)).pathname];
  // The root read-only, and /etc a mount that is not.
  const script = [
    'mkdir "$1/lower" "$1/etc"',
    'cp "$1/root/etc/fstab" "$1/etc"',
    'mount -t overlay overlay -o "lowerdir=$1/root:$1/lower" "$1/root"',
    'mount --bind "$1/etc" "$1/root/etc"',
    "root=$1/root first=$2 second=$3; shift 3",
    '"$@" internals systemd-generator --root "$root" "$first"',
    '"$@" internals fixup-etc-fstab --root "$root"',
    '"$@" internals systemd-generator --root "$root" "$second"',
  ].join("\n");
  const [first = "", second = ""] = directories;
  const argv = ["unshare", "--mount", "sh", "-euc", script, "sh", tmp.path, first, second, ...program] as const;
  await run(plainContext(Deno.env.toObject()), [...argv]);
  const EDIT = "bootc-fstab-edit.service";
  assertEquals(names(first), [EDIT, "local-fs-pre.target.wants", "multi-user.target.wants"]);
  assertEquals(await Deno.readLink(`${first}/local-fs-pre.target.wants/${EDIT}`), `../${EDIT}`);
  assertEquals(names(second), ["multi-user.target.wants"]);
  assertEquals(
    await Deno.readTextFile(`${tmp.path}/etc/fstab`),
    "# Created by anaconda on some day\n# Updated by bootc-fstab-edit.service\nUUID=1 / xfs defaults,ro 0 0\n",
  );
});

for (const words of [["--nonsense"], ["--root"], ["--root", "/", "--root", "/", "x"]]) {
  Deno.test(`internals systemd-generator ${words.join(" ")} says what is wrong and fails no boot`, async () => {
    const { code, stdout, stderr } = await bootc("internals", "systemd-generator", ...words);
    assertEquals([code, stdout], [0, ""]);
    assertEquals(stderr.startsWith("error: "), true, stderr);
  });
}
