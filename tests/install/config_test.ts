import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BlockSetup,
  chooseBlockSetup,
  type InstallConfig,
  type InstallConfigOptions,
  readInstallConfig,
} from "../../lib/install/config.ts";
import { UserError } from "../../lib/sys/errors.ts";

/** Reads files by their paths from the root. */
function read(files: Record<string, string>, options: InstallConfigOptions = {}): Promise<InstallConfig> {
  return readInstallConfig((directory) => {
    const found = Object.entries(files).filter(([path]) => path.slice(0, path.lastIndexOf("/")) === directory);
    return Promise.resolve(found.map(([path, text]) => [path.slice(directory.length + 1), text]));
  }, { architecture: "x86_64", ...options });
}

const IMAGE = "usr/lib/bootc/install";
const LOCAL = "usr/local/lib/bootc/install";
const ETC = "etc/bootc/install";
const RUN = "run/bootc/install";
const NOTHING = { kargs: [], kargDeletes: [] };
const SET = { ...NOTHING, block: ["direct"] as const };

/** Of the reference's tests, with others between them. */
const rows: { what: string; files: Record<string, string>; config: InstallConfig }[] = [
  { what: "nothing where there is no file", files: {}, config: NOTHING },
  { what: "nothing from a file without a table", files: { [`${IMAGE}/a.toml`]: "# empty\n" }, config: NOTHING },
  { what: "the default block setup", files: { [`${IMAGE}/a.toml`]: "[install]\n" }, config: SET },
  {
    what: "every key",
    files: {
      [`${IMAGE}/a.toml`]: `[install]
root-fs-type = "xfs"
block = ["tpm2-luks", "direct"]
kargs = ["console=ttyS0", "foo=bar baz"]
karg-deletes = ["debug"]
match-architectures = ["s390x", "x86_64"]
stateroot = "custom"
root-mount-spec = "LABEL=rootfs"
boot-mount-spec = "UUID=abcd-1234"
bootloader = "grub-cc"
discoverable-partitions = true
enforce-container-sigpolicy = false
[install.bootupd]
skip-boot-uuid = true
[install.ostree]
bls-append-except-default = 'grub_users=""'
`,
    },
    config: {
      rootFsType: "xfs",
      block: ["tpm2-luks", "direct"],
      kargs: ["console=ttyS0", "foo=bar baz"],
      kargDeletes: ["debug"],
      stateroot: "custom",
      rootMountSpec: "LABEL=rootfs",
      bootMountSpec: "UUID=abcd-1234",
      bootloader: "grub-cc",
      discoverablePartitions: true,
      enforceContainerSigpolicy: false,
      bootupdSkipBootUuid: true,
      blsAppendExceptDefault: 'grub_users=""',
    },
  },
  {
    what: "the later value of a key",
    files: {
      [`${IMAGE}/1.toml`]: `[install]\nroot-fs-type = "xfs"\nstateroot = "a"\nblock = ["direct"]`,
      [`${IMAGE}/2.toml`]: `[install]\nroot-fs-type = "ext4"\nblock = ["tpm2-luks"]`,
    },
    config: { ...SET, rootFsType: "ext4", stateroot: "a", block: ["tpm2-luks"] },
  },
  {
    what: "kernel arguments of all files",
    files: {
      [`${IMAGE}/1.toml`]: `[install]\nkargs = ["console=ttyS0", "foo=bar"]\nkarg-deletes = ["debug", "bar=baz"]`,
      [`${IMAGE}/2.toml`]: `[install]\nkargs = ["console=tty0", "nosmt"]\nkarg-deletes = ["baz", "bar=baz"]`,
    },
    config: {
      ...SET,
      kargs: ["console=ttyS0", "foo=bar", "console=tty0", "nosmt"],
      kargDeletes: ["debug", "bar=baz", "baz", "bar=baz"],
    },
  },
  {
    what: "filesystem.root.type before root-fs-type, whichever came later",
    files: {
      [`${IMAGE}/1.toml`]: `[install.filesystem.root]\ntype = "btrfs"`,
      [`${IMAGE}/2.toml`]: `[install]\nroot-fs-type = "ext4"`,
    },
    config: { ...SET, rootFsType: "btrfs" },
  },
  {
    what: "the same keys in dotted form",
    files: { [`${IMAGE}/1.toml`]: `install.filesystem.root.type = "btrfs"\ninstall.bootupd.skip-boot-uuid = false` },
    config: { ...SET, rootFsType: "btrfs", bootupdSkipBootUuid: false },
  },
  {
    what: "files in the order of their names, not of their directories",
    files: {
      [`${RUN}/10.toml`]: `[install]\nkargs = ["run"]`,
      [`${ETC}/20.toml`]: `[install]\nkargs = ["etc"]`,
      [`${LOCAL}/9.toml`]: `[install]\nkargs = ["local"]`,
      [`${IMAGE}/15.toml`]: `[install]\nkargs = ["image"]`,
    },
    config: { ...SET, kargs: ["run", "image", "etc", "local"] },
  },
  {
    what: "one file of a name, from the later directory",
    files: {
      [`${IMAGE}/10.toml`]: `[install]\nkargs = ["image"]\nstateroot = "image"`,
      [`${LOCAL}/10.toml`]: `[install]\nkargs = ["local"]`,
      [`${ETC}/10.toml`]: `[install]\nkargs = ["etc"]`,
      [`${RUN}/10.toml`]: `[install]\nkargs = ["run"]`,
    },
    config: { ...SET, kargs: ["run"] },
  },
  {
    what: "nothing from a broken file that is masked",
    files: { [`${IMAGE}/10.toml`]: `nonsense`, [`${ETC}/10.toml`]: "" },
    config: NOTHING,
  },
  {
    what: "only .toml files that are not hidden",
    files: { [`${IMAGE}/a.conf`]: "nonsense", [`${IMAGE}/README`]: "nonsense", [`${IMAGE}/.a.toml`]: "nonsense" },
    config: NOTHING,
  },
  {
    what: "no file for another architecture",
    files: {
      [`${IMAGE}/1.toml`]: `[install]\nkargs = ["a"]\nmatch-architectures = ["aarch64"]`,
      [`${IMAGE}/2.toml`]: `[install]\nkargs = ["b"]\nmatch-architectures = ["x86_64", "aarch64"]`,
      [`${IMAGE}/3.toml`]: `[install]\nkargs = ["c"]\nmatch-architectures = []`,
    },
    config: { ...SET, kargs: ["b"] },
  },
  {
    what: "files for others alone as nothing",
    files: { [`${IMAGE}/1.toml`]: `[install]\nmatch-architectures = ["aarch64"]` },
    config: NOTHING,
  },
  {
    what: "empty mount specifications",
    files: { [`${IMAGE}/1.toml`]: `[install]\nroot-mount-spec = ""\nboot-mount-spec = ""` },
    config: { ...SET, rootMountSpec: "", bootMountSpec: "" },
  },
];

