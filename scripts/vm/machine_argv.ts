/** The emulator's command line for a machine. Pure. */
import type { Qemu } from "./qemu.ts";

/** What starts the boot loader. */
export type Firmware = "bios" | "uefi";

/** What a machine is made of. */
export interface MachineOptions {
  /** Path of a raw disk image. */
  readonly disk: string;
  readonly firmware: Firmware;
  /** 1024 when not given. */
  readonly memoryMiB?: number;
  /** Leaves the disk image as it is: what is written lasts as long as the machine. {@linkcode Machine.save} needs it. */
  readonly snapshot?: boolean;
  /** The disk has a cache that loses, with the power, all that was not flushed; see write_log.ts. Not with `snapshot`. */
  readonly volatileCache?: boolean;
}

/** Files of a machine, in a directory of its own. */
export interface MachineFiles {
  readonly disk: string;
  readonly diskFormat: "raw" | "qcow2";
  /** What the guest writes, on its way to the disk, and the log of it; only with a cache that forgets. */
  readonly overlay: string;
  readonly writeLog: string;
  readonly uefiVariables: string;
  readonly agent: string;
  readonly monitor: string;
  readonly console: string;
}

/** A disk whose writes are flushed nowhere: what we have written survives the emulator, and only that is asked for. */
function driveArgv({ volatileCache }: MachineOptions, files: MachineFiles): string[] {
  const device = "virtio-blk-pci,drive=disk,bootindex=1";
  if (!volatileCache) {
    const drive = `file=${files.disk},if=none,id=disk,format=${files.diskFormat},cache=unsafe,discard=unmap`;
    return ["-drive", drive, "-device", device];
  }
  const cache = { "no-flush": true };
  const file = (filename: string) => ({ driver: "file", filename, cache });
  const below = { driver: "qcow2", file: file(files.overlay), cache };
  const node = { driver: "blklogwrites", "node-name": "disk", file: below, log: file(files.writeLog) };
  // QEMU 10 logs the zeros of a write of zeros apart from its entry, and loses the entry of a merged write of more than 1022 pieces.
  const plain = "discard=off,write-zeroes=off,request-merging=off";
  return ["-blockdev", JSON.stringify(node), "-device", `${device},${plain}`];
}

/** The emulator's command line; pure. */
export function machineArgv(qemu: Qemu, options: MachineOptions, files: MachineFiles): [string, ...string[]] {
  const { code } = qemu.uefi;
  // deno-fmt-ignore
  const uefi = [
    "-drive", `if=pflash,format=raw,readonly=on,file=${code}`,
    "-drive", `if=pflash,format=raw,file=${files.uefiVariables}`,
  ];
  // deno-fmt-ignore
  return [
    ...qemu.argv("qemu-system-x86_64"), ...qemu.firmwareArgv(),
    "-accel", "tcg,tb-size=256",
    "-machine", "q35",
    "-cpu", "qemu64,-cx16,-svm,+ssse3,+sse4.1,+sha-ni",
    "-smp", "1",
    "-m", String(options.memoryMiB ?? 1024),
    "-nodefaults", "-no-user-config",
    "-display", "none",
    "-device", "virtio-rng-pci",
    ...driveArgv(options, files),
    "-netdev", "user,id=net",
    "-device", "virtio-net-pci,netdev=net,romfile=",
    "-chardev", `file,id=console,path=${files.console},append=on`,
    "-serial", "chardev:console",
    "-qmp", `unix:${files.monitor},server=on,wait=off`,
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=agent,path=${files.agent},server=on,wait=off`,
    "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
    ...(options.firmware === "uefi" ? uefi : []),
  ];
}
