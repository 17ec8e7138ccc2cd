/** Loop devices: the part of libc for a file as a block device. Source: linux/loop.h, loop(4); LOOP_CONFIGURE is there since Linux 5.8. */
import { Descriptor } from "./descriptor.ts";
import { AT_FDCWD, O_RDWR, openat } from "./libc.ts";
import { c, cstr, errno, fail, LibcError } from "./libc_table.ts";

const LOOP_CTL_GET_FREE = 0x4C82n, LOOP_CONFIGURE = 0x4C0An;
const LO_FLAGS_AUTOCLEAR = 4, LO_FLAGS_PARTSCAN = 8;
const EBUSY = 16;

/** struct loop_config: fd 0, block_size 4, info 8 (struct loop_info64, whose lo_flags are at 52), reserved; 304 bytes everywhere */
const CONFIG_BYTES = 304, FLAGS_AT = 8 + 52;

/** Others may take the device that was free a moment ago. */
const ATTEMPTS = 100;

/** A loop device that lasts as long as it is open here, or something of it is mounted or open elsewhere. */
export interface AttachedLoop extends Disposable {
  /** `/dev/loop0` */
  readonly path: string;
}

/**
 * Attaches a file, to be read and written. The kernel detaches it, and forgets its partitions, when the last user is gone: whatever ends this
 * process, at any moment.
 * @throws {LibcError} also where there are no loop devices, as in a container without privileges
 */
export function attachLoopDevice(file: string): AttachedLoop {
  using control = new Descriptor(openat(AT_FDCWD, cstr("/dev/loop-control"), O_RDWR));
  using backing = new Descriptor(openat(AT_FDCWD, cstr(file), O_RDWR));
  const config = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(config.buffer);
  view.setUint32(0, backing.fd, true);
  view.setUint32(FLAGS_AT, LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, true);
  for (let attempt = 1;; attempt++) {
    const index = c.ioctl(control.fd, LOOP_CTL_GET_FREE, null);
    if (index < 0) fail("LOOP_CTL_GET_FREE");
    const path = `/dev/loop${index}`;
    const device = new Descriptor(openat(AT_FDCWD, cstr(path), O_RDWR));
    if (c.ioctl(device.fd, LOOP_CONFIGURE, config) === 0) {
      return {
        path,
        [Symbol.dispose]: () => device[Symbol.dispose](),
      };
    }
    const error = new LibcError(`LOOP_CONFIGURE of "${path}"`, errno());
    device[Symbol.dispose]();
    if (error.errno !== EBUSY || attempt === ATTEMPTS) throw error;
  }
}
