import { quotePath } from "../quote.ts";
import { walk } from "../walk.ts";
import { lists, type PlaceLint } from "./lint.ts";

export const varLog: PlaceLint = {
  name: "var-log",
  type: "warning",
  description:
    "/var/log should hold no log of the build: logs belong to a machine, differ from build to build, and may tell what is nobody's business.",
  async check(root, signal) {
    const items: string[] = [];
    await walk(root, ({ path, name, type, directory }) => {
      if (type === "file" && (directory.lstat(name)?.sizeBytes ?? 0) > 0) items.push(quotePath(`/${path}`));
    }, { start: "var/log", signal });
    return lists({ header: "Found non-empty logfiles", items });
  },
};
