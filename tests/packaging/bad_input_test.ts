/** What scripts/package-rpm.ts says to a build root that is not as it should be: nothing half-written is left in the output directory. */
import { assertEquals } from "@std/assert";
import { tempDir } from "../temp.ts";
import { attempt, checkout, must, type Result } from "./checkout.ts";

async function entries(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

interface BadRoot {
  readonly name: string;
  readonly words?: readonly string[];
  readonly spoil?: (project: string) => Promise<unknown>;
  readonly env?: (project: string) => Record<string, string>;
  readonly code?: number;
  readonly error: RegExp;
  readonly hint?: string;
}

/** A PATH with everything but one program. */
async function pathWithout(directory: string, program: string): Promise<string> {
  await Deno.mkdir(directory);
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    for (const name of await entries(folder)) {
      if (name === program) continue;
      await Deno.symlink(`${folder}/${name}`, `${directory}/${name}`).catch((error) => {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      });
    }
  }
  return directory;
}

const ROOTS: readonly BadRoot[] = [
  {
    name: "a work tree with changes",
    spoil: (project) => Deno.writeTextFile(`${project}/README.md`, "changed"),
    error: /^error: "\S+" has changes that are not committed: M README.md$/m,
    hint: "Commit or stash them: a package is made of a commit",
  },
  {
    name: "a file that git does not know",
    spoil: (project) => Deno.writeTextFile(`${project}/new.ts`, ""),
    error: /^error: "\S+" has changes that are not committed: \?\? new.ts$/m,
  },
  {
    name: "no checkout",
    spoil: (project) => Deno.remove(`${project}/.git`, { recursive: true }),
    error: /^error: "\S+" is no checkout of git, from which sources and version come: .*not a git repository/m,
    hint: "Clone the repository; a released source package can be built with rpmbuild or dpkg-buildpackage alone",
  },
  {
    name: "no git",
    env: (project) => ({ PATH: `${project}-path` }),
    spoil: (project) => pathWithout(`${project}-path`, "git"),
    error: /^error: Cannot start "git": no such program/m,
    hint: "Install the package that has git",
  },
  {
    name: "a tag that is no version",
    spoil: (project) => must(["git", "-C", project, "tag", "release-1"]),
    error: /^error: The tag "release-1" is no version that a package can have$/m,
    hint: 'Name it like "v1.2.0" or "v1.2.0-rc.1", or give a version with --version',
  },
  {
    name: "an odd version",
    words: ["srpm", "--version", "1-2"],
    error: /^error: "1-2" is no version that a package can have$/m,
    hint: "Use digits, letters and dots, and a ~ before what precedes a release: 1.2.0~rc.1",
  },
  {
    name: "no rpmbuild",
    env: (project) => ({ PATH: `${project}-path` }),
    spoil: (project) => pathWithout(`${project}-path`, "rpmbuild"),
    error: /^error: Cannot start "rpmbuild": no such program/m,
    hint: "Install the package that has rpmbuild",
  },
  {
    name: "no denort and nothing to fetch one with",
    words: ["vendor"],
    env: (project) => ({ PATH: `${project}-path`, XDG_CACHE_HOME: `${project}-cache` }),
    spoil: (project) => pathWithout(`${project}-path`, "python3"),
    error: /^error: Cannot start "python3": no such program/m,
    hint: "Install the package that has python3",
  },
  {
    name: "a word that it cannot make",
    words: ["iso"],
    code: 2,
    error: /^error: Cannot make "iso": one of vendor, package, spec, srpm, rpm, deb was expected$/m,
  },
  {
    name: "an output directory that is a file",
    words: ["spec", "--outdir", "README.md"],
    error: /^error: Cannot write packages to "README.md"/m,
    hint: "Give a directory that you may write to --outdir",
  },
];

for (const { name, words = ["srpm"], spoil, env, code = 1, error, hint } of ROOTS) {
  Deno.test(`package-rpm.ts ${words[0]} refuses ${name}, and leaves nothing`, async () => {
    await using tmp = await tempDir("/var/tmp");
    const project = await checkout(`${tmp.path}/project`);
    await spoil?.(project);
    const outdir = words.includes("--outdir") ? [] : ["--outdir", `${tmp.path}/out`];
    const result: Result = await attempt(
      [Deno.execPath(), "run", "-A", "--quiet", "scripts/package-rpm.ts", ...words, ...outdir],
      { cwd: project, env: { TMPDIR: tmp.path, ...env?.(project) } },
    );
    assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    assertEquals(error.test(result.stderr), true, result.stderr);
    if (hint !== undefined) assertEquals(result.stderr.includes(`\nhint: ${hint}\n`), true, result.stderr);
    assertEquals(await entries(`${tmp.path}/out`), []);
    // Its scratch directory is gone too.
    assertEquals((await entries(tmp.path)).filter((each) => each.startsWith("bootc-package-")), []);
  });
}

Deno.test("package-rpm.ts spec takes the highest version of several tags, of the checkout that it is in", async () => {
  await using tmp = await tempDir("/var/tmp");
  const project = await checkout(`${tmp.path}/project`);
  for (const tag of ["v0.9.0", "v0.10.0-rc.1", "v0.10.0", "nightly", "zzz"]) {
    await must(["git", "-C", project, "tag", tag]);
  }
  const argv = [Deno.execPath(), "run", "-A", "scripts/package-rpm.ts", "spec", "--outdir", `${tmp.path}/out`] as const;
  await must(argv, { cwd: project, env: { GIT_DIR: "/nonexistent", GIT_INDEX_FILE: "/nonexistent" } });
  const spec = await Deno.readTextFile(`${tmp.path}/out/bootc.spec`);
  assertEquals(/^Version: +(.*)$/m.exec(spec)?.[1], "0.10.0");
});

Deno.test("package-rpm.ts spec takes the version of a tag", async () => {
  await using tmp = await tempDir("/var/tmp");
  const project = await checkout(`${tmp.path}/project`);
  await must(["git", "-C", project, "tag", "v1.2.0-rc.1"]);
  await must(["deno", "run", "-A", "scripts/package-rpm.ts", "spec", "--outdir", `${tmp.path}/out`], { cwd: project });
  const spec = await Deno.readTextFile(`${tmp.path}/out/bootc.spec`);
  assertEquals(/^Version: +(.*)$/m.exec(spec)?.[1], "1.2.0~rc.1");
});

Deno.test("compile says how to get a denort where there is none, and writes nothing", async () => {
  await using tmp = await tempDir("/var/tmp");
  const project = await checkout(`${tmp.path}/project`);
  const { code, stderr } = await attempt([Deno.execPath(), "run", "-A", "--quiet", "scripts/compile.ts"], {
    cwd: project,
    env: { XDG_CACHE_HOME: tmp.path },
  });
  assertEquals(code, 1);
  assertEquals(
    /^error: No denort for \S+ is at hand, the runtime that goes into the executable$/m.test(stderr),
    true,
    stderr,
  );
  assertEquals((await entries(project)).includes("bootc"), false);
});
