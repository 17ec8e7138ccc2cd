import { assertEquals, assertRejects } from "@std/assert";
import { type BootFacts, type GeneratedUnit, planUnits, readBootFacts } from "../../lib/host/generator.ts";
import { tellKernelLog } from "../../lib/host/kernel_log.ts";
import { writeUnits } from "../../lib/host/write_units.ts";
import { tempDir } from "../temp.ts";

const ONBOOT = "bootc-status-updated-onboot.target";
const PATH = "bootc-status-updated.path";
const CLEAN_UP = "bootc-destructive-cleanup.service";
const SHADOW = "bootc-sysusers-shadow-sync.service";
const EDIT = "bootc-fstab-edit.service";

const BOOTED: BootFacts = {
  ostreeBooted: true,
  installed: new Set([ONBOOT, PATH, CLEAN_UP, SHADOW]),
  hasShadow: false,
  cleanUp: false,
  fstabNeedsEdit: false,
};
const STATUS = [`multi-user.target.wants/${ONBOOT}`, `multi-user.target.wants/${PATH}`];

const PLANS: [what: string, facts: Partial<BootFacts>, paths: string[]][] = [
  ["the status units on any ostree host", {}, STATUS],
  ["nothing elsewhere", { ostreeBooted: false, hasShadow: true, cleanUp: true, fstabNeedsEdit: true }, []],
  ["the clean-up where its stamp is", { cleanUp: true }, [...STATUS, `multi-user.target.wants/${CLEAN_UP}`]],
  ["the shadow sync where there is a shadow", { hasShadow: true }, [`sysinit.target.wants/${SHADOW}`, ...STATUS]],
  ["no unit that is not installed", { installed: new Set([PATH]), hasShadow: true, cleanUp: true }, [STATUS[1]!]],
  ["the edit of fstab", { fstabNeedsEdit: true }, [...STATUS, EDIT, `local-fs-pre.target.wants/${EDIT}`]],
];
for (const [what, facts, paths] of PLANS) {
  Deno.test(`planUnits() plans ${what}`, () => {
    assertEquals(planUnits({ ...BOOTED, ...facts }).map(({ path }) => path), paths);
  });
}

Deno.test("planUnits() links to where packages put units", () => {
  const [link] = planUnits(BOOTED);
  assertEquals(link, { kind: "link", path: STATUS[0]!, target: `/usr/lib/systemd/system/${ONBOOT}` });
});

const ANACONDA = "# Created by anaconda on some day\nUUID=1 / xfs defaults 0 0\n";
const mountinfo = (point: string, rest: string) => `1 1 0:1 / ${point} ro,relatime - ${rest}\n`;
const COMPOSEFS = (point: string) => mountinfo(point, "overlay composefs ro,lowerdir=/x");

async function host(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    if (!name.endsWith("/")) await Deno.writeTextFile(`${path}/${name}`, content);
  }
}

const FULL = {
  "run/ostree-booted": "",
  "sysroot/etc/bootc-destructive-cleanup": "",
  "etc/shadow": "",
  "etc/fstab": ANACONDA,
  [`usr/lib/systemd/system/${PATH}`]: "",
  "usr/lib/systemd/system/other.service": "",
};

Deno.test("readBootFacts() sees all there is to see", async () => {
  await using tmp = await tempDir();
  await host(tmp.path, FULL);
  assertEquals(await readBootFacts(tmp.path, COMPOSEFS(tmp.path)), {
    ostreeBooted: true,
    installed: new Set([PATH]),
    hasShadow: true,
    cleanUp: true,
    fstabNeedsEdit: true,
  });
});

Deno.test("readBootFacts() of an empty root", async () => {
  await using tmp = await tempDir();
  const none = { ostreeBooted: false, installed: new Set<string>(), hasShadow: false, cleanUp: false };
  assertEquals(await readBootFacts(tmp.path, COMPOSEFS(tmp.path)), { ...none, fstabNeedsEdit: false });
});

Deno.test("readBootFacts() wants /sysroot beside the mark of ostree", async () => {
  await using tmp = await tempDir();
  await host(tmp.path, { "run/ostree-booted": "" });
  assertEquals((await readBootFacts(tmp.path, "")).ostreeBooted, false);
});

const ROOTS: [what: string, type: string, expected: boolean][] = [
  ["a composefs", "overlay composefs ro,lowerdir=/x", true],
  // systemd shows generators every mount as read-only.
  ["an overlay with an upper layer", "overlay overlay rw,lowerdir=/x,upperdir=/y", false],
  ["another read-only file system", "erofs /dev/sda ro", false],
];
for (const [what, type, expected] of ROOTS) {
  Deno.test(`readBootFacts() would ${expected ? "" : "not "}edit the fstab of ${what}`, async () => {
    await using tmp = await tempDir();
    await host(tmp.path, FULL);
    assertEquals((await readBootFacts(tmp.path, mountinfo(tmp.path, type))).fstabNeedsEdit, expected);
    assertEquals((await readBootFacts(tmp.path, COMPOSEFS(`${tmp.path}/below`))).fstabNeedsEdit, false);
  });
}

