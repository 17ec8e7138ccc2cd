import { assertEquals, assertStringIncludes } from "@std/assert";
import { device, dir, fifo, file, hardlink, link, type Tree, whiteout } from "../image.ts";
import { baseCommit, derivedImage, failure, fsck, listTree, plainImage, readFile, testStore } from "./harness.ts";

/** What is left of layers without an ostree part, by path; the root itself is left out. */
async function merged(...layers: Tree[]): Promise<Record<string, string>> {
  await using store = await testStore();
  const { image } = await store.pull(plainImage(`${store.path}/image`, ...layers).reference);
  await fsck(store.repo);
  const { "/": _root, ...tree } = await listTree(store.repo, image.commit);
  return tree;
}

/** What a pull says that must fail, from the layer on. */
async function refused(...layers: Tree[]): Promise<string> {
  await using store = await testStore();
  const written = plainImage(`${store.path}/image`, ...layers);
  const message = await failure(store.pull(written.reference));
  await fsck(store.repo);
  const layer = written.layers.at(-1)!.digest;
  const expected = `Cannot pull "ostree-unverified-image:${written.reference}": Layer "${layer}"`;
  assertStringIncludes(message, expected);
  assertEquals(message.indexOf(expected), 0);
  return message.slice(expected.length);
}

const DIR = "d00755 0 0", FILE = (size: number) => `-00644 0 0 ${size}`;
const USR = { "/usr": DIR };

interface Merge {
  readonly what: string;
  readonly layers: readonly Tree[];
  readonly tree: Record<string, string>;
}

