/** Which users and groups get another number by an update. Pure. */
import { parseAccount } from "../rootfs/accounts.ts";

/** Which of the two files an account is in. */
export type AccountForm = "passwd" | "group";

/** The files of one form that a system has, as text; undefined where there is none. */
export interface AccountFiles {
  /** In /etc: its accounts win. */
  readonly etc: string | undefined;
  /** In /usr/lib, for `altfiles` of nsswitch.conf(5). */
  readonly usr: string | undefined;
}

/** What of one form an update is decided from. */
export interface AccountState {
  /** The running deployment. */
  readonly host: AccountFiles;
  /** What its image has; `etc` is that of /usr/etc. */
  readonly image: AccountFiles;
  /** What the image of the update has. */
  readonly next: AccountFiles;
  /** The merge of /etc keeps the host's file: it was changed, or removed, there. */
  readonly keepsEtc: boolean;
}

/** An account whose number is another. */
export interface AccountChange {
  readonly form: AccountForm;
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** Who has the old number afterwards. */
  readonly heir: string | undefined;
}

/** What an update changes. */
export interface AccountDrift {
  /** Accounts that this host knows by another number from then on. */
  readonly changed: readonly AccountChange[];
  /** Accounts to which the images give another number, while the host keeps `before`. */
  readonly kept: readonly AccountChange[];
}

type Numbers = ReadonlyMap<string, number>;

/** The numbers by name; lines that are no entries are passed over, as the C library does, and the first of a name counts. */
function numbersOf({ etc = "", usr = "" }: AccountFiles, form: AccountForm): Numbers {
  const numbers = new Map<string, number>();
  for (const line of [...etc.split("\n"), ...usr.split("\n")]) {
    const account = parseAccount(line, form);
    if (account && !numbers.has(account.name)) numbers.set(account.name, account.id);
  }
  return numbers;
}

function changes(form: AccountForm, before: Numbers, after: Numbers): AccountChange[] {
  const names = new Map([...after].toReversed().map(([name, id]) => [id, name]));
  return [...before].flatMap(([name, id]) => {
    const now = after.get(name);
    return now === undefined || now === id ? [] : [{ form, name, before: id, after: now, heir: names.get(id) }];
  });
}

/**
 * Compares what a host knows with what it will know. Accounts that systemd-sysusers made are in the host's /etc, which the merge then keeps:
 * they do not drift.
 */
export function accountDrift(form: AccountForm, { host, image, next, keepsEtc }: AccountState): AccountDrift {
  const here = numbersOf(host, form);
  const then = numbersOf({ etc: keepsEtc ? host.etc : next.etc, usr: next.usr }, form);
  const kept = changes(form, numbersOf(image, form), numbersOf(next, form))
    .filter(({ name, before, after }) => here.get(name) === before && then.get(name) === before && after !== before);
  return { changed: changes(form, here, then), kept };
}
