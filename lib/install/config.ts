/**
 * What an image, and the machine that it is installed from, say of an installation: `bootc/install/*.toml` in four directories.
 * Source: formats.md 3.10, rows I5 and I12.
 */
import { byName, kargsArchitecture, type ReadDirectory } from "../host/kargs.ts";
import { UserError } from "../sys/errors.ts";
import type { InstallSettings } from "./config_file.ts";

/** File systems that the root may have. */
export const ROOT_FILE_SYSTEMS = ["xfs", "ext4", "btrfs"] as const;
/** What lies between the disk and the root's file system. */
export const BLOCK_SETUPS = ["direct", "tpm2-luks"] as const;
/** Boot loaders that may be installed. */
export const BOOTLOADERS = ["grub", "grub-cc", "systemd", "none"] as const;

export type RootFileSystem = (typeof ROOT_FILE_SYSTEMS)[number];
export type BlockSetup = (typeof BLOCK_SETUPS)[number];
export type Bootloader = (typeof BOOTLOADERS)[number];

/** All files in one. What no file sets is not there. */
export interface InstallConfig {
  /** `filesystem.root.type`, else `root-fs-type`. */
  readonly rootFsType?: RootFileSystem;
  /** The setups that may be chosen, the default first; absent only where nothing at all is configured, which allows every one. */
  readonly block?: readonly BlockSetup[];
  /** As written, of all files: an item may hold several arguments. */
  readonly kargs: readonly string[];
  readonly kargDeletes: readonly string[];
  readonly stateroot?: string;
  /** Source of the root's mount (`UUID=...`, `LABEL=...`); "" leaves `root=` out. */
  readonly rootMountSpec?: string;
  /** Source of the mount of /boot; "" leaves `boot=` and the line in /etc/fstab out. */
  readonly bootMountSpec?: string;
  readonly bootloader?: Bootloader;
  readonly bootupdSkipBootUuid?: boolean;
  /** The root is found by the type of its partition, and `root=` left out. */
  readonly discoverablePartitions?: boolean;
  /** A signature policy that accepts anything is refused. */
  readonly enforceContainerSigpolicy?: boolean;
  /** Value of ostree's `sysroot.bls-append-except-default`. */
  readonly blsAppendExceptDefault?: string;
}

/** Where there is no file at all. */
export const NO_CONFIG: InstallConfig = { kargs: [], kargDeletes: [] };

/** Where the files are, from the root; what is in a later one goes before a file of the same name in an earlier one. */
export const INSTALL_DIRECTORIES = ["usr/lib", "usr/local/lib", "etc", "run"].map((base) => `${base}/bootc/install`);

/** For whom the configuration is read. */
export interface InstallConfigOptions {
  /** Files for others only are passed over; this machine's where it is not given. */
  readonly architecture?: string;
  /** Takes a line about each key that is ignored. */
  readonly warn?: (line: string) => void;
}

/**
 * The files in order of their names, whichever directory they are in; later ones win, and lists of kernel arguments append. The reader is
 * asked for each of {@linkcode INSTALL_DIRECTORIES}; one over an ostree commit finds `etc` in `usr/etc`. An empty file masks one of the same
 * name in an earlier directory.
 * @throws {UserError} naming the file that cannot be read
 */
export async function readInstallConfig(
  readDirectory: ReadDirectory,
  { architecture = kargsArchitecture(), warn = () => {} }: InstallConfigOptions = {},
): Promise<InstallConfig> {
  const files = await findFiles(readDirectory);
  if (files.length === 0) return NO_CONFIG;
  const { parseInstallFile } = await import("./config_file.ts");
  let merged: InstallSettings | undefined;
  for (const { path, text } of files) {
    const { settings, ignored } = reading(path, () => parseInstallFile(text));
    for (const key of ignored) warn(`warning: "${path}": Unknown key ${key}`);
    const meant = settings?.matchArchitectures?.includes(architecture) ?? true;
    if (settings && meant) merged = merge(merged ?? {}, settings);
  }
  return configOf(merged);
}

async function findFiles(readDirectory: ReadDirectory): Promise<{ path: string; text: string }[]> {
  const files = new Map<string, { path: string; text: string }>();
  for (const directory of INSTALL_DIRECTORIES) {
    for (const [name, text] of await readDirectory(directory)) {
      const hidden = name.startsWith(".");
      if (name.endsWith(".toml") && !hidden) files.set(name, { path: `/${directory}/${name}`, text });
    }
  }
  return [...files].sort(byName).map(([, file]) => file);
}

function reading<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UserError(`Cannot read the install configuration "${path}"`, {
      cause,
      hint: "Mend the file, or put one of the same name into a directory that goes before it: " +
        INSTALL_DIRECTORIES.map((directory) => `/${directory}`).toReversed().join(", "),
    });
  }
}

function merge(before: InstallSettings, after: InstallSettings): InstallSettings {
  return {
    ...before,
    ...after,
    kargs: [...before.kargs ?? [], ...after.kargs ?? []],
    kargDeletes: [...before.kargDeletes ?? [], ...after.kargDeletes ?? []],
  };
}

function configOf(merged: InstallSettings | undefined): InstallConfig {
  const { filesystemRootType, rootFsType, matchArchitectures: _, ...rest } = merged ?? {};
  const type = filesystemRootType ?? rootFsType;
  return {
    ...(merged === undefined ? {} : { block: ["direct"] }),
    kargs: [],
    kargDeletes: [],
    ...rest,
    ...(type === undefined ? {} : { rootFsType: type }),
  };
}

/**
 * The setup to use: the one that was asked for, else the first that is enabled.
 * @throws {UserError} when none is enabled, or not this one
 */
export function chooseBlockSetup({ block }: InstallConfig, wanted: BlockSetup | undefined): BlockSetup {
  if (block === undefined) return wanted ?? "direct";
  const [first] = block;
  if (first === undefined) throw new UserError("The install configuration enables no block setup");
  if (wanted === undefined || block.includes(wanted)) return wanted ?? first;
  throw new UserError(`Block setup "${wanted}" is not enabled in the install configuration`, {
    hint: `Enabled: ${block.join(", ")}`,
  });
}

/**
 * Nothing encrypts a disk yet, and one that was to be encrypted is not made without.
 * @throws {UserError}
 */
export function requireDirect(setup: BlockSetup): void {
  if (setup === "direct") return;
  throw new UserError(`Block setup "${setup}" cannot be made yet`, {
    hint:
      "Encrypt the disk with cryptsetup and systemd-cryptenroll, and use `bootc install to-filesystem`; nothing was changed",
  });
}
