import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkImageConfig, findKernel, type ListTree, type TreeEntry } from "../../lib/host/bootable.ts";
import { parseImageConfig } from "../../lib/oci/config.ts";
import { UserError } from "../../lib/sys/errors.ts";

/** A tree from paths; one that ends in "/" is an empty directory. */
function tree(...paths: string[]): ListTree {
  return (directory) => {
    const names = new Map<string, TreeEntry["kind"]>();
    for (const path of paths.filter((path) => path.startsWith(`${directory}/`))) {
      const [name = "", ...below] = path.slice(directory.length + 1).split("/");
      if (name !== "") names.set(name, below.length > 0 ? "directory" : "file");
    }
    return names.size === 0 ? undefined : [...names].map(([name, kind]) => ({ name, kind }));
  };
}

const M = "usr/lib/modules";

Deno.test("findKernel() finds the one kernel", async () => {
  const list = tree(`${M}/6.1.0/vmlinuz`, `${M}/6.1.0/initramfs.img`, `${M}/5.10/kernel/x.ko`, `${M}/README`);
  assertEquals(await findKernel(list), { version: "6.1.0", directory: "usr/lib/modules/6.1.0" });
});

const bad: [string, ListTree, string][] = [
  [
    "a tree without modules",
    tree("etc/passwd"),
    `Image has no kernel: no "vmlinuz" in a directory of "usr/lib/modules"`,
  ],
  ["modules without a kernel", tree(`${M}/6.1.0/kernel/x.ko`), "Image has no kernel"],
  ["a kernel that is a directory", tree(`${M}/6.1.0/vmlinuz/x`, `${M}/6.1.0/initramfs.img`), "Image has no kernel"],
  [
    "two kernels",
    tree(`${M}/6.1.0/vmlinuz`, `${M}/6.2.0/vmlinuz`, `${M}/6.1.0/initramfs.img`),
    "Found multiple subdirectories in usr/lib/modules",
  ],
  [
    "a missing initramfs",
    tree(`${M}/6.1.0/vmlinuz`),
    `Image has no initramfs: no "initramfs.img" in "usr/lib/modules/6.1.0"`,
  ],
];

for (const [what, list, message] of bad) {
  Deno.test(`findKernel() rejects ${what}`, async () => {
    await assertRejects(async () => await findKernel(list), UserError, message);
  });
}

function config(labels: Record<string, string>, architecture = "amd64") {
  return parseImageConfig({
    architecture,
    os: "linux",
    config: { Labels: labels },
    rootfs: { type: "layers", diff_ids: [] },
  });
}

const labels: [string, Record<string, string>, string[]][] = [
  ["containers.bootc", { "containers.bootc": "1" }, []],
  ["containers.bootc without a value", { "containers.bootc": "" }, []],
  ["ostree.bootable alone", { "ostree.bootable": "false" }, ["notice: Image is missing label: containers.bootc"]],
];

for (const [what, map, notices] of labels) {
  Deno.test(`checkImageConfig() takes ${what}`, () => assertEquals(checkImageConfig(config(map), "amd64"), notices));
}

Deno.test("checkImageConfig() rejects an image without a label", () => {
  const run = () => checkImageConfig(config({ version: "1" }), "amd64");
  assertThrows(run, UserError, "Target image does not have ostree.bootable label");
});

Deno.test("checkImageConfig() rejects another architecture", () => {
  const run = () => checkImageConfig(config({ "containers.bootc": "1" }, "s390x"), "amd64");
  assertThrows(run, UserError, "Image has architecture s390x; expected amd64");
});