for (const { what, files, config } of rows) {
  Deno.test(`readInstallConfig() reads ${what} (I5)`, async () => assertEquals(await read(files), config));
}

const wrong: [what: string, text: string, cause: string][] = [
  [
    "text that is no TOML, with its line",
    `[install]\nkargs = ["a"\nblock = 1`,
    "Parse error on line 3, column 0: Array is not closed",
  ],
  ["an unknown key at the top", `instal = 1`, `Line 1: Key "instal" is not known`],
  ["an unknown table", `[uninstall]\nkargs = []`, `Line 1: Key "uninstall" is not known`],
  ["an unknown key", `[install]\nkargz = []`, `Line 2: Key "install.kargz" is not known`],
  [
    "an unknown key of a file system",
    `[install.filesystem.boot]\ntype = "xfs"`,
    `Line 1: Key "install.filesystem.boot" is not known`,
  ],
  ["an unknown key of bootupd", `[install.bootupd]\nx = 1`, `Line 2: Key "install.bootupd.x" is not known`],
  [
    "a name with dots",
    `[install]\n"bootupd.skip-boot-uuid" = true`,
    `Line 2: Key "install."bootupd.skip-boot-uuid"" is not known`,
  ],
  ["a name that every object has", `[install]\nconstructor = 1`, `Line 2: Key "install.constructor" is not known`],
  ["__proto__", `[install.__proto__]\nkargs = ["a"]`, `Line 1: Key "install.__proto__" is not known`],
  ["a text for a table", `install = "a"`, `Line 1: Key "install" is "a", expected a table`],
  [
    "a list of tables",
    `[[install]]\nstateroot = "a"`,
    `Line 1: Key "install" is [{"stateroot":"a"}], expected a table`,
  ],
  [
    "a file system that there is not",
    `[install]\nroot-fs-type = "fat"`,
    `Line 2: Key "install.root-fs-type" is "fat", expected one of "xfs", "ext4", "btrfs"`,
  ],
  [
    "a text for a list",
    `[install]\nkargs = "a"`,
    `Line 2: Key "install.kargs" is "a", expected a list of texts without control characters`,
  ],
  [
    "a line break in a kernel argument",
    `[install]\nkargs = ["a\\nlinux /x"]`,
    `Line 2: Key "install.kargs" is ["a\\nlinux /x"], expected a list of texts without control characters`,
  ],
  [
    "a block setup that there is not",
    `[install]\nblock = ["raid"]`,
    `Line 2: Key "install.block" is ["raid"], expected a list of "direct", "tpm2-luks"`,
  ],
  [
    "a boot loader that there is not",
    `[install]\nbootloader = "lilo"`,
    `Line 2: Key "install.bootloader" is "lilo", expected one of "grub", "grub-cc", "systemd", "none"`,
  ],
  [
    "a number for a switch",
    `[install]\ndiscoverable-partitions = 1`,
    `Line 2: Key "install.discoverable-partitions" is 1, expected true or false`,
  ],
  ["a stateroot that is a path", `[install]\nstateroot = "../x"`, `"../x" is no name for a stateroot`],
  ["a stateroot that is no text", `[install]\nstateroot = 1`, `Line 2: Key "install.stateroot" is 1, expected a text`],
];

