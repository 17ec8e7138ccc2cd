import { assertEquals, assertThrows } from "@std/assert";
import { parseSizeMiB, type PartitionRequest, partitionTable } from "../../lib/install/partition_table.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { hasProgram } from "../has_program.ts";
import { tempDir } from "../temp.ts";

const BIOS = "21686148-6449-6E6F-744E-656564454649";
const ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
const ROOT_X86_64 = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
const ROOT_AARCH64 = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE";

/** 4 GiB, of which the first MiB and a little at the end are the table's. */
const DISK_MIB = 4096;
const SECTORS_PER_MIB = 2048;

interface Row {
  readonly what: string;
  readonly request: PartitionRequest;
  readonly numbers: [esp: number, boot: number | undefined, root: number];
  /** As sfdisk reads them back; a size in MiB, rounded down. */
  readonly partitions: [name: string, type: string, sizeMiB: number][];
}

const rows: Row[] = [
  {
    what: "x86_64",
    request: { architecture: "x86_64" },
    numbers: [2, undefined, 3],
    partitions: [
      ["BIOS-BOOT", BIOS, 1],
      ["EFI-SYSTEM", ESP, 512],
      ["root", ROOT_X86_64, DISK_MIB - 1 - 1 - 512 - 1],
    ],
  },
  {
    what: "aarch64",
    request: { architecture: "aarch64" },
    numbers: [1, undefined, 2],
    partitions: [["EFI-SYSTEM", ESP, 512], ["root", ROOT_AARCH64, DISK_MIB - 1 - 512 - 1]],
  },
  {
    what: "/boot of its own, and a root of a given size",
    request: { architecture: "x86_64", withBootPartition: true, rootSizeMiB: 1024 },
    numbers: [2, 3, 4],
    partitions: [
      ["BIOS-BOOT", BIOS, 1],
      ["EFI-SYSTEM", ESP, 512],
      ["boot", LINUX, 510],
      ["root", ROOT_X86_64, 1024],
    ],
  },
  {
    what: "a large EFI partition",
    request: { architecture: "aarch64", espSizeMiB: 1024, rootSizeMiB: 512 },
    numbers: [1, undefined, 2],
    partitions: [["EFI-SYSTEM", ESP, 1024], ["root", ROOT_AARCH64, 512]],
  },
];

const ctx = plainContext(Deno.env.toObject());
const hasSfdisk = await hasProgram("sfdisk");

/** What sfdisk makes of a table. */
async function partitionsOf(text: string): Promise<unknown[]> {
  await using tmp = await tempDir();
  const disk = `${tmp.path}/disk`;
  await Deno.writeFile(disk, new Uint8Array());
  await Deno.truncate(disk, DISK_MIB * 1024 ** 2);
  await run(ctx, ["sfdisk", "--quiet", disk], { stdin: new TextEncoder().encode(text) });
  const { partitiontable } = JSON.parse(await capture(ctx, ["sfdisk", "--json", disk]));
  assertEquals(partitiontable.label, "gpt");
  const found: { name: string; type: string; size: number }[] = partitiontable.partitions;
  return found.map(({ name, type, size }) => [name, type, Math.floor(size / SECTORS_PER_MIB)]);
}

for (const { what, request, numbers, partitions } of rows) {
  Deno.test({
    name: `partitionTable() divides a disk for ${what}, as sfdisk reads it (I1)`,
    ignore: !hasSfdisk,
    fn: async () => {
      const { text, espNumber, bootNumber, rootNumber } = partitionTable(request);
      assertEquals([espNumber, bootNumber, rootNumber], numbers);
      assertEquals(await partitionsOf(text), partitions);
    },
  });
}

Deno.test("partitionTable() gives a script for sfdisk", () => {
  assertEquals(
    partitionTable({ architecture: "x86_64", rootSizeMiB: 20480 }).text,
    `label: gpt
size=1MiB, bootable, type=${BIOS}, name="BIOS-BOOT"
size=512MiB, type=${ESP}, name="EFI-SYSTEM"
size=20480MiB, type=${ROOT_X86_64}, name="root"
`,
  );
});

for (const rootSizeMiB of [0, 10, 511]) {
  Deno.test(`partitionTable() refuses a root of ${rootSizeMiB} MiB`, () => {
    const error = assertThrows(() => partitionTable({ architecture: "x86_64", rootSizeMiB }), UserError);
    assertEquals(error.message, `A root partition of ${rootSizeMiB} MiB is too small, expected at least 512`);
  });
}

for (const architecture of ["riscv64", "amd64", "constructor", ""]) {
  Deno.test(`partitionTable() refuses the architecture "${architecture}"`, () => {
    const error = assertThrows(() => partitionTable({ architecture }), UserError);
    assertEquals(error.message, `Cannot divide a disk for the architecture "${architecture}"`);
  });
}

const sizes: [text: string, sizeMiB: number][] = [
  ["0", 0],
  ["9", 9],
  ["10", 10],
  ["1024", 1024],
  ["0M", 0],
  ["10M", 10],
  ["10MiB", 10],
  ["1G", 1024],
  ["9G", 9216],
  ["2GiB", 2048],
  ["11T", 11 * 1024 * 1024],
  ["1TiB", 1024 * 1024],
];

for (const [text, sizeMiB] of sizes) {
  Deno.test(`parseSizeMiB() reads ${text}`, () => assertEquals(parseSizeMiB(text), sizeMiB));
}

for (
  const text of [
    "",
    "G",
    "10 G",
    "10K",
    "10g",
    "10MB",
    "1.5G",
    "-1",
    "+1",
    "0x10",
    "1e3",
    "10Gx",
    "10G ",
    "10G\n",
    "M10",
  ]
) {
  Deno.test(`parseSizeMiB() refuses ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => parseSizeMiB(text), SyntaxError);
    assertEquals(error.message, `Size "${text}" is no number with M, G or T, such as 20G`);
  });
}

for (const text of ["8192T", "99999999999999999999", `${"9".repeat(400)}M`]) {
  Deno.test(`parseSizeMiB() refuses the ${text.length} characters of ${text.slice(0, 20)} as too large`, () => {
    assertThrows(() => parseSizeMiB(text), RangeError, "is more than a disk can have");
  });
}
