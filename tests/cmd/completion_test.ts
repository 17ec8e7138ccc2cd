import { assertEquals } from "@std/assert";
import { tempDir } from "../temp.ts";
import { bootc, bootcWith } from "./bootc.ts";
import { hasTool, offered, type Shell } from "./shells.ts";

const NOBODY = 65534;
const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** What each shell is to offer; where bash differs, it leaves paths to readline. */
const rows: { line: string; words: readonly string[]; bash?: readonly string[] }[] = [
  { line: "bootc st", words: ["status"] },
  { line: "bootc up", words: ["upgrade"] },
  { line: "bootc internal", words: [] },
  { line: "bootc nonsense ", words: [] },
  { line: "bootc upgrade --down", words: ["--download-only"] },
  { line: "bootc update --down", words: ["--download-only"] },
  { line: "bootc upgrade --progress", words: [] },
  { line: "bootc upgrade --tag st", words: [] },
  { line: "bootc upgrade --soft-reboot ", words: ["auto", "required"] },
  { line: "bootc switch --transport oci", words: ["oci", "oci-archive"] },
  { line: "bootc switch --retain --transport reg", words: ["registry"] },
  { line: "bootc switch docker", words: [] },
  { line: "bootc switch docker://x --ret", words: ["--retain"] },
  { line: "bootc switch ./d", words: ["./dir/"], bash: ["@files"] },
  { line: "bootc image li", words: ["list"] },
  { line: "bootc image list --type ", words: ["all", "host", "logical"] },
  { line: "bootc status --from f", words: ["file"], bash: ["@files"] },
  { line: "bootc status --from d", words: ["dir/"], bash: ["@files"] },
  { line: "bootc status --sysroot ", words: ["dir/"], bash: ["@directories"] },
  { line: "bootc completion ", words: ["bash", "fish", "zsh"] },
  { line: "ostree-container image prune-", words: ["prune-images", "prune-layers"] },
  { line: "ostree-container im", words: ["image"] },
];

/** zsh completes the last part of a path alone, and adds its slash later. */
function zshWord(word: string): string {
  return word.replace(/^\.\//, "").replace(/\/$/, "");
}

for (const shell of SHELLS) {
  const { stdout: script } = await bootc("completion", shell);

  for (const { line, words, bash = words } of rows) {
    Deno.test({
      name: `${shell} completes "${line}"`,
      ignore: !hasTool(shell),
      fn: async () => {
        await using tmp = await tempDir();
        await Deno.mkdir(`${tmp.path}/dir`);
        await Deno.writeTextFile(`${tmp.path}/file`, "");
        const expected = { bash, zsh: words.map(zshWord), fish: words }[shell];
        assertEquals(await offered(shell, script, line, tmp.path), [...expected]);
      },
    });
  }

  Deno.test({
    name: `${shell} completes a value behind "="`,
    ignore: !hasTool(shell),
    fn: async () => {
      await using tmp = await tempDir();
      const prefix = shell === "fish" ? "--format=" : ""; // which replaces the whole word
      assertEquals(await offered(shell, script, "bootc status --format=j", tmp.path), [`${prefix}json`]);
    },
  });

  Deno.test({
    name: `${shell} completes all options of a command, short ones where it lists them`,
    ignore: !hasTool(shell),
    fn: async () => {
      await using tmp = await tempDir();
      const words = await offered(shell, script, "bootc rollback --", tmp.path);
      assertEquals(words, ["--apply", "--help", "--soft-reboot", "--sysroot"]);
    },
  });

  Deno.test(`completion ${shell} is the file that packages install`, async () => {
    const name = { bash: "bootc.bash", zsh: "_bootc", fish: "bootc.fish" }[shell];
    assertEquals(script, await Deno.readTextFile(new URL(`../../completions/${name}`, import.meta.url)));
  });

  Deno.test(`completion ${shell} works for anyone and in a container (U10)`, async () => {
    const { code, stderr } = await bootcWith({ euid: NOBODY, env: { container: "oci" } }, "completion", shell);
    assertEquals([code, stderr], [0, ""]);
  });
}

Deno.test("completion refuses a shell that it does not know", async () => {
  assertEquals(await bootc("completion", "bsh"), {
    code: 2,
    stdout: "",
    stderr: `error: Argument <SHELL> takes "bash", "zsh" or "fish", not "bsh"
hint: Did you mean "bash"?

Usage: bootc completion [OPTIONS] <SHELL>

For more information, try '--help'.
`,
  });
});

Deno.test("completion without a shell is a wrong command line", async () => {
  const { code, stderr } = await bootc("completion");
  assertEquals([code, stderr.split("\n")[0]], [2, "error: Argument <SHELL> is required"]);
});
