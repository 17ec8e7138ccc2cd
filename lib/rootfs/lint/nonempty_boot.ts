import { quotePath } from "../quote.ts";
import { lists, type PlaceLint } from "./lint.ts";

/** Where unified kernels are. */
const TOLERATED = "EFI";

export const nonemptyBoot: PlaceLint = {
  name: "nonempty-boot",
  type: "warning",
  description: "/boot should be there and empty (but for /boot/EFI): the host's own is mounted over it. " +
    "The kernel belongs into /usr/lib/modules.",
  check(root) {
    const names = root.names("boot");
    if (!names) return "Missing /boot directory";
    const items = names.filter(({ name }) => name !== TOLERATED).map(({ name }) => quotePath(name));
    return lists({ header: "Found non-empty /boot", items });
  },
};
