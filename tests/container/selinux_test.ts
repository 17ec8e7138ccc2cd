import { assert, assertEquals } from "@std/assert";
import { dir, file, hardlink, link, type Tree } from "../image.ts";
import { ostreeText } from "../ostree_cli.ts";
import type { TreeEntry } from "../sysroot.ts";
import {
  baseCommit,
  derivedImage,
  fsck,
  listTree,
  newRepo,
  plainImage,
  pullImage,
  refRoots,
  rootOf,
  type TestStore,
  testStore,
} from "./harness.ts";

const CONTEXTS = `
/.*	system_u:object_r:default_t:s0
/usr(/.*)?	system_u:object_r:usr_t:s0
/usr/bin(/.*)?	system_u:object_r:bin_t:s0
/usr/bin/s	-l	system_u:object_r:link_t:s0
/usr/etc(/.*)?	system_u:object_r:etc_t:s0
/usr/etc/shadow	--	system_u:object_r:shadow_t:s0
`;

/** The smallest policy that libselinux reads: nothing looks into the binary part here. */
function policy(contexts = CONTEXTS): Record<string, string> {
  return {
    "usr/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=tiny\n",
    "usr/etc/selinux/tiny/contexts/files/file_contexts": contexts,
    "usr/etc/selinux/tiny/policy/policy.33": "binary",
  };
}

/** Labels by path: "bin_t", or "" for none. */
async function labels(repo: string, commit: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const [path, shown] of Object.entries(await listTree(repo, commit))) {
    const bytes = /\(b'security\.selinux', \[(?:byte )?([^\]]*)\]\)/.exec(shown)?.[1]?.split(", ").map(Number);
    const label = bytes ? String.fromCharCode(...bytes) : /\(b'security\.selinux', b'([^']*)'\)/.exec(shown)?.[1] ?? "";
    assert(label === "" || bytes === undefined || label.endsWith("\0"), label);
    out[path] = label.split(":")[2] ?? "";
  }
  return out;
}

const LAYER: Tree = {
  "usr/bin/tool": file("tool", { xattrs: { "security.selinux": "system_u:object_r:own_t:s0\0", "user.a": "1" } }),
  "usr/bin/hard": hardlink("usr/bin/tool"),
  "usr/bin/s": link("tool"),
  "usr/lib/implied/large": file(new Uint8Array(700_000)),
  "usr/named/": dir({ mode: 0o700 }),
  "etc/shadow": file("root:*", { mode: 0o600 }),
  "etc/other": file("other"),
};
const EXPECTED = {
  "/usr/bin/tool": "bin_t",
  "/usr/bin/hard": "bin_t",
  "/usr/bin/s": "link_t",
  "/usr/lib/implied": "usr_t",
  "/usr/lib/implied/large": "usr_t",
  "/usr/named": "usr_t",
  "/usr/etc/shadow": "shadow_t",
  "/usr/etc/other": "etc_t",
};

function only(found: Record<string, string>, paths: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(paths).map((path) => [path, found[path]!]));
}

async function policyBase(store: TestStore, files: Record<string, TreeEntry> = policy(), name = "base") {
  await Deno.mkdir(`${store.path}/${name}`);
  return await baseCommit(`${store.path}/${name}`, { files });
}

for (const mode of ["bare", "bare-user"]) {
  Deno.test(`A derived layer gets the labels of its base's policy in a ${mode} repository, by both writers`, async () => {
    await using store = await testStore(mode);
    const { reference } = await derivedImage(`${store.path}/image`, await policyBase(store), [LAYER]);
    const { image: pulled } = await store.pull(reference);
    assertEquals(only(await labels(store.repo, pulled.commit), EXPECTED), EXPECTED);
    const tool = (await listTree(store.repo, pulled.commit))["/usr/bin/tool"]!;
    assert(tool.includes("'user.a'") && tool.match(/security\.selinux/g)!.length === 1, tool);
    await fsck(store.repo);
    const api = `${store.path}/api`;
    await newRepo(api, mode);
    await pullImage(store.ctx, { repo: api, reference }, { direct: false });
    assertEquals(refRoots(store.repo), refRoots(api));
  });
}

Deno.test("Labels are those that ostree commit --selinux-policy gives", async () => {
  await using store = await testStore("bare");
  const { reference } = await derivedImage(`${store.path}/image`, await policyBase(store), [LAYER]);
  const { image: pulled } = await store.pull(reference);
  const tree = `${store.path}/checkout`;
  await ostreeText("checkout", `--repo=${store.repo}`, pulled.commit, tree);
  await ostreeText("commit", `--repo=${store.repo}`, "--branch=judge", `--selinux-policy=${tree}`, tree);
  assertEquals(only(await labels(store.repo, "judge"), EXPECTED), EXPECTED);
});

