import { assertEquals, assertThrows } from "@std/assert";
import { hostPullOptions, pullOptions, testSwitches } from "../../lib/container/pull_options.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";

const SWITCHES: [env: string | undefined, isal: boolean, direct: boolean][] = [
  [undefined, true, true],
  ["", true, true],
  ["isal", false, true],
  ["direct", true, false],
  [" direct , isal,", false, false],
];

for (const [value, isal, direct] of SWITCHES) {
  Deno.test(`testSwitches() reads ${JSON.stringify(value)}`, () => {
    const env = value === undefined ? {} : { BOOTC_TEST_DISABLE: value };
    assertEquals(testSwitches(plainContext(env)), { isal, direct });
  });
}

Deno.test("testSwitches() refuses what it does not know", () => {
  assertThrows(() => testSwitches(plainContext({ BOOTC_TEST_DISABLE: "zlib" })), UserError, '"zlib"');
});

Deno.test("pullOptions() leaves logins to skopeo where no flag says anything", () => {
  const { authfile, authAnonymous } = pullOptions(plainContext({}), {});
  assertEquals([authfile, authAnonymous], [undefined, undefined]);
});

Deno.test("hostPullOptions() takes the flag, then the host's file, then no login (U27)", async () => {
  await using tmp = await tempDir();
  const auth = async (authfile?: string) => {
    const options = await hostPullOptions(plainContext({}), { authfile, certDir: "/certs" }, tmp.path);
    assertEquals([options.root, options.certDir], [undefined, "/certs"]); // the policy is the running system's
    return options.authfile ?? options.authAnonymous;
  };
  assertEquals(await auth(), true);
  await Deno.mkdir(`${tmp.path}/etc/ostree`, { recursive: true });
  await Deno.writeTextFile(`${tmp.path}/etc/ostree/auth.json`, "{}");
  assertEquals(await auth(), `${tmp.path}/etc/ostree/auth.json`);
  assertEquals(await auth("/mine"), "/mine");
});
