/** What is to be known of a root before it is deployed, for `bootc container inspect`. */
import { escapeControls } from "../sys/controls.ts";
import { readRootKargs } from "./kargs.ts";
import { findRootKernel, type RootKernel } from "./kernel.ts";
import type { Root } from "./root.ts";

/** The document; its keys are the reference's. */
export interface Inspection {
  /** In the order in which they come to a boot entry. */
  readonly kargs: readonly string[];
  readonly kernel: RootKernel | null;
}

/** @throws {UserError} when kargs.d cannot be read, or there are several kernels */
export async function inspectRoot(root: Root): Promise<Inspection> {
  return { kargs: await readRootKargs(root), kernel: await findRootKernel(root) ?? null };
}

/** For people: a row a fact, labels aligned to the right. */
export function renderInspection({ kargs, kernel }: Inspection): string {
  const rows = [
    ["Kernel", kernel?.version ?? "<none>"],
    ...(kernel ? [["Type", kernel.unified ? "UKI" : "vmlinuz"]] : []),
    ["Kargs", kargs.length === 0 ? "<none>" : kargs.join(" ")],
  ] as const;
  return rows.map(([label = "", value = ""]) => `${label.padStart("Kernel".length)}: ${escapeControls(value)}\n`).join(
    "",
  );
}