Deno.test("readBootFacts() does not wait at an fstab that is a FIFO", async () => {
  await using tmp = await tempDir();
  await host(tmp.path, { "etc/": "" });
  await new Deno.Command("mkfifo", { args: [`${tmp.path}/etc/fstab`] }).output();
  assertEquals((await readBootFacts(tmp.path, COMPOSEFS(tmp.path))).fstabNeedsEdit, false);
});

Deno.test("readBootFacts() does not read an fstab that is no fstab by its size", async () => {
  await using tmp = await tempDir();
  await host(tmp.path, FULL);
  await Deno.truncate(`${tmp.path}/etc/fstab`, 17 << 20);
  assertEquals((await readBootFacts(tmp.path, COMPOSEFS(tmp.path))).fstabNeedsEdit, false);
});

function tree(path: string, prefix = ""): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? tree(`${path}/${name}`, `${prefix}${name}/`) : [prefix + name]
  ).sort();
}

Deno.test("writeUnits() makes links and files, and again", async () => {
  await using tmp = await tempDir();
  const units = planUnits({ ...BOOTED, fstabNeedsEdit: true });
  for (let times = 0; times < 2; times++) {
    await writeUnits(tmp.path, units);
    assertEquals(tree(tmp.path), [EDIT, `local-fs-pre.target.wants/${EDIT}`, ...STATUS].sort());
  }
  assertEquals(await Deno.readLink(`${tmp.path}/${STATUS[1]}`), `/usr/lib/systemd/system/${PATH}`);
  assertEquals(
    await Deno.readTextFile(`${tmp.path}/local-fs-pre.target.wants/${EDIT}`),
    `# Made by bootc-systemd-generator
[Unit]
Description=Mount the root file system read-only in /etc/fstab
Documentation=man:bootc(8)
DefaultDependencies=no
ConditionPathIsReadWrite=/etc
After=systemd-fsck-root.service
Before=local-fs-pre.target local-fs.target shutdown.target systemd-remount-fs.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/bootc internals fixup-etc-fstab
`,
  );
});

Deno.test("writeUnits() replaces what a run that was killed left", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/multi-user.target.wants`);
  await Deno.symlink("half", `${tmp.path}/${STATUS[0]}.bootc-tmp`);
  await writeUnits(tmp.path, planUnits(BOOTED));
  assertEquals(tree(tmp.path), STATUS);
});

Deno.test("writeUnits() leaves nothing where one unit cannot be made", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/b.target.wants`, "no directory");
  const units: GeneratedUnit[] = [
    { kind: "link", path: "a.target.wants/x.service", target: "/x" },
    { kind: "file", path: "y.service", content: "" },
    { kind: "link", path: "b.target.wants/y.service", target: "../y.service" },
  ];
  await assertRejects(() => writeUnits(tmp.path, units));
  assertEquals([...Deno.readDirSync(tmp.path)].map(({ name }) => name), ["b.target.wants"]);
});

Deno.test("writeUnits() leaves what another generator put into a directory that it made", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/z.service`);
  await Deno.writeTextFile(`${tmp.path}/z.service/x`, "");
  const units: GeneratedUnit[] = [
    { kind: "link", path: "a.target.wants/x.service", target: "/x" },
    { kind: "link", path: "a.target.wants/y.service", target: "/y" },
    { kind: "file", path: "z.service", content: "" },
  ];
  // The other one looks for the directory and is quick.
  const made = units.map((unit, index) => ({
    ...unit,
    get path() {
      if (index === 2) Deno.writeTextFileSync(`${tmp.path}/a.target.wants/other.service`, "");
      return unit.path;
    },
  }));
  await assertRejects(() => writeUnits(tmp.path, made), Deno.errors.IsADirectory);
  assertEquals(tree(tmp.path), ["a.target.wants/other.service", "z.service/x"]);
});

Deno.test("tellKernelLog() writes one record, as long as the kernel takes", async () => {
  await using tmp = await tempDir();
  const device = `${tmp.path}/kmsg`;
  await Deno.writeTextFile(device, "");
  await tellKernelLog("program", "x".repeat(2000), device);
  const text = await Deno.readTextFile(device);
  assertEquals([text.length, text.startsWith(`<27>program[${Deno.pid}]: xxx`)], [900, true]);
});

Deno.test("tellKernelLog() says nothing of a device that is not there", async () => {
  await using tmp = await tempDir();
  await tellKernelLog("program", "x", `${tmp.path}/missing/kmsg`);
});
