/** The source archive is the same whoever makes it, and wherever. */
import { assertEquals } from "@std/assert";
import { tempDir } from "../temp.ts";
import { checkout, must, sha256Of } from "./checkout.ts";

/** What somebody may have in ~/.gitconfig. */
const GIT_CONFIG = `
[tar]
umask = user
[core]
autocrlf = true
attributesFile = GLOBAL
[log]
showSignature = true
[color]
ui = always
`;

Deno.test("package-rpm.ts package gives the same bytes in a folder of any name, with any umask and settings of git", async () => {
  await using tmp = await tempDir("/var/tmp");
  const plain = await checkout(`${tmp.path}/plain`);
  const odd = `${tmp.path}/with blanks 'and' ü%41`;
  await must(["cp", "-a", plain, odd]);
  await Deno.writeTextFile(`${tmp.path}/attributes`, "*.ts export-ignore\n");
  await Deno.writeTextFile(`${tmp.path}/gitconfig`, GIT_CONFIG.replace("GLOBAL", `${tmp.path}/attributes`));
  const script = `umask 077; exec "$0" run -A --quiet scripts/package-rpm.ts package --outdir "$1"`;
  const made: string[] = [];
  for (
    const [project, env] of [
      [plain, {}],
      [odd, { GIT_CONFIG_GLOBAL: `${tmp.path}/gitconfig`, TMPDIR: odd, TZ: "Asia/Tokyo", LANG: "tr_TR.UTF-8" }],
    ] as const
  ) {
    const words = project === plain ? script.replace("umask 077; ", "") : script;
    const out = `${project}-out`;
    const stdout = await must(["sh", "-c", words, Deno.execPath(), out], { cwd: project, env });
    assertEquals(stdout.startsWith(`${out}/bootc-202611302257.g`), true, stdout);
    made.push(await sha256Of(stdout.trim()));
  }
  assertEquals(made[0], made[1]);
});
