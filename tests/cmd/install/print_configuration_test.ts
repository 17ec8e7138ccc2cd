import { assertEquals } from "@std/assert";
import { directory, fifo, rootOf, type RootTree, symlink, text } from "../../root_files.ts";
import { bootc } from "../bootc.ts";

function print(root: string, ...words: string[]) {
  return bootc("install", "print-configuration", "--root", root, ...words);
}

const UNSET = {
  block: null,
  "boot-mount-spec": null,
  bootloader: null,
  bootupd: null,
  "discoverable-partitions": null,
  "enforce-container-sigpolicy": null,
  filesystem: null,
  "match-architectures": null,
  ostree: null,
  "root-fs-type": null,
  "root-mount-spec": null,
  stateroot: null,
};

const FULL: RootTree = {
  "usr/lib/bootc/install/00-fs.toml": text(`[install]\nroot-fs-type = "xfs"\nkargs = ["a=1"]\nkarg-deletes = ["b"]\n`),
  "usr/lib/bootc/install/10-ostree.toml": text(`[install.ostree]\nbls-append-except-default = 'grub_users=""'\n`),
  "etc/bootc/install/50-local.toml": text(
    `[install]\nkargs = ["c d"]\nstateroot = "own"\n[install.bootupd]\nskip-boot-uuid = true\n`,
  ),
};
const MERGED = {
  ...UNSET,
  block: ["direct"],
  bootupd: { "skip-boot-uuid": true },
  filesystem: { root: { type: "xfs" } },
  ostree: { "bls-append-except-default": 'grub_users=""' },
  "root-fs-type": "xfs",
  stateroot: "own",
};

const rows: { what: string; tree: RootTree; json: unknown; stderr?: string }[] = [
  { what: "nulls where there is nothing", tree: { etc: directory }, json: UNSET },
  { what: "all files in one", tree: FULL, json: MERGED },
  {
    what: "a directory behind a link within the root",
    tree: {
      "usr/local": symlink("../var/usrlocal"),
      "var/usrlocal/lib/bootc/install/a.toml": text(`[install]\nstateroot = "a"\n`),
    },
    json: { ...UNSET, block: ["direct"], stateroot: "a" },
  },
  {
    what: "nothing of a file that a link to /dev/null masks",
    tree: { ...FULL, "etc/bootc/install/00-fs.toml": symlink("/dev/null") },
    json: { ...MERGED, filesystem: null, "root-fs-type": null },
  },
  {
    what: "a file with a name that is no UTF-8",
    tree: { "usr/lib/bootc/install/a\xff.toml": text(`[install]\nstateroot = "a"\n`) },
    json: { ...UNSET, block: ["direct"], stateroot: "a" },
  },
  {
    what: "a warning of an unknown key for ostree",
    tree: { "run/bootc/install/a.toml": text("[install.ostree]\nnew = 1\n") },
    json: { ...UNSET, block: ["direct"] },
    stderr: `warning: "/run/bootc/install/a.toml": Unknown key install.ostree.new\n`,
  },
];

for (const { what, tree, json, stderr = "" } of rows) {
  Deno.test(`bootc install print-configuration prints ${what} (I12)`, async () => {
    await using root = await rootOf(tree);
    assertEquals(await print(root.path), { code: 0, stdout: JSON.stringify(json), stderr });
  });
}

Deno.test("bootc install print-configuration --all prints kernel arguments too (I12)", async () => {
  await using root = await rootOf(FULL);
  const { code, stdout, stderr } = await print(root.path, "--all");
  assertEquals([code, JSON.parse(stdout), stderr], [
    0,
    { ...MERGED, kargs: ["a=1", "c d"], "karg-deletes": ["b"] },
    "",
  ]);
});

const MEND = "hint: Mend the file, or put one of the same name into a directory that goes before it: " +
  "/run/bootc/install, /etc/bootc/install, /usr/local/lib/bootc/install, /usr/lib/bootc/install\n";

const bad: [what: string, tree: RootTree, stderr: string][] = [
  [
    "an unknown key",
    { "etc/bootc/install/a.toml": text("[install]\nkargz = []\n") },
    `error: Cannot read the install configuration "/etc/bootc/install/a.toml": Line 2: Key "install.kargz" is not known\n${MEND}`,
  ],
  [
    "what is no TOML",
    { "etc/bootc/install/a.toml": text("[install]\nkargs = [\n") },
    `error: Cannot read the install configuration "/etc/bootc/install/a.toml": ` +
    `Parse error on line 3, column 0: Array is not closed\n${MEND}`,
  ],
  [
    "text that is no UTF-8",
    { "etc/bootc/install/a.toml": text(new Uint8Array([0xff])) },
    "error: Cannot read file /etc/bootc/install/a.toml: The text is not UTF-8\n",
  ],
  [
    "a link that leads to no file of the root",
    { "etc/bootc/install/a.toml": symlink("../../../../../../../../../../etc/passwd") },
    "error: Path /etc/bootc/install/a.toml is a symlink, expected a file\n",
  ],
  [
    "a FIFO",
    { "etc/bootc/install/a.toml": fifo },
    "error: Path /etc/bootc/install/a.toml is a fifo, expected a file\n",
  ],
  [
    "a directory with a file's name",
    { "etc/bootc/install/a.toml": directory },
    "error: Path /etc/bootc/install/a.toml is a directory, expected a file\n",
  ],
];

for (const [what, tree, stderr] of bad) {
  Deno.test(`bootc install print-configuration refuses ${what}`, async () => {
    await using root = await rootOf(tree);
    assertEquals(await print(root.path), { code: 1, stdout: "", stderr });
  });
}

Deno.test("bootc install print-configuration refuses a root that there is not", async () => {
  const { code, stdout, stderr } = await print("/nonexistent");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n")[0]!.slice(0, 54), `error: Cannot open the root file system "/nonexistent"`);
});
