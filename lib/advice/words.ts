/** The words of advice on an update. Names come from images and hosts: a terminal obeys none of them. Pure. */
import { escapeControls } from "../sys/controls.ts";
import { quotePath } from "../rootfs/quote.ts";
import type { AccountChange, AccountForm } from "./account_drift.ts";
import type { VarOwners } from "./var_owners.ts";

const PATHS_SHOWN = 5;
const WORDS: Readonly<Record<AccountForm, { what: string; number: string; flag: string; tool: string }>> = {
  passwd: { what: "user", number: "uid", flag: "-uid", tool: "chown" },
  group: { what: "group", number: "gid", flag: "-gid", tool: "chgrp" },
};

const name = (text: string) => `"${escapeControls(text)}"`;

/** A warning, and what to do, for an account that files in /var belong to; none where there are no such files. */
export function changedLines({ form, name: account, before, after, heir }: AccountChange, owners: VarOwners): string[] {
  const { what, number, flag, tool } = WORDS[form];
  const { count, examples } = owners.of(form, before);
  if (count === 0) return [];
  const paths = examples.map((path) => quotePath(`/var/${path}`)).join(", ");
  const more = count > examples.length ? ` and ${count - examples.length} more` : "";
  const files = `${owners.complete ? "" : "at least "}${count} ${count === 1 ? "file" : "files"}`;
  const keep = count === 1 ? "keeps" : "keep";
  const find = `find /var -xdev ${flag} ${before}`;
  return [
    `warning: The update changes the ${number} of ${what} ${name(account)} from ${before} to ${after}, ` +
    `and ${files} in /var ${keep} ${before}: ${paths}${more}`,
    heir === undefined
      ? `hint: When it runs: ${find} -exec ${tool} --no-dereference ${after} {} +`
      : `hint: They then belong to ${what} ${
        name(heir)
      }. Before the reboot: ${find} -print0 > /root/${number}-${before}; ` +
        `when it runs: xargs -0 ${tool} --no-dereference ${after} < /root/${number}-${before}`,
  ];
}

/** A warning of an account whose number the images change, and the host does not. */
export function keptLine({ form, name: account, before, after }: AccountChange): string {
  const { what, number } = WORDS[form];
  return `warning: The update expects ${number} ${after} for ${what} ${
    name(account)
  }, and this host keeps ${before}, ` +
    `since its /etc/${form} was changed here: what the image gives to ${after} in /usr is not theirs`;
}

/** A warning of content in /var that a host will not see; none for no path. */
export function unseenLines(paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const shown = paths.slice(0, PATHS_SHOWN).map((path) => quotePath(`/var/${path}`)).join(", ");
  const more = paths.length > PATHS_SHOWN ? ` and ${paths.length - PATHS_SHOWN} more` : "";
  return [
    `warning: The update has new content in /var that this host will not see: ${shown}${more}`,
    "hint: An image's /var is copied at the first deployment alone; let the image's tmpfiles.d make it, or make it here",
  ];
}
