import { assertEquals } from "@std/assert";
import { sha256 } from "../../lib/codec/sha256.ts";
import { LayerTree } from "../../lib/ostree/layer_tree.ts";
import { fromBinaryString } from "../../lib/ostree/objects.ts";
import { ChecksumArena, Trees } from "../../lib/ostree/tree.ts";
import { memoryStore } from "./memory_store.ts";

const sum = (text: string) => sha256(new TextEncoder().encode(text));

/** A tree of these files, by path. */
function treeOf(paths: readonly string[]) {
  const store = memoryStore();
  const layer = new LayerTree(store);
  for (const path of paths) {
    const cut = path.lastIndexOf("/");
    const name = fromBinaryString(path.slice(cut + 1));
    layer.add(layer.at(path.slice(0, Math.max(cut, 0))), { bytes: name, start: 0, end: name.length }, sum(path));
  }
  const tree = layer.flush().toHex(), meta = layer.root.meta.toHex();
  layer.free();
  return { store, tree, meta };
}

Deno.test("Trees.find() finds files and directories, and neither below a file", () => {
  const { store, tree, meta } = treeOf(["a", "d/b", "d/e/c"]);
  const trees = new Trees(store);
  const root = trees.root(tree, meta);
  const found = trees.find(root, "d/e/c");
  assertEquals(found?.kind === "file" && trees.arena.hex(found.checksum), sum("d/e/c").toHex());
  assertEquals(trees.find(root, "d/e")?.kind, "directory");
  assertEquals(trees.find(root, "")?.kind, "directory");
  for (const path of ["x", "a/b", "d/x/y", "d/b/c"]) assertEquals(trees.find(root, path), undefined, path);
});

Deno.test("Trees.write() writes changed directories only, and the same bytes for the same tree", () => {
  const paths = ["a", "d/b", "d/e/c", "f/g"];
  const { store, tree, meta } = treeOf(paths);
  const trees = new Trees(store);
  const root = trees.root(tree, meta);
  assertEquals(trees.arena.hex(trees.write(root)), tree);
  const before = store.objects.size;
  const d = trees.change(root).directories.get("d")!;
  const removed = trees.change(d).files.get("b")!;
  trees.change(d).files.delete("b");
  const changed = trees.arena.hex(trees.write(root));
  assertEquals(store.objects.size, before + 2); // d and the root
  assertEquals(changed, treeOf(paths.filter((path) => path !== "d/b")).tree);
  trees.change(trees.change(root).directories.get("d")!).files.set("b", removed);
  assertEquals(trees.arena.hex(trees.write(root)), tree);
});

Deno.test("Trees.empty() is written as a directory without entries", () => {
  const { store, meta } = treeOf([]);
  const trees = new Trees(store);
  const root = trees.empty(trees.arena.add(Uint8Array.fromHex(meta)));
  assertEquals(trees.arena.hex(trees.write(root)), treeOf([]).tree);
});

Deno.test("ChecksumArena keeps what it held when it grows", () => {
  const arena = new ChecksumArena();
  const numbers = Array.from({ length: 2000 }, (_, i) => arena.add(sum(String(i))));
  assertEquals(numbers.map((number) => arena.hex(number)), numbers.map((_, i) => sum(String(i)).toHex()));
  assertEquals([arena.equal(3, arena.add(sum("3"))), arena.equal(3, 4)], [true, false]);
});
