/** Why something that was staged did not boot. */
import type { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { escapeControls } from "../sys/controls.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { capture } from "../sys/run.ts";
import { deploymentsMs, recordOfUnused, type StagedRecord } from "./staged_record.ts";

/**
 * Where libostree leaves why it failed at shutdown, since 2022.5. `ostree-boot-complete.service` removes it at the next boot, and fails with
 * its text, which is then in the journal alone.
 */
const STAMP = "/boot/ostree/finalize-failure.stamp";
const TOLD = /^error: ostree-finalize-staged\.service failed on previous boot: (.*)/m;

/** Lines that say what became of a staged deployment after a reboot that did not use it; none on a host where all is well. */
export async function unusedStagedLines(
  ctx: Context,
  sysroot: Sysroot,
  tracked: string | undefined,
): Promise<string[]> {
  if (!sysroot.booted || sysroot.staged) return [];
  const record = recordOfUnused(sysroot);
  const asked = record && !record.locked;
  const failure = readStamp(sysroot) ?? (asked ? await toldAtBoot(ctx) ?? await lastWords(ctx) : undefined);
  return explain({ record, failure, tracked });
}

/** What is known. */
export interface UnusedFacts {
  readonly record: StagedRecord | undefined;
  /** What libostree said when it could not finish a staged deployment. */
  readonly failure: string | undefined;
  /** What the host follows, as people name it. */
  readonly tracked: string | undefined;
}

/** The words; pure. */
export function explain({ record, failure, tracked }: UnusedFacts): string[] {
  if (!record && failure === undefined) return [];
  const what = record ? `The staged image ${record.image} (${record.digest})` : "A staged deployment";
  const again = !record ? "stage it again" : `run \`bootc ${record.image === tracked ? "upgrade" : "switch"}\` again`;
  const { why, hint } = reason(record, failure, again);
  return [`warning: ${what} was not used: ${why}`, `hint: ${hint}`].map(escapeControls);
}

function reason(record: StagedRecord | undefined, failure: string | undefined, again: string) {
  if (failure !== undefined) {
    const said = failure.trim().replaceAll(/\s*\n\s*/g, "; ");
    return { why: `ostree could not finish it at shutdown: ${said}`, hint: `Mend that, then ${again}` };
  }
  if (record?.locked) {
    return {
      why: "it came by --download-only, and a reboot does not apply that",
      hint:
        "Run `bootc upgrade`; after --download-only, `bootc upgrade --from-downloaded` has to come before the reboot",
    };
  }
  return {
    why: "the machine went down without a shutdown, or the shutdown ended before ostree could finish it",
    hint: `See \`journalctl --boot=-1 --unit=ostree-finalize-staged.service\`; ${again}`,
  };
}

/** Of a failure that nothing has followed: where no unit takes the stamp away, it outlives a later success. */
function readStamp(sysroot: Sysroot): string | undefined {
  try {
    if ((Deno.statSync(STAMP).mtime?.getTime() ?? 0) < deploymentsMs(sysroot)) return undefined;
    return Deno.readTextFileSync(STAMP);
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function isNotThere(error: unknown): boolean {
  return [Deno.errors.NotFound, Deno.errors.PermissionDenied, Deno.errors.NotADirectory].some((each) =>
    error instanceof each
  );
}

/** What `ostree-boot-complete.service` said of the shutdown before this boot. */
async function toldAtBoot(ctx: Context): Promise<string | undefined> {
  return TOLD.exec(await journal(ctx, "--boot", "--unit=ostree-boot-complete.service"))?.[1]?.trimEnd();
}

/** The last error of the shutdown before this boot, where the journal is kept: a full /boot takes no stamp. */
async function lastWords(ctx: Context): Promise<string | undefined> {
  const said = await journal(ctx, "--boot=-1", "--unit=ostree-finalize-staged.service", "--lines=20");
  return said.split("\n").findLast((line) => line.startsWith("error: "))?.slice("error: ".length);
}

/** What the journal has; nothing where it cannot be asked. */
async function journal(ctx: Context, ...words: string[]): Promise<string> {
  try {
    return await capture(ctx, [ctx.tools.journalctl, "--quiet", "--no-pager", "--output=cat", ...words]);
  } catch (error) {
    if (error instanceof ToolError || error instanceof UserError) return "";
    throw error;
  }
}