for (const [what, text, cause] of wrong) {
  Deno.test(`readInstallConfig() refuses ${what}`, async () => {
    const error = await assertRejects(() => read({ [`${ETC}/10-a.toml`]: text }), UserError);
    assertEquals(error.message, `Cannot read the install configuration "/etc/bootc/install/10-a.toml"`);
    assertEquals((error.cause as Error).message, cause);
  });
}

Deno.test("readInstallConfig() warns of unknown keys for ostree, and goes on", async () => {
  const lines: string[] = [];
  const file = `[install.ostree]\nnew = 1\nbls-append-except-default = "a"\n[install.ostree.more]\nx = 1`;
  assertEquals(await read({ [`${IMAGE}/a.toml`]: file }, { warn: (line) => lines.push(line) }), {
    ...SET,
    blsAppendExceptDefault: "a",
  });
  assertEquals(lines, [
    `warning: "/usr/lib/bootc/install/a.toml": Unknown key install.ostree.new`,
    `warning: "/usr/lib/bootc/install/a.toml": Unknown key install.ostree.more`,
  ]);
});

const choices: [block: readonly BlockSetup[] | undefined, wanted: BlockSetup | undefined, chosen: BlockSetup][] = [
  [undefined, undefined, "direct"],
  [undefined, "tpm2-luks", "tpm2-luks"],
  [["direct"], undefined, "direct"],
  [["tpm2-luks"], undefined, "tpm2-luks"],
  [["tpm2-luks", "direct"], "direct", "direct"],
];

for (const [block, wanted, chosen] of choices) {
  Deno.test(`chooseBlockSetup() takes ${chosen} where ${block ?? "nothing"} is configured and ${wanted ?? "none"} wanted`, () => {
    assertEquals(chooseBlockSetup({ ...NOTHING, ...(block ? { block } : {}) }, wanted), chosen);
  });
}

Deno.test("chooseBlockSetup() refuses what is not enabled", () => {
  const error = assertThrows(() => chooseBlockSetup({ ...NOTHING, block: ["tpm2-luks"] }, "direct"), UserError);
  assertEquals([error.message, error.hint], [
    `Block setup "direct" is not enabled in the install configuration`,
    "Enabled: tpm2-luks",
  ]);
  assertThrows(() => chooseBlockSetup({ ...NOTHING, block: [] }, "direct"), UserError, "enables no block setup");
});
