import { assertEquals } from "@std/assert";
import { DirectStore } from "../../lib/ostree/direct_store.ts";
import { encodeCommit, newCommit } from "../../lib/ostree/commit.ts";
import { LayerTree } from "../../lib/ostree/layer_tree.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { ostreeText } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

/** Commits files of these contents under a ref; gives their names in the repository. */
async function commitFiles(repo: Repo, ref: string, contents: readonly string[]): Promise<string[]> {
  using store = new DirectStore(repo);
  store.begin();
  const tree = new LayerTree(store);
  const names: string[] = [];
  for (const content of contents) {
    const bytes = new TextEncoder().encode(content);
    const meta = { uid: 0, gid: 0, mode: 0o100644, size: bytes.length, xattrs: undefined };
    const checksum = store.file(bytes, 0, meta);
    const name = new TextEncoder().encode(content);
    tree.add(tree.root, { bytes: name, start: 0, end: name.length }, checksum);
    names.push(checksum.toHex());
  }
  const root = { rootTree: tree.flush().toHex(), rootMeta: tree.root.meta.toHex() };
  store.setRef(ref, store.metadata("commit", encodeCommit(newCommit({ ...root, timestampSeconds: 0 }))).toHex());
  await store.commit();
  return names;
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

for (const [what, first, second] of [["few", 600, 100], ["many", 40, 6000]] as const) {
  Deno.test(`publishStaged() brings ${what} new objects to the old ones`, async () => {
    await using tmp = await tempDir("/dev/shm");
    await ostreeText("init", `--repo=${tmp.path}`, "--mode=bare");
    using repo = Repo.open(tmp.path);
    const old = await commitFiles(repo, "old", numbered("old", first));
    const inodes = old.map((name) =>
      Deno.statSync(`${tmp.path}/objects/${name.slice(0, 2)}/${name.slice(2)}.file`).ino
    );
    const fresh = await commitFiles(repo, "new", [...numbered("new", second), ...numbered("old", 5)]);
    await ostreeText("fsck", `--repo=${tmp.path}`, "-q");
    for (const name of fresh) {
      assertEquals(Deno.statSync(`${tmp.path}/objects/${name.slice(0, 2)}/${name.slice(2)}.file`).isFile, true);
    }
    const now = old.map((name) => Deno.statSync(`${tmp.path}/objects/${name.slice(0, 2)}/${name.slice(2)}.file`));
    assertEquals(now.map(({ ino }) => ino), inodes);
    assertEquals(now.map(({ nlink }) => nlink), old.map(() => 1));
    assertEquals(
      [...Deno.readDirSync(`${tmp.path}/tmp`)].filter(({ isDirectory, name }) => isDirectory && name !== "cache"),
      [],
    );
  });
}
