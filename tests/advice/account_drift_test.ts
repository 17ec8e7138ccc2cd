import { assertEquals } from "@std/assert";
import { type AccountChange, accountDrift, type AccountState } from "../../lib/advice/account_drift.ts";

const user = (name: string, id: number | string) => `${name}:x:${id}:${id}::/:/bin/sh\n`;
const NONE = { etc: undefined, usr: undefined };

/** The host and its image agree; what is not given is the same before and after. */
function state(before: string, after: string, more: Partial<AccountState> = {}): AccountState {
  return {
    host: { etc: before, usr: undefined },
    image: { etc: before, usr: undefined },
    next: { etc: after, usr: undefined },
    keepsEtc: false,
    ...more,
  };
}

const web = (before: number, after: number, heir?: string): AccountChange => ({
  form: "passwd",
  name: "web",
  before,
  after,
  heir,
});
const same = user("root", 0) + user("web", 980);
const moved = user("root", 0) + user("web", 990);

const rows: [fact: string, given: AccountState, changed: AccountChange[], kept?: AccountChange[]][] = [
  ["finds nothing where nothing changes", state(same, same), []],
  ["finds another number", state(same, moved), [web(980, 990)]],
  ["names the heir of the old number", state(same, moved + user("db", 980)), [web(980, 990, "db")]],
  ["passes over who is new, and who is gone", state(same + user("old", 5), same + user("new", 6)), []],
  [
    "looks into /usr/lib as well, and lets /etc win",
    {
      host: { etc: user("root", 0), usr: user("web", 980) + user("root", 7) },
      image: { etc: user("root", 0), usr: user("web", 980) },
      next: { etc: user("root", 0), usr: user("web", 990) + user("root", 8) },
      keepsEtc: false,
    },
    [web(980, 990)],
  ],
  [
    "sees that an account moved from one file to the other with its number",
    { ...state(same, user("root", 0)), next: { etc: user("root", 0), usr: user("web", 980) } },
    [],
  ],
  ["keeps a file that was changed here", state(same, moved, { keepsEtc: true }), [], [web(980, 990)]],
  [
    "finds an account of /usr/lib that a changed /etc does not hide",
    {
      host: { etc: user("me", 1000), usr: user("web", 980) },
      image: { etc: undefined, usr: user("web", 980) },
      next: { etc: undefined, usr: user("web", 990) },
      keepsEtc: true,
    },
    [web(980, 990)],
  ],
  [
    "leaves accounts alone that were made here at boot",
    state(user("root", 0), moved, {
      host: { etc: user("root", 0) + user("web", 970), usr: undefined },
      keepsEtc: true,
    }),
    [],
  ],
  [
    "passes over lines that are no entries",
    state(`${same}\n#web:x:1:1::/:/\n+nis\nweb\nweb:x:no:1::/:/\n:x:5:5::/:/\n`, same),
    [],
  ],
  ["takes the first entry of a name", state(same + user("web", 5), same + user("web", 6)), []],
  ["finds nothing where there are no files", { host: NONE, image: NONE, next: NONE, keepsEtc: false }, []],
];
for (const [fact, given, changed, kept = []] of rows) {
  Deno.test(`accountDrift() ${fact} (F2)`, () => {
    assertEquals(accountDrift("passwd", given), { changed, kept });
  });
}

Deno.test("accountDrift() reads the form of group(5) (F2)", () => {
  assertEquals(accountDrift("group", state("www:x:33:\n", "www:x:34:me\n")).changed, [
    { form: "group", name: "www", before: 33, after: 34, heir: undefined },
  ]);
});
