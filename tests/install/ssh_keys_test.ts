import { assertEquals, assertThrows } from "@std/assert";
import { rootHome, SSH_KEYS_TMPFILES, sshKeysText, sshKeysTmpfiles } from "../../lib/install/ssh_keys.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { run } from "../../lib/sys/run.ts";
import { hasProgram } from "../has_program.ts";
import { directory, rootOf, text } from "../root_files.ts";

const KEY = "ssh-ed25519 ABCDE example@demo\n";
const BASE64 = "c3NoLWVkMjU1MTkgQUJDREUgZXhhbXBsZUBkZW1vCg==";

Deno.test("sshKeysTmpfiles() makes root's keys (I6)", () => {
  assertEquals(sshKeysTmpfiles(KEY), `f~ /root/.ssh/authorized_keys 600 root root - ${BASE64}\n`);
});

Deno.test("sshKeysTmpfiles() makes them where /root leads (I6)", () => {
  assertEquals(
    sshKeysTmpfiles(KEY, { home: rootHome("var/roothome") }),
    `f~ /var/roothome/.ssh/authorized_keys 600 root root - ${BASE64}\n`,
  );
});

Deno.test({
  name: "sshKeysTmpfiles() is a line that systemd-tmpfiles follows",
  ignore: !await hasProgram("systemd-tmpfiles") || Deno.uid() !== 0,
  fn: async () => {
    const keys = `# 100% mine: %h \\x41 "ä"\n${KEY.repeat(1000)}`;
    await using root = await rootOf({
      root: directory,
      [SSH_KEYS_TMPFILES]: text(sshKeysTmpfiles(keys)),
      "etc/passwd": text("root:x:0:0:root:/root:/bin/sh\n"),
      "etc/group": text("root:x:0:\n"),
    });
    await run(plainContext(Deno.env.toObject()), ["systemd-tmpfiles", "--create", `--root=${root.path}`]);
    const made = `${root.path}/root/.ssh/authorized_keys`;
    assertEquals(await Deno.readTextFile(made), keys);
    assertEquals((await Deno.stat(made)).mode! & 0o777, 0o600);
  },
});

for (const keys of [KEY, `# mine\n\n  ${KEY}`, KEY.trim()]) {
  Deno.test(`sshKeysText() takes ${JSON.stringify(keys)}`, () => {
    assertEquals(sshKeysText(new TextEncoder().encode(keys)), keys);
  });
}

const wrong: [what: string, bytes: Uint8Array, kind: typeof SyntaxError | typeof RangeError, message: string][] = [
  ["nothing", new Uint8Array(), SyntaxError, "There is no key, only blanks and comments"],
  ["blanks", new TextEncoder().encode(" \n\t\r\n"), SyntaxError, "There is no key, only blanks and comments"],
  ["comments", new TextEncoder().encode("# a\n #b"), SyntaxError, "There is no key, only blanks and comments"],
  ["bytes that are no UTF-8", new Uint8Array([0x73, 0xff]), SyntaxError, "The text is not UTF-8"],
  ["a NUL", new TextEncoder().encode("ssh\0"), SyntaxError, "The keys are no text: there is a NUL in them"],
  ["a disk image", new Uint8Array(600_000), RangeError, "The keys have 600000 bytes, expected 524288 at most"],
];

for (const [what, bytes, kind, message] of wrong) {
  Deno.test(`sshKeysText() refuses ${what}`, () => {
    assertEquals(assertThrows(() => sshKeysText(bytes), kind).message, message);
  });
}

const homes: [target: string, home: string][] = [
  ["var/roothome", "/var/roothome"],
  ["/var/roothome", "/var/roothome"],
  ["./var//root.home/", "/var/root.home"],
];

for (const [target, home] of homes) {
  Deno.test(`rootHome() goes to ${target}`, () => assertEquals(rootHome(target), home));
}

for (const target of ["", "/", "../etc", "var/../etc", "a b", "a\nf /x", "%h", "a\\x20", "var/-", "var/root\u00e4"]) {
  Deno.test(`rootHome() refuses ${JSON.stringify(target)}`, () => {
    const { message } = assertThrows(() => rootHome(target), UserError);
    assertEquals(message, `Cannot put SSH keys into /root of the image, a link to ${JSON.stringify(target)}`);
  });
}
