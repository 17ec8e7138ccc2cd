import { debugName, quotePath, textOf } from "../quote.ts";
import type { TreeLint } from "./lint.ts";

export const utf8: TreeLint = {
  name: "utf8",
  type: "fatal",
  description: "Names of files and targets of symlinks must be UTF-8, since an ostree tree holds no others.",
  watch() {
    let first: string | undefined;
    return {
      see({ path, name, type, directory }) {
        if (first !== undefined) return;
        if (textOf(name) === undefined) {
          const parent = `/${path.slice(0, Math.max(0, path.lastIndexOf("/")))}`;
          first = `${quotePath(parent)}: Found non-utf8 filename ${debugName(name)}`;
        } else if (type === "symlink" && textOf(directory.readLink(name) ?? "") === undefined) {
          first = `${quotePath(`/${path}`)}: Found non-utf8 symlink target`;
        }
      },
      finding: () => first,
    };
  },
};
