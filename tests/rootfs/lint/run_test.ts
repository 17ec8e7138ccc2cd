import { assertEquals } from "@std/assert";
import type { Lint, RootType } from "../../../lib/rootfs/lint/lint.ts";
import { runLints } from "../../../lib/rootfs/lint/run.ts";
import { LINTS } from "../../../lib/rootfs/lint/table.ts";
import { Root } from "../../../lib/rootfs/root.ts";
import { UserError } from "../../../lib/sys/errors.ts";
import { directory, type RootNode, rootOf, symlink, text } from "../../root_files.ts";

const { signal } = new AbortController();

async function findings(tree: Record<string, RootNode>, lints: readonly Lint[], rootType: RootType = "running") {
  await using tmp = await rootOf(tree);
  using root = Root.open(tmp.path);
  const { findings } = await runLints(root, lints, { rootType, signal });
  return findings.map(({ finding }) => finding);
}

Deno.test("LINTS are in the order of their names, which are unique", () => {
  const names = LINTS.map(({ name }) => name);
  assertEquals(names, [...new Set(names)].sort());
});

for (const { name, description } of LINTS) {
  Deno.test(`${name} says what it looks for, in a sentence`, () => {
    assertEquals([/^[A-Z/d]/.test(description), description.endsWith("."), description.includes("  ")], [
      true,
      true,
      false,
    ]);
  });
}

const VAR_TMPFILES = LINTS.filter(({ name }) => name === "var-tmpfiles");
const OWNERS: Record<string, RootNode> = {
  "etc/passwd": text("me:x:0:0::/:/bin/sh\nother:x:0:0::/:/bin/sh\n"),
  "etc/group": text("us:x:0:\n"),
};
const LINES = "Found content in /var missing systemd tmpfiles.d entries";
const FILES = "Found non-directory/non-symlink files in /var";

Deno.test("var-tmpfiles proposes lines for what is not declared", async () => {
  const tree = {
    ...OWNERS,
    "usr/lib/tmpfiles.d/systemd.conf": text("# note\nd /var/lib 0755 - - -\nd /var/lib/private 0700 root root -\n"),
    "etc/tmpfiles.d/user.conf": text("d /var/lib/user 0755 root root - -\n"),
    "etc/tmpfiles.d/masked.conf": symlink("/dev/null"),
    "usr/lib/tmpfiles.d/README": text("d /var/lib/nfs\n"),
    "var/lib/systemd": directory,
    "var/lib/private": directory,
    "var/lib/nfs": directory,
    "var/lib/user": directory,
    "var/lib/test/nested/symlink": symlink("../"),
    "var/lib/test/absolute-symlink": symlink("/var/lib/foo"),
    "var/lib/test/a b": text("content"),
  };
  assertEquals(await findings(tree, VAR_TMPFILES), [[
    {
      header: LINES,
      items: [
        "L /var/lib/test/absolute-symlink - - - - /var/lib/foo",
        "L /var/lib/test/nested/symlink - - - - ../",
        "d /var/lib/nfs 0755 me us - -",
        "d /var/lib/systemd 0755 me us - -",
        "d /var/lib/test 0755 me us - -",
        "d /var/lib/test/nested 0755 me us - -",
      ],
    },
    { header: FILES, items: ["'var/lib/test/a b'"] },
  ]]);
});

const aliases: [fact: string, tree: Record<string, RootNode>][] = [
  ["/root is a link into /var", {
    "usr/lib/tmpfiles.d/a.conf": text("d /var/roothome 0700 root root -\nd /root/.ssh 0700 root root -\n"),
    "var/roothome/.ssh": directory,
    root: symlink("var/roothome"),
  }],
  ["/home is an absolute link", {
    "usr/lib/tmpfiles.d/a.conf": text("d /var/home -\nd /home/testuser -\n"),
    "var/home/testuser": directory,
    home: symlink("/var/home"),
  }],
  ["the link is within /var", {
    "usr/lib/tmpfiles.d/a.conf": text(
      "d /var/lib -\nd /var/lib/machines -\nL /var/lib/portables - - - - machines\nd /var/lib/portables/myimage -\n",
    ),
    "var/lib/machines/myimage": directory,
    "var/lib/portables": symlink("machines"),
  }],
];

for (const [fact, tree] of aliases) {
  Deno.test(`var-tmpfiles knows a declared path where ${fact}`, async () => {
    assertEquals(await findings(tree, VAR_TMPFILES), []);
  });
}

Deno.test("var-tmpfiles shows owners without a name by their numbers", async () => {
  const tree = { "var/lib": directory };
  assertEquals(await findings(tree, VAR_TMPFILES), [[{ header: LINES, items: ["d /var/lib 0755 0 0 - -"] }]]);
});

Deno.test("runLints() takes a failure to look for a finding, and goes on", async () => {
  const cause = new SyntaxError("It is no key file");
  const lints: Lint[] = [
    {
      name: "a",
      type: "fatal",
      description: "",
      check() {
        throw new UserError("Cannot look", { cause });
      },
    },
    {
      name: "b",
      type: "warning",
      description: "",
      watch: () => ({
        see() {
          throw new SyntaxError("No sense");
        },
        finding: () => undefined,
      }),
    },
    { name: "c", type: "fatal", description: "", check: () => "found" },
  ];
  assertEquals(await findings({ x: text("") }, lints), ["Cannot look: It is no key file", "No sense", "found"]);
});

Deno.test("runLints() counts what passes, what is skipped and what does not apply", async () => {
  await using tmp = await rootOf({});
  using root = Root.open(tmp.path);
  const lint = (name: string, rootType?: RootType): Lint => ({
    name,
    type: "fatal",
    description: "",
    check: () => undefined,
    ...(rootType ? { rootType } : {}),
  });
  const lints = [lint("a"), lint("b"), lint("c", "running"), lint("d", "alternative")];
  const result = await runLints(root, lints, { rootType: "alternative", skip: ["b"], signal });
  assertEquals(result, { findings: [], passed: 2, skipped: 2, refused: [] });
});
