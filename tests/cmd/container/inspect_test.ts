import { assertEquals } from "@std/assert";
import { rootOf, type RootTree, symlink, text } from "../../root_files.ts";
import { bootc, bootcWith } from "../bootc.ts";

const KARGS: RootTree = {
  "usr/lib/bootc/kargs.d/20-b.toml": text(`kargs = ["quiet"]\nmatch-architectures = ["${Deno.build.arch}"]\n`),
  "usr/lib/bootc/kargs.d/10-a.toml": text(`kargs = ["console=ttyS0 nosmt"]\n`),
  "usr/lib/bootc/kargs.d/30-c.toml": text(`kargs = ["other"]\nmatch-architectures = ["s390x"]\n`),
  "usr/lib/bootc/kargs.d/README": text("not TOML"),
};
const VMLINUZ: RootTree = { "usr/lib/modules/6.12.0-100.fc41.x86_64/vmlinuz": text("fake kernel") };
const UKI: RootTree = {
  "boot/EFI/Linux/zzz.efi": text("uki"),
  "boot/EFI/Linux/fedora-6.12.0.efi": text("uki"),
  "boot/EFI/Linux/.efi": text("no name"),
  "boot/EFI/Linux/bad\xff.efi": text("no UTF-8"),
  "boot/EFI/Linux/aaa.txt": text("no UKI"),
};

const rows: { what: string; tree: RootTree; human: string; yaml: string; json: unknown }[] = [
  {
    what: "a kernel with its modules and arguments",
    tree: { ...KARGS, ...VMLINUZ },
    human: "Kernel: 6.12.0-100.fc41.x86_64\n  Type: vmlinuz\n Kargs: console=ttyS0 nosmt quiet\n",
    yaml: "kargs:\n- console=ttyS0\n- nosmt\n- quiet\nkernel:\n  version: 6.12.0-100.fc41.x86_64\n  unified: false\n",
    json: { kargs: ["console=ttyS0", "nosmt", "quiet"], kernel: { version: "6.12.0-100.fc41.x86_64", unified: false } },
  },
  {
    what: "the first UKI, before a kernel with modules",
    tree: { ...VMLINUZ, ...UKI },
    human: "Kernel: fedora-6.12.0\n  Type: UKI\n Kargs: <none>\n",
    yaml: "kargs: []\nkernel:\n  version: fedora-6.12.0\n  unified: true\n",
    json: { kargs: [], kernel: { version: "fedora-6.12.0", unified: true } },
  },
  {
    what: "no kernel",
    tree: { ...KARGS, "usr/lib/modules/6.1/kernel/x.ko": text("module") },
    human: "Kernel: <none>\n Kargs: console=ttyS0 nosmt quiet\n",
    yaml: "kargs:\n- console=ttyS0\n- nosmt\n- quiet\nkernel: null\n",
    json: { kargs: ["console=ttyS0", "nosmt", "quiet"], kernel: null },
  },
  {
    what: "links that lead out of the root as links within it",
    tree: { ...UKI, boot2: symlink("/boot"), "usr/lib/modules": symlink("../../../../../../../../lib/modules") },
    human: "Kernel: fedora-6.12.0\n  Type: UKI\n Kargs: <none>\n",
    yaml: "kargs: []\nkernel:\n  version: fedora-6.12.0\n  unified: true\n",
    json: { kargs: [], kernel: { version: "fedora-6.12.0", unified: true } },
  },
  {
    what: "a version that would move the cursor",
    tree: { "usr/lib/modules/6\x1b[1A/vmlinuz": text("kernel") },
    human: "Kernel: 6\\u001b[1A\n  Type: vmlinuz\n Kargs: <none>\n",
    yaml: 'kargs: []\nkernel:\n  version: "6\\e[1A"\n  unified: false\n',
    json: { kargs: [], kernel: { version: "6\x1b[1A", unified: false } },
  },
];

for (const { what, tree, human, yaml, json } of rows) {
  Deno.test(`bootc container inspect shows ${what}`, async () => {
    await using root = await rootOf(tree);
    const inspect = (...words: string[]) => bootc("container", "inspect", "--rootfs", root.path, ...words);
    assertEquals(await inspect("--format", "humanreadable"), { code: 0, stdout: human, stderr: "" });
    assertEquals(await inspect("--format=yaml"), { code: 0, stdout: yaml, stderr: "" });
    assertEquals(await inspect("--json"), { code: 0, stdout: JSON.stringify(json, null, 2), stderr: "" });
    assertEquals((await inspect("--format", "json")).stdout, JSON.stringify(json, null, 2));
    assertEquals((await inspect()).stdout, yaml);
  });
}

Deno.test("bootc container inspect shows text on a terminal", async () => {
  await using root = await rootOf(VMLINUZ);
  const { stdout } = await bootcWith(
    { ctx: { stdoutIsTerminal: true } },
    "container",
    "inspect",
    "--rootfs",
    root.path,
  );
  assertEquals(stdout, "Kernel: 6.12.0-100.fc41.x86_64\n  Type: vmlinuz\n Kargs: <none>\n");
});

const bad: [what: string, tree: RootTree, stderr: string][] = [
  [
    "two kernels (K2)",
    { ...VMLINUZ, "usr/lib/modules/5.7.2/vmlinuz": text("old") },
    "error: Found multiple subdirectories in usr/lib/modules\n" +
    "hint: Remove all kernels but one from the image: 5.7.2, 6.12.0-100.fc41.x86_64\n",
  ],
  [
    "a file of kargs.d that is no TOML",
    { "usr/lib/bootc/kargs.d/a.toml": text("kargs = 1\n") },
    `error: Cannot read "usr/lib/bootc/kargs.d/a.toml" of the image: Key "kargs" is 1, expected a list of texts\n` +
    "hint: Mend the file in the image and build it again\n",
  ],
  [
    "kargs.d behind a link",
    { "usr/lib/bootc": symlink("/etc"), "etc/kargs.d/a.toml": text(`kargs = ["a"]\n`) },
    `error: Path "/usr/lib/bootc" is a symlink, expected a directory\n`,
  ],
];

for (const [what, tree, stderr] of bad) {
  Deno.test(`bootc container inspect refuses ${what}`, async () => {
    await using root = await rootOf(tree);
    assertEquals(await bootc("container", "inspect", "--rootfs", root.path), { code: 1, stdout: "", stderr });
  });
}
