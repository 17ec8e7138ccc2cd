/** Who owns the files in /var: one bounded walk for all numbers that are asked for. */
import type { Root } from "../rootfs/root.ts";
import { walk } from "../rootfs/walk.ts";
import type { AccountForm } from "./account_drift.ts";

/** A walk over more takes seconds on a slow disk. */
const NAMES_LIMIT = 200_000;
const EXAMPLES = 3;

/** What a user or a group owns. */
export interface Owned {
  readonly count: number;
  /** The first paths, as binary strings below /var. */
  readonly examples: readonly string[];
}

/** What was found of each number. */
export interface VarOwners {
  readonly of: (form: AccountForm, id: number) => Owned;
  /** False where the walk ended at its limit: counts are at least so high. */
  readonly complete: boolean;
}

/** How far a walk goes. */
export interface VarWalkOptions {
  readonly signal: AbortSignal;
  /** 200,000 when not given. */
  readonly namesLimit?: number;
}

const NOTHING: Owned = { count: 0, examples: [] };
const keyOf = (form: AccountForm, id: number) => `${form} ${id}`;

/**
 * Counts what belongs to the given users and groups. Links are not followed, other file systems not entered, and directories that may not
 * be read passed over.
 * @throws {Interrupted} @throws {UserError} naming a directory that cannot be read @throws {LibcError}
 */
export async function findVarOwners(
  root: Root,
  wanted: readonly { readonly form: AccountForm; readonly before: number }[],
  { signal, namesLimit = NAMES_LIMIT }: VarWalkOptions,
): Promise<VarOwners> {
  const found = new Map(
    wanted.map(({ form, before }) => [keyOf(form, before), { count: 0, examples: [] as string[] }]),
  );
  const complete = await walk(root, ({ path, name, directory }) => {
    const stat = directory.lstat(name);
    if (!stat) return;
    for (const key of [keyOf("passwd", stat.uid), keyOf("group", stat.gid)]) {
      const owned = found.get(key);
      if (!owned) continue;
      if (++owned.count <= EXAMPLES) owned.examples.push(path);
    }
  }, { signal, namesLimit });
  return { of: (form, id) => found.get(keyOf(form, id)) ?? NOTHING, complete };
}
