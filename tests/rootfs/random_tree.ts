/** Trees with whatever an image may hold, from a seed; made as root. */
import {
  AT_FDCWD,
  type Bytes,
  close,
  cstr,
  fchmod,
  fchown,
  lchownat,
  linkat,
  lsetxattr,
  mkdirat,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  openat,
  symlinkat,
  writeAll,
} from "../../lib/sys/libc.ts";
import { binaryString, fromBinaryString } from "../../lib/ostree/objects.ts";
import type { Random } from "../codec/random.ts";

const S = (path: string): Bytes => fromBinaryString(`${path}\0`);
const MODES = [0o644, 0o755, 0o600, 0o000, 0o4755, 0o2755, 0o1777, 0o444];
const IDS = [0, 0, 1000, 65534, 2_097_152, 4_000_000_000];

/** Any bytes but `/` and NUL, sometimes as long as a name may be. */
function anyName(random: Random): string {
  if (random.once(12)) return "n".repeat(200 + random.below(50)) + random.below(100000);
  const bytes = new Uint8Array(1 + random.below(10)).map(() => 1 + random.below(255));
  const name = binaryString(bytes).replaceAll("/", "_");
  return /^\.\.?$/.test(name) ? "dots" : name;
}

function addXattrs(random: Random, path: string, plain: boolean): void {
  for (let count = random.below(3); count > 0; count--) {
    const name = `trusted.${random.once(4) && !plain ? "a=b%3D" : ""}${random.below(1000)}`;
    lsetxattr(S(path), cstr(name), random.bytes(random.once(5) ? 1500 : random.below(40)));
  }
}

/** Fills an existing directory; names of attributes are `plain` where a reader does not know what GNU tar writes for an equals sign. */
export function makeRandomTree(random: Random, root: string, { plain = false } = {}): void {
  const directories = [root];
  const files: string[] = [];
  for (let count = 150; count > 0; count--) {
    const path = `${directories[random.below(directories.length)]}/${anyName(random)}`;
    const kind = random.below(10);
    try {
      if (kind < 3) {
        mkdirat(AT_FDCWD, S(path), 0o755) && directories.push(path);
      } else if (kind < 5) {
        symlinkat(S(random.once(4) ? "t".repeat(150) : anyName(random)), AT_FDCWD, S(path));
        lchownat(AT_FDCWD, S(path), random.below(2000), 7);
      } else if (kind === 5 && files.length > 0) {
        linkat(AT_FDCWD, S(files[random.below(files.length)]!), AT_FDCWD, S(path));
      } else {
        makeFile(random, path);
        files.push(path);
      }
      if (kind !== 5) addXattrs(random, path, plain);
    } catch (error) {
      // Another name took the place, or the path became too long.
      if (!(error instanceof Error && /File exists|too long/.test(error.message))) throw error;
    }
  }
}

function makeFile(random: Random, path: string): void {
  const fd = openat(AT_FDCWD, S(path), O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    writeAll(fd, random.bytes(random.once(10) ? 600_000 : random.below(3) * 512 + random.below(2)));
    fchown(fd, IDS[random.below(IDS.length)]!, IDS[random.below(IDS.length)]!);
    fchmod(fd, MODES[random.below(MODES.length)]!);
  } finally {
    close(fd);
  }
}
