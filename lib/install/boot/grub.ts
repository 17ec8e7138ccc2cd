/** GRUB out of the image itself, for BIOS and UEFI from the same disk; it only differs what it reads the entries from. */
import type { Context } from "../../sys/context.ts";
import { UserError } from "../../sys/errors.ts";
import type { BootFiles, BootLoader, BootPlace, BootTarget } from "./boot_loader.ts";
import { blsConfig, type GrubConfigOptions, syslinuxConfig } from "./grub_config.ts";
import { makeEfi, placeBios, placeEfi, together } from "./grub_place.ts";
import { inDeployment } from "./in_deployment.ts";
import { seedSyslinux } from "./seed.ts";
import { syncAll } from "./sync_all.ts";

abstract class Grub implements BootLoader {
  abstract readonly name: BootLoader["name"];
  abstract readonly ostreeBackend: BootLoader["ostreeBackend"];
  abstract readonly rawKernelArguments: boolean;
  protected abstract config(bootPrefix: BootTarget["bootPrefix"], options: GrubConfigOptions): string;
  /** Modules beside those that all need. */
  protected abstract readonly modules: readonly string[];

  constructor(readonly files: BootFiles) {}

  abstract seed(bootDirectory: string): Promise<void>;

  requirePlace({ biosDisk, esp }: BootPlace): void {
    const { bios, efi } = this.files;
    if (!(bios && biosDisk !== undefined) && !(efi && esp !== undefined)) throw nowhere(this.files);
  }

  /**
   * Its configuration, and the system, are whole and on the disk before what the firmware starts leads there. What UEFI needs is made
   * meanwhile, but put into place only when all else has succeeded.
   */
  async install(ctx: Context, target: BootTarget): Promise<void> {
    this.requirePlace(target);
    using chroot = inDeployment(ctx, target);
    const directory = `${target.root}/boot${target.grubParent ?? ""}/grub`;
    await Deno.mkdir(directory, { recursive: true });
    const bli = target.discoverable === true && this.files.bli;
    await Deno.writeTextFile(`${directory}/grub.cfg`, this.config(target.bootPrefix, { bli }));
    await syncAll(directory);
    const place = { target, chroot, modules: this.modules };
    const { biosDisk, esp } = target;
    const efi = this.files.efi ? esp : undefined;
    await together([
      this.files.bios && biosDisk !== undefined ? placeBios(place, biosDisk) : Promise.resolve(),
      efi ? makeEfi(ctx, place, efi) : Promise.resolve(),
    ]);
    if (efi) await placeEfi(ctx, place, efi);
  }
}

/** A disk that would never boot is no success. */
function nowhere({ bios, efi }: BootFiles): UserError {
  const platforms = [...(bios ? ["BIOS"] : []), ...(efi ? ["UEFI"] : [])].join(" and ");
  return new UserError(`The image has GRUB for ${platforms}, and the disk no partition for it`, {
    hint: "Make a BIOS boot partition or an EFI system partition, or give --bootloader none",
  });
}

/** For a GRUB without `blscfg`. */
export class GrubSyslinux extends Grub {
  readonly name = "grub-syslinux";
  readonly ostreeBackend = "syslinux";
  readonly rawKernelArguments = true;
  protected override readonly config = syslinuxConfig;
  protected readonly modules = ["syslinuxcfg"];

  /**
   * libostree uses this backend where it finds its file, and keeps the first line; without TIMEOUT, GRUB's reader of it makes no menu and
   * stops at its prompt.
   */
  async seed(boot: string): Promise<void> {
    await seedSyslinux(boot, "TIMEOUT 10\n");
  }
}

/** For a GRUB that reads BLS entries: Fedora's, and 2.14. */
export class GrubBls extends Grub {
  readonly name = "grub-bls";
  readonly ostreeBackend = "none";
  readonly rawKernelArguments = false;
  protected override readonly config = blsConfig;
  protected readonly modules: readonly string[];

  constructor(files: BootFiles) {
    super(files);
    this.modules = files.blscfg === undefined ? [] : [files.blscfg];
  }

  seed(): Promise<void> {
    return Promise.resolve();
  }
}