const merges: Merge[] = [
  {
    what: "lets a named directory's metadata win over the one below",
    layers: [{ "usr/d/": dir({ mode: 0o700, uid: 1 }), "usr/d/a": file("a") }, {
      "usr/d/": dir({ mode: 0o750, gid: 2 }),
    }],
    tree: { ...USR, "/usr/d": "d00750 0 2", "/usr/d/a": FILE(1) },
  },
  {
    what: "keeps the metadata below an implied directory",
    layers: [{ "usr/d/": dir({ mode: 0o700, uid: 1 }) }, { "usr/d/a": file("a") }],
    tree: { ...USR, "/usr/d": "d00700 1 0", "/usr/d/a": FILE(1) },
  },
  {
    what: "never takes the root's metadata from a layer",
    layers: [{ "usr/a": file("a") }, { "./": dir({ mode: 0o700, uid: 5 }), "usr/b": file("b") }],
    tree: { ...USR, "/usr/a": FILE(1), "/usr/b": FILE(1) },
  },
  {
    what: "names a directory by its last entry of several",
    layers: [[["usr/d/", dir({ mode: 0o700 })], ["usr/d/x", file("x")], ["usr/d/", dir({ mode: 0o711 })]]],
    tree: { ...USR, "/usr/d": "d00711 0 0", "/usr/d/x": FILE(1) },
  },
  {
    what: "replaces a symlink by a named directory",
    layers: [{ "usr/d": link("e"), "usr/e/": dir() }, { "usr/d/": dir({ mode: 0o700 }), "usr/d/a": file("a") }],
    tree: { ...USR, "/usr/d": "d00700 0 0", "/usr/d/a": FILE(1), "/usr/e": DIR },
  },
  {
    what: "replaces a directory by a file and by a symlink",
    layers: [{ "usr/d/a": file("a"), "usr/e/b": file("b") }, { "usr/d": file("now"), "usr/e": link("d") }],
    tree: { ...USR, "/usr/d": FILE(3), "/usr/e": "l00777 0 0 -> d" },
  },
  {
    what: "replaces a symlink that the same layer removes, also by an implied directory",
    layers: [{ "usr/d": link("e") }, { "usr/.wh.d": whiteout, "usr/d/a": file("a") }],
    tree: { ...USR, "/usr/d": DIR, "/usr/d/a": FILE(1) },
  },
  {
    what: "removes what whiteouts and opaque marks name, and keeps what comes with them",
    layers: [
      { "usr/a": file("a"), "usr/b/c": file("c"), "usr/o/old": file("old"), "usr/o/sub/x": file("x") },
      { "usr/.wh.a": whiteout, "usr/.wh.b": whiteout, "usr/o/.wh..wh..opq": whiteout, "usr/o/new": file("new") },
    ],
    tree: { ...USR, "/usr/o": DIR, "/usr/o/new": FILE(3) },
  },
  {
    what: "keeps a file whose own whiteout stands in the same layer",
    layers: [{ "usr/a/old": file("old") }, { "usr/.wh.a": whiteout, "usr/a/new": file("new"), "usr/a/": dir() }],
    tree: { ...USR, "/usr/a": DIR, "/usr/a/new": FILE(3) },
  },
  {
    what: "strips marks in new directories, whatever they remove",
    layers: [{ "usr/n/.wh.gone": whiteout, "usr/n/m/.wh..wh..opq": whiteout, "usr/n/m/a": file("a") }],
    tree: { ...USR, "/usr/n": DIR, "/usr/n/m": DIR, "/usr/n/m/a": FILE(1) },
  },
  {
    what: "forgets everything below an opaque root",
    layers: [{ "usr/a": file("a"), "opt/b": file("b") }, { ".wh..wh..opq": whiteout, "usr/c": file("c") }],
    tree: { ...USR, "/usr/c": FILE(1) },
  },
  {
    what: "obeys marks of one layer before the next one",
    layers: [{ "usr/a": file("1") }, { "usr/.wh.a": whiteout }, { "usr/a": file("three") }],
    tree: { ...USR, "/usr/a": FILE(5) },
  },
  {
    what: "links to a file of a lower layer",
    layers: [{ "usr/a": file("abc", { mode: 0o755 }) }, { "usr/x/b": hardlink("usr/a") }],
    tree: { ...USR, "/usr/a": "-00755 0 0 3", "/usr/x": DIR, "/usr/x/b": "-00755 0 0 3" },
  },
  {
    what: "links to what the same layer removes or replaces",
    layers: [
      { "usr/a": file("abc"), "usr/d/e": file("four") },
      { "usr/b": hardlink("usr/a"), "usr/.wh.a": whiteout, "usr/f": hardlink("/usr/d/e"), "usr/d": file("") },
    ],
    tree: { ...USR, "/usr/b": FILE(3), "/usr/d": FILE(0), "/usr/f": FILE(4) },
  },
  {
    what: "links to a link to a lower layer's file",
    layers: [{ "usr/a": file("abc") }, { "usr/b": hardlink("usr/a"), "usr/c": hardlink("usr/b") }],
    tree: { ...USR, "/usr/a": FILE(3), "/usr/b": FILE(3), "/usr/c": FILE(3) },
  },
  {
    what: "lets the later of a link and a file count, in both orders",
    layers: [{ "usr/a": file("abc") }, [
      ["usr/x", hardlink("usr/a")],
      ["usr/x", file("later")],
      ["usr/y", file("earlier")],
      ["usr/y", hardlink("usr/a")],
      ["usr/z", hardlink("usr/y")],
    ]],
    tree: { ...USR, "/usr/a": FILE(3), "/usr/x": FILE(5), "/usr/y": FILE(3), "/usr/z": FILE(3) },
  },
  {
    what: "links within a layer, to files, symlinks and across directories",
    layers: [{ "usr/a": file("abc"), "usr/d/b": hardlink("./usr/a"), "usr/s": link("a"), "usr/t": hardlink("usr/s") }],
    tree: {
      ...USR,
      "/usr/a": FILE(3),
      "/usr/d": DIR,
      "/usr/d/b": FILE(3),
      "/usr/s": "l00777 0 0 -> a",
      "/usr/t": "l00777 0 0 -> a",
    },
  },
  {
    what: "takes the last of several entries of one name",
    layers: [[
      ["usr/a", file("one")],
      ["usr/d/", dir()],
      ["usr/d/x", file("x")],
      ["usr/a", link("target")],
      ["usr/d", file("now a file")],
      ["usr/e", file("e")],
      ["usr/e/", dir({ mode: 0o711 })],
      ["usr/e/y", file("y")],
    ]],
    tree: {
      ...USR,
      "/usr/a": "l00777 0 0 -> target",
      "/usr/d": FILE(10),
      "/usr/e": "d00711 0 0",
      "/usr/e/y": FILE(1),
    },
  },
  {
    what: "forgets what a directory held before a file took its place for a while",
    layers: [[
      ["usr/d/", dir()],
      ["usr/d/old", file("old")],
      ["usr/d/sub/older", file("older")],
      ["usr/d", file("between")],
      ["usr/d/", dir({ mode: 0o700 })],
      ["usr/d/new", file("new")],
      ["usr/d/sub2/newer", file("newer")],
    ]],
    tree: {
      ...USR,
      "/usr/d": "d00700 0 0",
      "/usr/d/new": FILE(3),
      "/usr/d/sub2": DIR,
      "/usr/d/sub2/newer": FILE(5),
    },
  },
  {
    what: "puts /etc and /usr/etc together",
    layers: [{ "etc/a": file("a"), "usr/etc/b": file("b") }, { "etc/.wh.b": whiteout, "usr/etc/c": hardlink("etc/a") }],
    tree: { ...USR, "/usr/etc": DIR, "/usr/etc/a": FILE(1), "/usr/etc/c": FILE(1) },
  },
  {
    what: "takes names with leading and doubled slashes and dots",
    layers: [{ "/usr/a": file("a"), "./usr//b": file("b"), "usr/./c": file("c"), ".//usr/d//": dir() }],
    tree: { ...USR, "/usr/a": FILE(1), "/usr/b": FILE(1), "/usr/c": FILE(1), "/usr/d": DIR },
  },
  {
    what: "drops what lies in directories of the running system, devices too",
    layers: [{
      "dev/": dir({ mode: 0o700 }),
      "dev/null": device({ major: 1, minor: 3 }),
      "run/lock/x": file("x"),
      "tmp/": dir({ mode: 0o1777 }),
      "tmp/pipe": fifo(),
      "proc/": dir({ mode: 0o555 }),
    }],
    tree: { "/dev": "d00700 0 0", "/tmp": "d01777 0 0", "/proc": "d00555 0 0" },
  },
  {
    what: "removes an empty hostname and resolv.conf, and no other",
    layers: [
      { "etc/hostname": file(""), "etc/resolv.conf": file("nameserver 1\n"), "etc/hosts": file("") },
      { "etc/resolv.conf": file("") },
    ],
    tree: { ...USR, "/usr/etc": DIR, "/usr/etc/hosts": FILE(0) },
  },
  {
    what: "gives symlinks one mode",
    layers: [{ "usr/a": link("x", { mode: 0o644 }), "usr/b": link("x", { mode: 0o7000, uid: 3 }) }],
    tree: { ...USR, "/usr/a": "l00777 0 0 -> x", "/usr/b": "l00777 3 0 -> x" },
  },
  {
    what: "keeps a name of 255 bytes, and one that is many characters",
    layers: [{ [`usr/${"n".repeat(255)}`]: file("a"), "usr/äöü-名前": file("b") }],
    tree: { ...USR, [`/usr/${"n".repeat(255)}`]: FILE(1), "/usr/äöü-名前": FILE(1) },
  },
];

