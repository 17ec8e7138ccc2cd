/** How the root directory of a root's running system is made. */
import { parsePrepareRoot, type RootOverlay } from "../container/prepare_root.ts";
import { utf8Text } from "../host/utf8.ts";
import type { Root } from "./root.ts";

/** From the root, or from /etc or /usr/lib. */
export const CONFIG = "ostree/prepare-root.conf";

/** The configuration of the tree below `prefix` (with a slash at its end); undefined where there is none. @throws {UserError} @throws {SyntaxError} */
export function readRootOverlay(root: Root, prefix = ""): RootOverlay | undefined {
  const bytes = root.readFile(`${prefix}etc/${CONFIG}`) ?? root.readFile(`${prefix}usr/lib/${CONFIG}`);
  return bytes && parsePrepareRoot(utf8Text(bytes));
}

/** Whether a tree with these names at its top stays whole on an ostree base, and is not written to below them. @throws {UserError} @throws {SyntaxError} */
export function hasOverlay(root: Root): boolean {
  const overlay = readRootOverlay(root);
  return overlay !== undefined && (overlay.composefs || overlay.transient);
}