Deno.test("A file that was changed in the container's repository gets the label of each path that links to it", async () => {
  await using store = await testStore("bare");
  const base = await policyBase(store, { ...policy(), "usr/bin/old": "old\n" });
  const object = `sysroot/ostree/repo/objects/ab/${"cd".repeat(31)}.file`;
  const large = `sysroot/ostree/repo/objects/ab/${"ef".repeat(31)}.file`;
  const symlink = `sysroot/ostree/repo/objects/ab/${"01".repeat(31)}.file`;
  const { reference } = await derivedImage(`${store.path}/image`, base, [{
    [object]: file("changed", { xattrs: { "security.selinux": "wrong\0", "user.kept": "k" } }),
    [large]: file(new Uint8Array(900_000).fill(3)),
    [symlink]: link("tool"),
    "usr/bin/one": hardlink(object),
    "usr/lib/two": hardlink(object),
    "usr/bin/large": hardlink(large),
    "usr/bin/s": hardlink(symlink),
  }]);
  const expected = {
    "/usr/bin/one": "bin_t",
    "/usr/lib/two": "usr_t",
    "/usr/bin/large": "bin_t",
    "/usr/bin/s": "link_t",
  };
  for (const direct of [true, false]) {
    const repo = `${store.path}/repo-${direct}`;
    await newRepo(repo, "bare");
    const { image: pulled } = await pullImage(store.ctx, { repo, reference }, { direct });
    assertEquals(only(await labels(repo, pulled.commit), expected), expected);
    const tree = await listTree(repo, pulled.commit);
    assert(tree["/usr/lib/two"]!.includes("'user.kept'"));
    assert(tree["/usr/bin/large"]!.startsWith("-00644 0 0 900000"));
    await fsck(repo);
  }
});

Deno.test("Without a policy a layer keeps the labels that it brings", async () => {
  await using store = await testStore();
  const { reference } = await derivedImage(`${store.path}/image`, await policyBase(store, {}), [LAYER]);
  const { image: pulled } = await store.pull(reference);
  const found = await labels(store.repo, pulled.commit);
  assertEquals([found["/usr/bin/tool"], found["/usr/bin/s"]], ["own_t", ""]);
  await fsck(store.repo);
});

Deno.test("A stored layer is fetched again where the base has another policy, and not where it has the same", async () => {
  await using store = await testStore();
  const write = async (name: string, files: Record<string, TreeEntry>) =>
    (await derivedImage(`${store.path}/${name}-image`, await policyBase(store, files, name), [LAYER])).reference;
  await store.pull(await write("one", policy()));
  const same = await store.pull(await write("two", { ...policy(), "usr/version": "2" }));
  assertEquals(same.imported, 1);
  const other = await store.pull(await write("three", policy(CONTEXTS.replaceAll("bin_t", "program_t"))));
  assertEquals(other.imported, 2);
  assertEquals((await labels(store.repo, other.image.commit))["/usr/bin/tool"], "program_t");
  await fsck(store.repo);
});

Deno.test("An image without an ostree part is labelled by the policy of its merged tree", async () => {
  await using store = await testStore("bare");
  const files = Object.fromEntries(
    Object.entries(policy()).map(([path, text]) => [path.replace(/^usr\/etc/, "etc"), file(text)]),
  );
  const upper = { "etc/selinux/tiny/contexts/files/file_contexts": file(CONTEXTS.replaceAll("usr_t", "merged_t")) };
  const { reference } = plainImage(`${store.path}/image`, { ...files, ...LAYER }, upper);
  const { image: pulled } = await store.pull(reference);
  const expected = Object.fromEntries(
    Object.entries(EXPECTED).map(([path, label]) => [path, label.replace("usr_t", "merged_t")]),
  );
  assertEquals(only(await labels(store.repo, pulled.commit), { ...expected, "/": "" }), {
    ...expected,
    "/": "default_t",
  });
  await fsck(store.repo);
  for (const mode of ["bare-user", "archive"]) {
    const repo = `${store.path}/${mode}`;
    await newRepo(repo, mode);
    const { image } = await pullImage(store.ctx, { repo, reference });
    assertEquals(rootOf(repo, image.commit), rootOf(store.repo, pulled.commit));
    await fsck(repo);
  }
});