for (const { what, layers, tree } of merges) {
  Deno.test(`ImagePull.import() ${what}`, async () => assertEquals(await merged(...layers), tree));
}

const NOT_UTF8 = new Uint8Array([...new TextEncoder().encode("usr/"), 0xff, 0x61]);
const deep = `usr/${"d/".repeat(2046)}`;

const refusals: { what: string; layers: Tree[]; says: string }[] = [
  {
    what: "an entry below a symlink of an earlier layer",
    layers: [{ "usr/d": link("e") }, { "usr/d/a": file("a") }],
    says: ': The layer has entries below "usr/d", which is a file or symlink in an earlier layer',
  },
  {
    what: "an entry below a file of an earlier layer",
    layers: [{ "usr/d": file("f") }, { "usr/d/e/a": file("a") }],
    says: ': The layer has entries below "usr/d", which is a file or symlink in an earlier layer',
  },
  {
    what: "an entry below a symlink of its own layer",
    layers: [{ "usr/d": link("e"), "usr/d/a": file("a") }],
    says: ': Entries lie below "usr/d", which is a file or symlink',
  },
  {
    what: "a hardlink to nowhere",
    layers: [{ "usr/a": file("a") }, { "usr/b": hardlink("usr/none") }],
    says: ': Hardlink "usr/b" leads to "usr/none", which no layer has',
  },
  {
    what: "a hardlink to a directory",
    layers: [{ "usr/d/a": file("a") }, { "usr/b": hardlink("usr/d") }],
    says: ': Hardlink "usr/b" leads to "usr/d", which is a directory',
  },
  {
    what: "a hardlink to what a whiteout of an earlier layer removed",
    layers: [{ "usr/a": file("a") }, { "usr/.wh.a": whiteout }, { "usr/b": hardlink("usr/a") }],
    says: ': Hardlink "usr/b" leads to "usr/a", which no layer has',
  },
  {
    what: "a hardlink to what is not part of the tree",
    layers: [{ "run/a": file("a"), "usr/b": hardlink("run/a") }],
    says: ' at entry "usr/b": It is a hardlink to "run/a", which is not part of an ostree tree',
  },
  {
    what: "a hardlink into a repository that nobody has",
    layers: [{ "usr/b": hardlink("sysroot/ostree/repo/objects/aa/bb.file") }],
    says:
      ' at entry "usr/b": It is a hardlink to "sysroot/ostree/repo/objects/aa/bb.file", which neither this layer nor its base has',
  },
  { what: "..", layers: [{ "usr/../a": file("a") }], says: ' at entry "usr/../a": A path holds ".."' },
  { what: ".. at the top", layers: [{ "../a": file("a") }], says: ' at entry "../a": A path holds ".."' },
  {
    what: ".. in a hardlink's target",
    layers: [{ "usr/a": hardlink("usr/../../etc/shadow") }],
    says: ' at entry "usr/a": A path holds ".."',
  },
  {
    what: "a name of 256 bytes",
    layers: [{ [`usr/${"n".repeat(256)}`]: file("a") }],
    says: `": A name has 256 bytes; a file system takes 1 to 255`,
  },
  {
    what: "a directory's name of 256 bytes",
    layers: [{ [`usr/${"n".repeat(256)}/`]: dir() }],
    says: ": A name has 256 bytes; a file system takes 1 to 255",
  },
  {
    what: "a path of 4097 bytes",
    layers: [{ [`${deep}a`]: file("a") }],
    says: ": A path has 4097 bytes; Linux takes 4095",
  },
  {
    what: "a long path behind a parent that was seen before",
    layers: [{ [`${deep.slice(0, 3600)}a`]: file("a"), [`${deep}b`]: file("a") }],
    says: ": A path has 4097 bytes; Linux takes 4095",
  },
  {
    what: "a name that is not UTF-8",
    layers: [[[NOT_UTF8, file("a")]]],
    says: ': The name "usr/\\xffa" is not valid UTF-8',
  },
  {
    what: "a second name that is not UTF-8",
    layers: [[["usr/a", file("a")], [NOT_UTF8, file("a")]]],
    says: ': The name "\\xffa" is not valid UTF-8',
  },
  {
    what: "a symlink's target that is not UTF-8",
    layers: [{ "usr/a": link(new Uint8Array([0xc3, 0x28])) }],
    says: ' at entry "usr/a": The symlink\'s target "\\xc3(" is not valid UTF-8',
  },
  {
    what: "a device",
    layers: [{ "usr/null": device({ major: 1, minor: 3 }) }],
    says: ' at entry "usr/null": It is a device, a FIFO or something else that ostree cannot store',
  },
  {
    what: "a block device",
    layers: [{ "usr/sda": device({ major: 8, minor: 0, block: true }) }],
    says: ' at entry "usr/sda": It is a device, a FIFO or something else that ostree cannot store',
  },
  {
    what: "a FIFO",
    layers: [{ "usr/pipe": fifo() }],
    says: ' at entry "usr/pipe": It is a device, a FIFO or something else that ostree cannot store',
  },
  {
    what: "a device below a whiteout's directory",
    layers: [{ "usr/.wh..wh..opq": whiteout, "usr/x": device({ major: 0, minor: 0 }) }],
    says: ' at entry "usr/x": It is a device, a FIFO or something else that ostree cannot store',
  },
];

