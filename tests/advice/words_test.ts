import { assertEquals } from "@std/assert";
import type { AccountChange } from "../../lib/advice/account_drift.ts";
import type { VarOwners } from "../../lib/advice/var_owners.ts";
import { changedLines, keptLine, unseenLines } from "../../lib/advice/words.ts";

const change: AccountChange = { form: "passwd", name: "web", before: 980, after: 990, heir: undefined };
const owners = (count: number, examples: string[], complete = true): VarOwners => ({
  of: () => ({ count, examples }),
  complete,
});

Deno.test("changedLines() says which files keep the old number, and how to give them the new one (F2)", () => {
  assertEquals(changedLines(change, owners(5, ["lib/web", "lib/web/a b"])), [
    'warning: The update changes the uid of user "web" from 980 to 990, and 5 files in /var keep 980: ' +
    "/var/lib/web, '/var/lib/web/a b' and 3 more",
    "hint: When it runs: find /var -xdev -uid 980 -exec chown --no-dereference 990 {} +",
  ]);
});

Deno.test("changedLines() says to whom the files belong then, and how to tell them apart (F2)", () => {
  const group: AccountChange = { ...change, form: "group", heir: "db" };
  assertEquals(changedLines(group, owners(1, ["x"], false)), [
    'warning: The update changes the gid of group "web" from 980 to 990, and at least 1 file in /var keeps 980: /var/x',
    'hint: They then belong to group "db". Before the reboot: find /var -xdev -gid 980 -print0 > /root/gid-980; ' +
    "when it runs: xargs -0 chgrp --no-dereference 990 < /root/gid-980",
  ]);
});

Deno.test("changedLines() is silent where nothing in /var belongs to the account (F2)", () => {
  assertEquals(changedLines(change, owners(0, [])), []);
});

Deno.test("the advice obeys no name: control characters of images and hosts are shown (F1, F2)", () => {
  const hostile: AccountChange = { ...change, name: "a\x1b[2J\n", heir: "b\x1b" };
  assertEquals(
    changedLines(hostile, owners(1, ["x\n\x1b"])).join("|").replaceAll(/[ -~]/g, ""),
    "",
  );
  assertEquals(keptLine(hostile).replaceAll(/[ -~]/g, ""), "");
  assertEquals(unseenLines(["lib/\x1b[2J", "a\xff"])[0]?.split(": ").at(-1), "$'/var/lib/\\x1B[2J', $'/var/a\\xFF'");
});

Deno.test("keptLine() says why this host keeps the number (F2)", () => {
  assertEquals(
    keptLine(change),
    'warning: The update expects uid 990 for user "web", and this host keeps 980, since its /etc/passwd was changed here: ' +
      "what the image gives to 990 in /usr is not theirs",
  );
});

Deno.test("unseenLines() shows five paths and counts the others (F1)", () => {
  assertEquals(unseenLines([]), []);
  assertEquals(unseenLines(["1", "2", "3", "4", "5", "6", "7"]), [
    "warning: The update has new content in /var that this host will not see: /var/1, /var/2, /var/3, /var/4, /var/5 and 2 more",
    "hint: An image's /var is copied at the first deployment alone; let the image's tmpfiles.d make it, or make it here",
  ]);
});
