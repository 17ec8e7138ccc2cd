/** What is said of an update before it is queued: what it changes that nobody would see. */
import { VAR_PATHS } from "../container/path_filter.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import { binaryString } from "../ostree/objects.ts";
import { isDamage } from "../host/damage.ts";
import type { HostSession } from "../host/session.ts";
import { Root } from "../rootfs/root.ts";
import { UserError } from "../sys/errors.ts";
import { LibcError } from "../sys/libc.ts";
import { type AccountDrift, accountDrift, type AccountForm } from "./account_drift.ts";
import { declaredInVar, unseenVarContent } from "./var_content.ts";
import { findVarOwners } from "./var_owners.ts";
import { changedLines, keptLine, unseenLines } from "./words.ts";

const FILE_MAX_BYTES = 4 << 20;
const FORMS: readonly AccountForm[] = ["passwd", "group"];
const VARS = Object.values(VAR_PATHS);

/** The trees that an update is about. */
interface Trees extends Disposable {
  /** The current deployment's directory, where /etc is the host's. */
  readonly deployment: Root;
  readonly hostVar: Root;
  readonly current: CommitTree;
  readonly next: CommitTree;
}

/**
 * The lines to say of an update to a commit that is stored: users and groups that get another number while files in /var keep the old one
 * (row F2), and content for /var that this host will not see (row F1). Nothing is written. What cannot be read is said, and costs only its
 * own lines.
 * @throws {Interrupted}
 */
export async function updateAdvice(session: HostSession, commit: string): Promise<string[]> {
  const attempt = async (look: (trees: Trees) => string[] | Promise<string[]>): Promise<string[]> => {
    try {
      using trees = openTrees(session, commit);
      return await look(trees);
    } catch (error) {
      if (!isDamage(error) && !(error instanceof UserError || error instanceof LibcError)) throw error;
      return [`warning: Cannot tell all that the update changes for /var: ${(error as Error).message}`];
    }
  };
  return [
    ...await attempt((trees) => accountLines(session, trees)),
    ...await attempt(contentLines),
  ];
}

function openTrees({ repo, current, sysroot, live }: HostSession, commit: string): Trees {
  using stack = new DisposableStack();
  const base = sysroot.path === "/" ? "" : sysroot.path;
  const trees = {
    deployment: stack.use(Root.open(current.path)),
    hostVar: stack.use(Root.open(live ? "/var" : `${base}/ostree/deploy/${current.stateroot}/var`)),
    current: new CommitTree(repo, current.checksum),
    next: new CommitTree(repo, commit),
  };
  const kept = stack.move();
  return { ...trees, [Symbol.dispose]: () => kept.dispose() };
}

async function accountLines({ ctx }: HostSession, trees: Trees): Promise<string[]> {
  const drifts: AccountDrift[] = [];
  for (const form of FORMS) drifts.push(await driftOf(form, trees));
  const changed = drifts.flatMap((drift) => drift.changed);
  const kept = drifts.flatMap((drift) => drift.kept.map(keptLine));
  if (changed.length === 0) return kept;
  const owners = await findVarOwners(trees.hostVar, changed, ctx);
  return [...changed.flatMap((change) => changedLines(change, owners)), ...kept];
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes);

async function driftOf(form: AccountForm, { deployment, next }: Trees): Promise<AccountDrift> {
  const read = (path: string) => text(deployment.readFile(path, FILE_MAX_BYTES));
  const readNext = async (path: string) => text(await next.readFile(path, FILE_MAX_BYTES));
  const usr = read(`usr/lib/${form}`);
  return accountDrift(form, {
    host: { etc: read(`etc/${form}`), usr },
    image: { etc: read(`usr/etc/${form}`), usr },
    next: { etc: await readNext(`usr/etc/${form}`), usr: await readNext(`usr/lib/${form}`) },
    keepsEtc: isChanged(deployment, form),
  });
}

/** Whether the merge of /etc takes a file for one that was changed here: content, permissions and owner count. */
function isChanged(deployment: Root, form: AccountForm): boolean {
  const [own, image] = [`etc/${form}`, `usr/etc/${form}`];
  const [a, b] = [deployment.stat(own), deployment.stat(image)];
  if (!a || !b) return a !== b;
  if (a.typeAndMode !== b.typeAndMode || a.uid !== b.uid || a.gid !== b.gid) return true;
  return text(deployment.readFile(own, FILE_MAX_BYTES)) !== text(deployment.readFile(image, FILE_MAX_BYTES));
}

async function contentLines(trees: Trees): Promise<string[]> {
  const { next, current, hostVar, deployment } = trees;
  const names = (tree: CommitTree) => (path: string) =>
    VARS.flatMap((top) => tree.names(path === "" ? top : `${top}/${path}`) ?? []);
  if (names(next)("").length === 0) return [];
  const lines = [...await tmpfilesOf(next), ...hostTmpfiles(deployment)];
  const unseen = unseenVarContent({
    next: names(next),
    current: names(current),
    onHost: (path) => hostVar.stat(path) !== undefined,
    declared: declaredInVar(lines, (name) => next.readLink(name)),
  });
  return unseenLines(unseen);
}

async function tmpfilesOf(tree: CommitTree): Promise<string[]> {
  const lines: string[] = [];
  for (const directory of ["usr/lib/tmpfiles.d", "usr/etc/tmpfiles.d"]) {
    for (const { name } of tree.names(directory) ?? []) {
      const bytes = name.endsWith(".conf") ? await tree.readFile(`${directory}/${name}`, FILE_MAX_BYTES) : undefined;
      if (bytes) lines.push(...binaryString(bytes).split("\n"));
    }
  }
  return lines;
}

/** What the host's own /etc declares stays. */
function hostTmpfiles(deployment: Root): string[] {
  return (deployment.names("etc/tmpfiles.d") ?? []).filter(({ name }) => name.endsWith(".conf")).flatMap(({ name }) => {
    const bytes = deployment.readFile(`etc/tmpfiles.d/${name}`, FILE_MAX_BYTES);
    return bytes ? binaryString(bytes).split("\n") : [];
  });
}
