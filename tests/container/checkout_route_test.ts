import { assertEquals } from "@std/assert";
import { escapeRef } from "../../lib/ostree/refescape.ts";
import { dir, file, link, type Tree, whiteout } from "../image.ts";
import { ostreeText } from "../ostree_cli.ts";
import { baseCommit, derivedImage, listTree, rootOf, testStore } from "./harness.ts";

const shapes: [what: string, layers: Tree[]][] = [
  ["new files in old and new directories", [{
    "usr/bin/a": file("a", { mode: 0o4755, uid: 1 }),
    "usr/new/b": file("b"),
  }]],
  ["whiteouts of files and directories", [
    { "usr/x/a": file("a"), "usr/x/b": file("b"), "usr/y/c": file("c") },
    { "usr/x/.wh.a": whiteout, "usr/.wh.y": whiteout, "usr/lib/.wh.os-release": whiteout },
  ]],
  ["an opaque directory", [
    { "usr/x/a": file("a"), "usr/x/s/b": file("b") },
    { "usr/x/.wh..wh..opq": whiteout, "usr/x/c": file("c") },
    { "usr/x/d": file("d") },
  ]],
  ["a file over a directory, and a symlink over one", [
    { "usr/x/a": file("a"), "usr/y/b": file("b") },
    { "usr/x": file("x"), "usr/y": link("x") },
  ]],
  ["a whiteout and a new thing under its name", [
    { "usr/x/a": file("a"), "usr/z": file("z") },
    { "usr/.wh.x": whiteout, "usr/x/b": file("b"), "usr/.wh.z": whiteout, "usr/z": link("x") },
  ]],
  ["marks in new directories", [{ "usr/n/.wh.a": whiteout, "usr/n/m/.wh..wh..opq": whiteout, "usr/n/m/c": file("c") }]],
  ["/etc over /usr/etc", [{ "etc/a": file("a"), "etc/.wh.passwd": whiteout, "etc/d/": dir({ mode: 0o700 }) }]],
  [
    "many layers",
    Array.from({ length: 9 }, (_, i): Tree => ({
      [`usr/l${i}/a`]: file(`${i}`),
      "usr/same": file(`${i}`),
      [`usr/.wh.l${i - 3}`]: whiteout,
    })),
  ],
];

for (const [what, layers] of shapes) {
  Deno.test(`The merge is the tree of checkout --union --whiteouts: ${what}`, async () => {
    await using store = await testStore("bare");
    const base = await baseCommit(store.path);
    const written = await derivedImage(`${store.path}/image`, base, layers);
    const { image: pulled } = await store.pull(written.reference);
    const tree = `${store.path}/checkout`;
    const refs = written.layers.slice(1).map(({ digest }) => `ostree/container/blob/${escapeRef(digest)}`);
    for (const ref of [base.commit, ...refs]) {
      await ostreeText("checkout", `--repo=${store.repo}`, "--union", "--whiteouts", ref, tree);
    }
    await ostreeText("commit", `--repo=${store.repo}`, "--branch=judge", tree);
    assertEquals(await listTree(store.repo, pulled.commit), await listTree(store.repo, "judge"));
    assertEquals(rootOf(store.repo, pulled.commit), rootOf(store.repo, "judge"));
  });
}

Deno.test("The merge and the checkout differ where an image names a directory that is there", async () => {
  await using store = await testStore("bare");
  const base = await baseCommit(store.path);
  const { reference } = await derivedImage(`${store.path}/image`, base, [
    { "usr/x/a": file("a") },
    { "usr/x/": dir({ mode: 0o700, uid: 4 }) },
  ]);
  const { image: pulled } = await store.pull(reference);
  assertEquals((await listTree(store.repo, pulled.commit))["/usr/x"], "d00700 4 0");
});