for (const { what, layers, says } of refusals) {
  Deno.test(`ImagePull.import() refuses ${what}`, async () => assertStringIncludes(await refused(...layers), says));
}

Deno.test("ImagePull.import() sorts out top-level names of layers on an ostree base, and says what it dropped", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  const { reference } = await derivedImage(`${store.path}/image`, base, [{
    "opt/a/b": file("b"),
    "opt/c": link("a"),
    "srv/pipe": fifo(),
    "root/": dir(),
    "bin/tool": file("below a symlink of the base"),
    "usr/bin/tool": file("real"),
    "etc/tool.conf": file("conf"),
    ".wh.boot": whiteout,
  }]);
  const { image, dropped, droppedPaths } = await store.pull(reference);
  await fsck(store.repo);
  assertEquals([...dropped], [["opt", 2], ["srv", 1], ["root", 1], ["bin", 1], [".wh.boot", 1]]);
  assertEquals(droppedPaths, ["opt/a/b", "opt/c", "srv/pipe", "root", "bin/tool", ".wh.boot"]);
  const before = await listTree(base.repo, base.commit), after = await listTree(store.repo, image.commit);
  const added = Object.keys(after).filter((path) => !(path in before));
  assertEquals(added.sort(), ["/usr/bin/tool", "/usr/etc/tool.conf"]);
  assertEquals(Object.keys(before).filter((path) => !(path in after)), []);
});

