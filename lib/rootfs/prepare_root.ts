/** How the root directory of a root's running system is made. */
import { parsePrepareRoot, type RootOverlay } from "../container/prepare_root.ts";
import { utf8Text } from "../host/utf8.ts";
import type { Bytes } from "../sys/libc.ts";
import type { Root } from "./root.ts";

/** From the root, or from /etc or /usr/lib. */
export const CONFIG = "ostree/prepare-root.conf";

/** The first of both; the running system looks no further either. */
function readConfig(root: Root, prefix: string): Bytes | undefined {
  return root.readFile(`${prefix}etc/${CONFIG}`) ?? root.readFile(`${prefix}usr/lib/${CONFIG}`);
}

/** Whether there is one, readable or not. @throws {UserError} when it may not be read */
export function hasRootConfig(root: Root, prefix: string): boolean {
  return readConfig(root, prefix) !== undefined;
}

/**
 * The configuration of the tree below `prefix` (with a slash at its end); undefined where there is none.
 * @throws {UserError} when it may not be read @throws {SyntaxError} when it is no key file
 */
export function readRootOverlay(root: Root, prefix = ""): RootOverlay | undefined {
  const bytes = readConfig(root, prefix);
  try {
    return bytes && parsePrepareRoot(utf8Text(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`Cannot read ${CONFIG}`, { cause });
  }
}

/**
 * Whether a tree stays whole on an ostree base whatever names it has at its top, and is not written to below them. Not where the
 * configuration cannot be read.
 * @throws {UserError} when it may not be read
 */
export function hasOverlay(root: Root, prefix = ""): boolean {
  try {
    const overlay = readRootOverlay(root, prefix);
    return overlay !== undefined && (overlay.composefs || overlay.transient);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}
