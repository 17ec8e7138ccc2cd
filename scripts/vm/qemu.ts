/** QEMU of a known version, unpacked from Debian's packages into the cache: it runs from there, and nothing of it is installed. */
import type { Context } from "../../lib/sys/context.ts";
import { extractRoot, SUITE } from "../debian/root.ts";
import { keptDirectory, keyOf } from "../kept.ts";

/** The emulator and its firmware. Version 7.2, which Debian 12 has, let one boot in ten fail without a processor's help. */
const PACKAGES = ["qemu-system-x86", "qemu-utils", "seabios", "ovmf"];

/** Programs and firmware in the cache. */
export class Qemu {
  private constructor(readonly root: string) {}

  /** Fetches it where it is not in the cache yet: a quarter of a minute. */
  static async find(ctx: Context): Promise<Qemu> {
    const make = (directory: string) => extractRoot(ctx, `${directory}/root`, PACKAGES);
    const kept = await keptDirectory(ctx, { name: "qemu", key: await keyOf([SUITE, ...PACKAGES]), make });
    return new Qemu(`${kept}/root`);
  }

  /** The words that start one of its programs with the libraries it was made for; pure. */
  argv(program: string): [string, ...string[]] {
    const libraries = `${this.root}/usr/lib/x86_64-linux-gnu`;
    return [`${libraries}/ld-linux-x86-64.so.2`, "--library-path", libraries, `${this.root}/usr/bin/${program}`];
  }

  /** Options of the emulator that say where its firmware lies; pure. */
  firmwareArgv(): string[] {
    return ["qemu", "seabios"].flatMap((name) => ["-L", `${this.root}/usr/share/${name}`]);
  }

  /** UEFI's code, which is only read, and the variables that a new machine starts with. */
  get uefi(): { code: string; variables: string } {
    const directory = `${this.root}/usr/share/OVMF`;
    return { code: `${directory}/OVMF_CODE_4M.fd`, variables: `${directory}/OVMF_VARS_4M.fd` };
  }
}