for (
  const [what, conf, kept] of [
    ["a transient root", "[root]\ntransient=true\n", true],
    ["composefs", "[composefs]\nenabled = maybe\n", true],
    ["composefs switched off", "[composefs]\nenabled = no\n", false],
  ] as const
) {
  Deno.test(`ImagePull.import() ${kept ? "keeps" : "drops"} new top-level names on a base with ${what}`, async () => {
    await using store = await testStore();
    const base = await baseCommit(store.path, { files: { "usr/lib/ostree/prepare-root.conf": conf } });
    const { reference } = await derivedImage(`${store.path}/image`, base, [{ "opt/a": file("a"), "tmp/x": file("") }]);
    const { image } = await store.pull(reference);
    assertEquals((await listTree(store.repo, image.commit))["/opt/a"], kept ? FILE(1) : undefined);
  });
}

Deno.test("ImagePull.import() refuses an entry below a symlink of the base that a transient root would keep", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path, {
    files: { "usr/lib/ostree/prepare-root.conf": "[root]\ntransient=true\n" },
  });
  const { reference } = await derivedImage(`${store.path}/image`, base, [{ "bin/tool": file("x") }]);
  assertStringIncludes(
    await failure(store.pull(reference)),
    'The layer has entries below "bin", which is a file or symlink in an earlier layer',
  );
});

Deno.test("ImagePull.import() takes hardlinks into the container's own repository, unchanged and changed", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path, { files: { "usr/bin/tool": "tool\n", "usr/bin/other": { link: "tool" } } });
  const checksum = async (path: string) => {
    const { stdout } = await new Deno.Command("ostree", {
      args: ["ls", "-C", `--repo=${base.repo}`, base.commit, path],
    })
      .output();
    return /[0-9a-f]{64}/.exec(new TextDecoder().decode(stdout))![0];
  };
  const object = (sum: string) => `sysroot/ostree/repo/objects/${sum.slice(0, 2)}/${sum.slice(2)}.file`;
  const tool = object(await checksum("/usr/bin/tool")), other = object(await checksum("/usr/bin/other"));
  const { reference } = await derivedImage(`${store.path}/image`, base, [
    { "usr/bin/same": hardlink(tool), "usr/bin/link": hardlink(`/${other}`) },
    {
      "sysroot/ostree/repo/config": file("ignored"),
      [`./${tool}`]: file("changed in the container\n", { mode: 0o755 }),
      [other]: link("elsewhere"),
      "usr/bin/tool": hardlink(`./${tool}`),
      "usr/bin/other": hardlink(other),
    },
  ]);
  const { image } = await store.pull(reference);
  await fsck(store.repo);
  const tree = await listTree(store.repo, image.commit);
  assertEquals(await readFile(store.repo, image.commit, "/usr/bin/same"), "tool\n");
  assertEquals(await readFile(store.repo, image.commit, "/usr/bin/tool"), "changed in the container\n");
  assertEquals(tree["/usr/bin/link"], "l00777 0 0 -> tool");
  assertEquals(tree["/usr/bin/other"], "l00777 0 0 -> elsewhere");
  assertEquals(Object.keys(tree).filter((path) => path.startsWith("/sysroot/")), []);
});

Deno.test("ImagePull.import() keeps several xattrs and capabilities, and leaves empty ones out", async () => {
  const capability = Uint8Array.fromHex("0100000200040000000000000000000000000000");
  const xattrs = { "user.z": "last", "user.a": "first", "user.empty": "", "security.capability": capability };
  const tree = await merged({
    "usr/a": file("a", { xattrs }),
    "usr/d/": dir({ xattrs: { "user.dir": "d", "user.b": new Uint8Array([0, 1, 0]) } }),
  });
  const bytes = [...capability].map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(", ");
  assertEquals(
    tree["/usr/a"],
    `-00644 0 0 1 [(b'security.capability', [byte ${bytes}]), (b'user.a', [0x66, 0x69, 0x72, 0x73, 0x74]), (b'user.z', [0x6c, 0x61, 0x73, 0x74])]`,
  );
  assertEquals(tree["/usr/d"], "d00755 0 0 [(b'user.b', [byte 0x00, 0x01, 0x00]), (b'user.dir', [0x64])]");
});
