import { assertEquals, assertThrows } from "@std/assert";
import { sha256 } from "../../lib/codec/sha256.ts";
import { LayerTree } from "../../lib/ostree/layer_tree.ts";
import { fromBinaryString } from "../../lib/ostree/objects.ts";
import { Trees } from "../../lib/ostree/tree.ts";
import { memoryStore } from "./memory_store.ts";

const sum = (text: string) => sha256(new TextEncoder().encode(text));

class Builder {
  readonly store = memoryStore();
  readonly tree = new LayerTree(this.store);

  #split(path: string): [string, { bytes: Uint8Array; start: number; end: number }] {
    const cut = path.lastIndexOf("/");
    const bytes = fromBinaryString(`#${path.slice(cut + 1)}#`);
    return [path.slice(0, Math.max(cut, 0)), { bytes, start: 1, end: bytes.length - 1 }];
  }

  add(path: string, content = path): this {
    const [parent, name] = this.#split(path);
    this.tree.add(this.tree.at(parent), name, sum(content));
    return this;
  }

  link(path: string, target: string): this {
    const [parent, name] = this.#split(path);
    this.tree.link(this.tree.at(parent), name, target);
    return this;
  }

  name(path: string, mode = 0o700): this {
    this.tree.name(this.tree.at(path), this.tree.dirmeta({ uid: 0, gid: 0, mode }, undefined));
    return this;
  }

  /** Every path with its content, found among the given ones. */
  listing(contents: readonly string[] = []): Record<string, string> {
    const trees = new Trees(this.store);
    const root = trees.root(this.tree.flush().toHex(), this.tree.root.meta.toHex());
    const out: Record<string, string> = {};
    const known = new Map(contents.map((content) => [sum(content).toHex(), content]));
    const walk = (directory: typeof root, path: string) => {
      const { files, directories } = trees.entries(directory);
      for (const [name, checksum] of files) {
        const hex = trees.arena.hex(checksum);
        out[path + name] = known.get(hex) ?? (hex === sum(path + name).toHex() ? "" : "?");
      }
      for (const [name, child] of directories) {
        out[`${path}${name}/`] = "";
        walk(child, `${path}${name}/`);
      }
    };
    walk(root, "");
    return out;
  }
}

Deno.test("LayerTree.flush() sorts names by their bytes, whatever the order was", () => {
  const names = ["b", "a", "ab", "Z", "\xc3\xa4", "a.b", "a-b"];
  const one = new Builder(), two = new Builder();
  for (const name of names) one.add(`d/${name}`);
  for (const name of names.toSorted()) two.add(`d/${name}`);
  assertEquals(one.tree.flush(), two.tree.flush());
  assertEquals(Object.keys(one.listing()), ["d/", ...names.toSorted().map((name) => `d/${name}`)]);
});

Deno.test("LayerTree.flush() lets the last of equal names count", () => {
  const layer = new Builder().add("a", "1").add("b").add("a", "2").add("a", "3");
  assertEquals(layer.listing(["1", "2", "3"]), { a: "3", b: "" });
});

Deno.test("LayerTree.flush() lets the later of file and directory count", () => {
  const layer = new Builder().name("d").add("d/x").add("d").add("e").name("e").add("e/y").add("f/z").add("f");
  assertEquals(layer.listing(), { d: "", f: "", "e/": "", "e/y": "" });
  assertEquals(layer.tree.namedDirectories(), ["e"]);
});

Deno.test("LayerTree.flush() forgets what stood below before a file took the directory's place", () => {
  const layer = new Builder().add("d/x").add("d/s/y").name("d").add("d").name("d", 0o755).add("d/z").add("d/t/w");
  assertEquals(layer.listing(), { "d/": "", "d/z": "", "d/t/": "", "d/t/w": "" });
});

Deno.test("LayerTree.flush() refuses what lies below a file", () => {
  assertThrows(() => new Builder().add("d").add("d/x").tree.flush(), SyntaxError, 'Entries lie below "d"');
  assertThrows(() => new Builder().add("a/d").name("a/d/e").tree.flush(), SyntaxError, 'Entries lie below "a/d"');
});

Deno.test("LayerTree.find() finds the newest of a name, also after it was asked before", () => {
  const layer = new Builder().add("d/a", "1");
  assertEquals(layer.tree.find("d/a"), { checksum: sum("1") });
  layer.add("d/a", "2").link("d/b", "usr/x");
  assertEquals(layer.tree.find("d/a"), { checksum: sum("2") });
  assertEquals(layer.tree.find("d/b"), { target: "usr/x" });
  for (const path of ["a", "d", "d/c", "e/a", "d/a/b"]) assertEquals(layer.tree.find(path), undefined, path);
});

Deno.test("LayerTree.links are the links that count, and no entries of the tree", () => {
  const layer = new Builder().link("d/a", "usr/a").link("b", "usr/b").add("b").add("c").link("c", "usr/c").link(
    "e",
    "usr/e",
  )
    .name("e");
  assertEquals(layer.listing(), { b: "", "d/": "", "e/": "" });
  assertEquals(layer.tree.links.toSorted(), [["c", "usr/c"], ["d/a", "usr/a"]]);
});

Deno.test("LayerTree.at() and add() refuse names of more than 255 bytes", () => {
  const layer = new Builder();
  layer.add(`${"d".repeat(255)}/${"f".repeat(255)}`);
  assertThrows(() => layer.add("f".repeat(256)), RangeError, "A name has 256 bytes");
  assertThrows(() => layer.name("d".repeat(256)), RangeError, "A name has 256 bytes");
});

Deno.test("LayerTree.whiteouts is true with the first mark", () => {
  const layer = new Builder().add("d/.whx").add(".w");
  assertEquals(layer.tree.whiteouts, false);
  layer.add("d/.wh.x");
  assertEquals(layer.tree.whiteouts, true);
});

Deno.test("LayerTree holds more records than one chunk of its log, and reuses the memory", () => {
  for (let round = 0; round < 2; round++) {
    const layer = new Builder();
    const paths = Array.from({ length: 20_000 }, (_, i) => `d${i % 3}/file${(i * 7919) % 20_000}`);
    for (const path of paths) layer.add(path);
    const found = Object.entries(layer.listing());
    assertEquals(found.length, 20_003);
    assertEquals(found.filter(([, content]) => content !== ""), []);
    layer.tree.free();
  }
});

Deno.test("LayerTree asks for the xattrs of implied directories by path", () => {
  const asked: string[] = [];
  const tree = new LayerTree(memoryStore(), (path) => {
    asked.push(path);
    return undefined;
  });
  tree.at("a/b");
  tree.at("a/c");
  assertEquals(asked, ["", "a", "a/b", "a/c"]);
});
