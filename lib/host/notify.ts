/** Tells the rest of the system that the next boot has changed (row U18). Only for the booted sysroot, but for the generation. */
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { run } from "../sys/run.ts";

/**
 * Sets the modification time of SYSROOT/ostree/bootc, which `bootc-status-updated.path` watches; makes the directory where it is
 * missing. Done last: a power cut before it costs only the notification. SYSROOT must be writable here.
 */
export async function bumpGeneration(ctx: Context, sysroot: string): Promise<void> {
  const path = `${sysroot}/ostree/bootc`;
  await Deno.mkdir(path, { recursive: true });
  const now = ctx.now();
  await Deno.utime(path, now, now);
}

/** Writes `reboot-required` below the directory of running state (/run), where login messages and update tools look for it. */
export async function markRebootRequired(imageDigest: string, runDirectory = "/run"): Promise<void> {
  await Deno.writeTextFile(`${runDirectory}/reboot-required`, `bootc: Reboot required for image: ${imageDigest}`);
}

/** Message ids that other programs match on; upstream's others are no valid ids (trap T10). */
export const MESSAGE_IDS = {
  rollback: "26f3b1eb24464d12aa5e7b544a6b5468",
  stage: "8f7a2b1c3d4e5f6a7b8c9d0e1f2a3b4c",
} as const;

/** An entry of the journal. */
export interface JournalEntry {
  readonly id: keyof typeof MESSAGE_IDS;
  readonly message: string;
  /** Structured fields by upstream's names (`bootc.image.reference`), written as BOOTC_IMAGE_REFERENCE. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The lines that `logger --journald` reads: a field a line, so no value may hold a line break. */
export function journalLines({ id, message, fields }: JournalEntry): string {
  const all = {
    MESSAGE_ID: MESSAGE_IDS[id],
    PRIORITY: "6",
    SYSLOG_IDENTIFIER: "bootc",
    MESSAGE: message,
    ...fields,
  };
  return Object.entries(all)
    .map(([name, value]) => `${fieldName(name)}=${value.replaceAll(/[\n\r]+/g, " ")}\n`)
    .join("");
}

function fieldName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_");
}

/**
 * Sends an entry to the journal; without a journal (or without `logger` of util-linux) nothing happens, since the change is done.
 * The program is a parameter for tests.
 */
export async function tellJournal(
  ctx: Context,
  entry: JournalEntry,
  options: { runDirectory?: string; logger?: string } = {},
): Promise<void> {
  const { runDirectory = "/run", logger = "logger" } = options;
  try {
    await Deno.lstat(`${runDirectory}/systemd/journal/socket`);
    await run(ctx, [logger, "--journald"], { stdin: new TextEncoder().encode(journalLines(entry)) });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof ToolError || error instanceof UserError) return;
    throw error;
  }
}
