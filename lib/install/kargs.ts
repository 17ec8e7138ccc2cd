/** The kernel arguments that an installed host starts with. Source: row I5; after that, updates change them as `lib/host/kargs.ts` says. */
import { isBootable } from "../host/kargs.ts";
import { splitKernelArguments } from "../ostree/deployment.ts";
import { UserError } from "../sys/errors.ts";
import { requireMountSource } from "./mount_source.ts";

/** Where arguments come from, in their order; an item of a list may hold several. */
export interface InstallKargs {
  /** Source of the root file system; "" where the initramfs finds it by itself. */
  readonly rootMountSpec: string;
  /** What else finds the root, such as rootflags= and rd.luks.uuid=; none when not given. */
  readonly root?: readonly string[];
  /** Source of /boot; undefined or "" where that is no file system of its own, or nobody should know. */
  readonly bootMountSpec: string | undefined;
  /** Of the install configuration. */
  readonly config: readonly string[];
  /** Of the image's kargs.d. */
  readonly kargsD: readonly string[];
  /** `NAME` takes every argument of that name out, `NAME=VALUE` only those with that value; nothing of `cli`. */
  readonly deletes: readonly string[];
  /** Of the command line. */
  readonly cli: readonly string[];
}

/**
 * All of them: root=, rw and boot=, then the configuration, kargs.d and the command line. An argument that is there already is not added.
 * @throws {UserError} when one cannot stand in a boot entry
 */
export function installKargs(from: InstallKargs): string[] {
  const { rootMountSpec, bootMountSpec } = from;
  const mounts = [
    ...(rootMountSpec === "" ? [] : [`root=${requireMountSource(rootMountSpec)}`]),
    ...(from.root ?? []).flatMap(checked),
    "rw",
    ...(bootMountSpec ? [`boot=${requireMountSource(bootMountSpec)}`] : []),
  ];
  const kept = deleteKargs(addKargs(mounts, [...from.config, ...from.kargsD]), from.deletes);
  return addKargs(kept, from.cli);
}

/**
 * For boot loaders that hand arguments to GRUB's script as they are, where some characters end a command, expand or vanish. Source: the GRUB
 * manual, "Quoting".
 * @throws {UserError} naming the argument
 */
export function refuseUnsafeKargs(kargs: readonly string[]): void {
  for (const karg of kargs) {
    const [unsafe] = /[$;&|<>{}#\\"'\r\n]/.exec(karg) ?? [];
    if (unsafe === undefined) continue;
    throw new UserError(
      `Kernel argument ${JSON.stringify(karg)} holds ${JSON.stringify(unsafe)}, which GRUB would interpret`,
      {
        hint: "Leave it out, in the image or on the command line, or use an image whose GRUB reads boot entries itself",
      },
    );
  }
}

/** Arguments with those items behind them that are not there yet. @throws {UserError} */
export function addKargs(before: readonly string[], items: readonly string[]): string[] {
  const result = [...before];
  const there = new Set(before.map(sameness));
  for (const karg of items.flatMap(checked)) {
    if (there.has(sameness(karg))) continue;
    there.add(sameness(karg));
    result.push(karg);
  }
  return result;
}

/** @throws {UserError} */
function checked(item: string): string[] {
  if (isBootable(item)) return splitKernelArguments(item);
  throw new UserError(`Kernel argument ${JSON.stringify(item)} holds a control character`);
}

/** Arguments without those of a name, or `NAME=VALUE`. */
export function deleteKargs(kargs: readonly string[], deletes: readonly string[]): string[] {
  const gone = new Set(deletes.flatMap(splitKernelArguments).map(sameness));
  return kargs.filter((karg) => !gone.has(sameness(karg)) && !gone.has(nameOf(karg)));
}

/** The kernel tells neither quotes nor `-` from `_` in a name (kernel/params.c: next_arg, parameq). */
function sameness(karg: string): string {
  return karg.replaceAll('"', "").replace(/^[^=]*/, (name) => name.replaceAll("-", "_"));
}

function nameOf(karg: string): string {
  return sameness(karg).split("=", 1)[0]!;
}
