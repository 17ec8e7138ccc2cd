/**
 * What was staged, written down where a reboot does not forget it: libostree's own word of it lies in /run. `status` explains by it why
 * something that was staged did not boot.
 */
import type { Sysroot } from "../ostree/sysroot.ts";
import { LibcError, writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
import type { HostSession } from "./session.ts";

/** What is remembered of a staged deployment. */
export interface StagedRecord {
  readonly stateroot: string;
  /** Of the commit. */
  readonly checksum: string;
  readonly digest: string;
  /** The image as people name it. */
  readonly image: string;
  /** A reboot was not to apply it (`--download-only`). */
  readonly locked: boolean;
  /** When the list of deployments was last written, in milliseconds: whatever changes it afterwards makes this record void. */
  readonly deploymentsMs: number;
}

type Staged = Pick<StagedRecord, "digest" | "image" | "locked">;

const DIRECTORY = "ostree/bootc";
const NAME = `${DIRECTORY}/staged.json`;
const MAX_BYTES = 64 << 10;

const pathOf = ({ path }: Pick<Sysroot, "path">, name: string) => `${path === "/" ? "" : path}/${name}`;

/** When the list of deployments was last written: libostree sets this time with each change of the list (`_ostree_sysroot_bump_mtime`), and not where finalization failed. */
export function deploymentsMs(sysroot: Pick<Sysroot, "path">): number {
  return Deno.statSync(pathOf(sysroot, "ostree/deploy")).mtime?.getTime() ?? 0;
}

/**
 * Remembers what has just been staged; SYSROOT must be writable here. A power cut before the rename leaves an older record, which is void
 * by then. The update stands without it, so a failure is only said.
 */
export async function rememberStaged(
  { ctx, sysroot }: HostSession,
  { digest, image, locked }: Staged,
): Promise<void> {
  const deployment = sysroot.staged;
  if (!deployment) return;
  const { stateroot, checksum } = deployment;
  const record: StagedRecord = { image, digest, stateroot, checksum, locked, deploymentsMs: deploymentsMs(sysroot) };
  try {
    await Deno.mkdir(pathOf(sysroot, DIRECTORY), { recursive: true });
    const bytes = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
    await replaceFile(pathOf(sysroot, NAME), (fd) => writeAll(fd, bytes), { mode: 0o644 });
  } catch (error) {
    if (!(error instanceof LibcError)) throw error;
    ctx.note(`warning: Cannot write down what is staged: ${error.message}`);
  }
}

/** Sets whether a reboot applies what is staged, here and in the record. @throws {UserError} when nothing is staged */
export async function lockStaged(session: HostSession, locked: boolean): Promise<void> {
  const { sysroot } = session;
  const before = readStagedRecord(sysroot);
  sysroot.setFinalizationLocked(locked);
  if (before && isOf(before, sysroot.staged)) await rememberStaged(session, { ...before, locked });
}

/** Whether a record is of this deployment. */
function isOf(record: StagedRecord, deployment: { stateroot: string; checksum: string } | undefined): boolean {
  return deployment?.checksum === record.checksum && deployment.stateroot === record.stateroot;
}

/** The record of something that was staged and is neither staged nor deployed now, though nobody discarded it. */
export function recordOfUnused(sysroot: Sysroot): StagedRecord | undefined {
  const record = readStagedRecord(sysroot);
  if (!record || sysroot.deployments().some((deployment) => isOf(record, deployment))) return undefined;
  return record.deploymentsMs === deploymentsMs(sysroot) ? record : undefined;
}

/** Undefined where there is none, or none that can be read. */
function readStagedRecord(sysroot: Pick<Sysroot, "path">): StagedRecord | undefined {
  try {
    const path = pathOf(sysroot, NAME);
    if (Deno.lstatSync(path).size > MAX_BYTES) return undefined;
    return asRecord(JSON.parse(Deno.readTextFileSync(path)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function asRecord(value: unknown): StagedRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { stateroot, checksum, digest, image, locked, deploymentsMs } = value as Record<string, unknown>;
  if (typeof stateroot !== "string" || typeof checksum !== "string" || typeof digest !== "string") return undefined;
  if (typeof image !== "string" || typeof locked !== "boolean" || typeof deploymentsMs !== "number") return undefined;
  return { stateroot, checksum, digest, image, locked, deploymentsMs };
}
