/** Hosts that are damaged or full, and people who mistype: one `error:` line each time, and a way on. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { osImage } from "../os_image.ts";
import { deployWithOstree, listDeployments, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { bootc, bootcWith, type Outcome } from "./bootc.ts";

/** A system root in memory that follows `oci:IMAGES/os`, with as many versions deployed as given. */
class Followed implements AsyncDisposable {
  private constructor(
    readonly path: string,
    readonly images: string,
    readonly stack: AsyncDisposableStack,
  ) {}

  static async make(versions = 1): Promise<Followed> {
    await using stack = new AsyncDisposableStack();
    const root = stack.use(await sysrootDirectory());
    const images = stack.use(await tempDir());
    const sysroot = await makeSysroot(root.path);
    await makeOsCommit(sysroot.repo);
    await deployWithOstree(sysroot);
    for (let version = 1; version <= versions; version++) {
      osImage(`${images.path}/os`, { version: `${version}` });
      const verb = version === 1 ? ["switch", "--transport", "oci", `${images.path}/os`] : ["upgrade"];
      const { code, stderr } = await bootc(...verb, "--sysroot", root.path);
      if (code !== 0) throw new Error(stderr);
    }
    return new Followed(root.path, images.path, stack.move());
  }

  bootc(...words: string[]): Promise<Outcome> {
    return bootc(...words, "--sysroot", this.path);
  }

  /** Checksums of what is deployed, the one to boot next first. */
  async deployed(): Promise<string[]> {
    const listed = await listDeployments({ path: this.path, repo: `${this.path}/ostree/repo`, stateroot: "default" });
    return listed.map(({ checksum }) => checksum);
  }

  commitPath(checksum: string): string {
    return `${this.path}/ostree/repo/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.commit`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

const EMPTY_SYSROOT: readonly (readonly string[])[] = [
  ["status"],
  ["upgrade"],
  ["upgrade", "--from-downloaded"],
  ["switch", "quay.io/example/os"],
  ["switch", "--mutate-in-place", "quay.io/example/os"],
  ["rollback"],
  ["edit", "-f", "-"],
  ["image", "list"],
];
for (const words of EMPTY_SYSROOT) {
  Deno.test(`bootc ${words.join(" ")} refuses an empty --sysroot`, async () => {
    const { code, stdout, stderr } = await bootc(...words, "--sysroot", "");
    assertEquals({ code, stdout, stderr }, {
      code: 1,
      stdout: "",
      stderr: "error: The path of the system root is empty\nhint: Give a directory to --sysroot\n",
    });
  });
}

const PROGRESS_FDS: readonly (readonly [fd: string, why: string, hint: string])[] = [
  ["0", "a standard stream", "Open a descriptor from 3 on for it"],
  ["1", "a standard stream", "Open a descriptor from 3 on for it"],
  ["2", "a standard stream", "Open a descriptor from 3 on for it"],
  ["99999999999", "no descriptor", "Open a descriptor from 3 on for it"],
  ["3", "a descriptor of the program itself", "Open it for writing"],
];
for (const [fd, what, hint] of PROGRESS_FDS) {
  Deno.test(`bootc upgrade --progress-fd ${fd} refuses ${what}`, async () => {
    await using host = await Followed.make();
    const { code, stdout, stderr } = await host.bootc("upgrade", "--progress-fd", fd);
    assertEquals({ code, stdout, stderr }, {
      code: 1,
      stdout: "",
      stderr: `error: Cannot use fd ${fd} for progress JSON\nhint: ${hint}\n`,
    });
  });
}

Deno.test("bootc upgrade names a damaged commit, status shows the rest, and rollback leads away", async () => {
  await using host = await Followed.make(2);
  const [newer, older] = await host.deployed();
  await Deno.truncate(host.commitPath(newer!), 100);
  const upgrade = await host.bootc("upgrade");
  assertEquals(upgrade.code, 1);
  assertMatch(
    upgrade.stderr,
    /\nerror: Cannot read the commit "[0-9a-f]{64}": GVariant .*\nhint: See what is damaged with `ostree fsck`; `bootc rollback` leads to the deployment before\n$/,
  );
  const check = await host.bootc("upgrade", "--check");
  assertStringIncludes(check.stderr, `error: Cannot read image "oci:${host.images}/os": GVariant data`);
  const status = await host.bootc("status", "--json");
  assertEquals(status.code, 0);
  assertStringIncludes(status.stderr, "warning: Cannot read the stored image of deployment");
  const { spec, status: { otherDeployments } } = JSON.parse(status.stdout);
  assertEquals(spec.image.image, `${host.images}/os`);
  assertEquals(otherDeployments.map((entry: { image: { version: string } | null }) => entry.image?.version), [
    undefined,
    "1",
  ]);
  assertEquals((await host.bootc("rollback")).code, 0);
  assertEquals(await host.deployed(), [older, newer]);
});

Deno.test("bootc upgrade names the commit whose tree is damaged", async () => {
  await using host = await Followed.make();
  const [commit] = await host.deployed();
  for (const { name } of [...Deno.readDirSync(`${host.path}/ostree/repo/objects`)]) {
    const directory = `${host.path}/ostree/repo/objects/${name}`;
    for (const object of [...Deno.readDirSync(directory)]) {
      if (object.name.endsWith(".dirtree")) Deno.removeSync(`${directory}/${object.name}`);
    }
  }
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'error: Cannot boot "ostree-unverified-image:oci:');
  assertStringIncludes(stderr, `": Cannot read the commit "${commit}": No such metadata object `);
});

Deno.test("bootc upgrade says that it cannot lock the system root, and which", async () => {
  await using host = await Followed.make();
  await Deno.mkdir(`${host.path}/ostree/lock`);
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals([code, stderr.split("\n").length], [1, 3]);
  assertStringIncludes(stderr, `error: Cannot lock the system root "${host.path}": `);
  assertStringIncludes(stderr, "\nhint: It must be writable to be changed;");
});

Deno.test("bootc switch leaves nothing half-made where it cannot deploy, and works once it can", async () => {
  await using host = await Followed.make();
  const before = await host.deployed();
  const directory = `${host.path}/ostree/deploy/default/deploy`;
  const names = () => [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  const [kernels, aside] = [`${host.path}/boot/ostree`, `${host.path}/boot/aside`];
  const left = names();
  osImage(`${host.images}/other`, { version: "2", kernel: "6.2.0-test" });
  const other = ["--transport", "oci", `${host.images}/other`];
  await Deno.rename(kernels, aside);
  await Deno.writeTextFile(kernels, "");
  for (let attempt = 0; attempt < 2; attempt++) {
    const { code, stderr } = await host.bootc("switch", ...other);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: Cannot deploy "ostree-unverified-image:oci:${host.images}/other": `);
    assertEquals(await host.deployed(), before);
    assertEquals(names(), left);
  }
  await Deno.remove(kernels);
  await Deno.rename(aside, kernels);
  const { code, stderr } = await host.bootc("switch", ...other);
  assertEquals(code, 0, stderr);
  assertEquals((await host.deployed()).slice(1), before.slice(0, 1));
});

Deno.test("bootc upgrade leads away from an image whose kargs.d cannot be read", async () => {
  await using host = await Followed.make();
  const image = { version: "2", files: { "usr/lib/bootc/kargs.d/1.toml": "kargs = [" } };
  osImage(`${host.images}/os`, image);
  const refused = await host.bootc("upgrade");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, `error: Cannot read "usr/lib/bootc/kargs.d/1.toml" of the image: `);
  // ostree knows no kargs.d, and deploys it.
  const reference = `ostree-unverified-image:oci:${host.images}/os`;
  const pull = ["internals", "ostree-container", "image", "pull", `${host.path}/ostree/repo`, reference];
  const commit = / => ([0-9a-f]{64})\n$/.exec((await bootc(...pull)).stdout)![1]!;
  await Deno.writeTextFile(`${host.images}/origin`, `[origin]\ncontainer-image-reference=${reference}\n`);
  const sysroot = { path: host.path, repo: `${host.path}/ostree/repo`, stateroot: "default" };
  await deployWithOstree(sysroot, { ref: commit, originFile: `${host.images}/origin` });
  osImage(`${host.images}/os`, { version: "3", kargs: ["nosmt"] });
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    `warning: No kernel argument is removed: Cannot read "usr/lib/bootc/kargs.d/1.toml" of the image: `,
  );
  const entries = [...Deno.readDirSync(`${host.path}/boot/loader/entries`)].map(({ name }) => name).sort();
  assertMatch(await Deno.readTextFile(`${host.path}/boot/loader/entries/${entries.at(-1)}`), /^options .* nosmt$/m);
});

Deno.test("bootc switch refuses a name that no ref can hold before it looks for the image", async () => {
  await using host = await Followed.make();
  const name = "x".repeat(300);
  const { code, stderr } = await host.bootc("switch", name);
  assertEquals({ code, stderr }, {
    code: 1,
    stderr: `error: The name of image "docker://${name}" is too long to be stored\n` +
      "hint: Use a shorter name: escaped, it takes 318 bytes of 255\n",
  });
});

const EDITORS: readonly (readonly [does: string, script: string, error: string])[] = [
  [
    "writes garbage",
    'echo "a: [" > "$1"',
    'Cannot read what the editor "EDITOR" left; nothing was changed: Cannot read status document: neither JSON nor YAML: ' +
    "Cannot read flow collection: unexpected end of the stream within a flow collection at line 2, column 1\n",
  ],
  [
    "writes no text",
    `printf '\\377' > "$1"`,
    'Cannot read what the editor "EDITOR" left; nothing was changed: The text is not UTF-8\n',
  ],
  ["empties the file", ': > "$1"', "nothing was changed: Cannot read status document: expected a mapping\n"],
  ["removes the file", 'rm "$1"', "nothing was changed: No such file or directory"],
  ["fails", "exit 3", 'The editor "EDITOR" failed with exit code 3; nothing was changed\n'],
];
for (const [does, script, error] of EDITORS) {
  Deno.test(`bootc edit changes nothing when the editor ${does}`, async () => {
    await using host = await Followed.make();
    const before = await host.deployed();
    const editor = `${host.images}/editor`;
    await Deno.writeTextFile(editor, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const { code, stdout, stderr } = await bootcWith({ env: { EDITOR: editor } }, "edit", "--sysroot", host.path);
    assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2], stderr);
    assertStringIncludes(stderr, error.replace("EDITOR", editor));
    assertEquals(await host.deployed(), before);
  });
}

Deno.test("bootc edit takes a blank EDITOR as none", async () => {
  await using host = await Followed.make();
  const { code, stderr } = await bootcWith({ env: { EDITOR: "  " } }, "edit", "--sysroot", host.path);
  assertEquals([code, stderr], [
    1,
    "error: No editor is set\nhint: Set EDITOR, or give the document with --filename\n",
  ]);
});

const ORIGINS: readonly (readonly [what: string, content: Uint8Array<ArrayBuffer>, why: string])[] = [
  ["that is no text", new Uint8Array([0x5b, 0xff, 0x5d, 0x0a]), "The text is not UTF-8"],
  ["without a group", new TextEncoder().encode("a=b\n"), "Line 1 of a key file stands before the first group"],
];
for (const [what, content, why] of ORIGINS) {
  Deno.test(`bootc switch --mutate-in-place names an origin file ${what}, and leaves it`, async () => {
    await using root = await tempDir();
    const path = `${root.path}/ostree/deploy/os/deploy/${"a".repeat(64)}.0.origin`;
    await Deno.mkdir(`${root.path}/ostree/deploy/os/deploy`, { recursive: true });
    await Deno.writeFile(path, content);
    const { code, stderr } = await bootc("switch", "--mutate-in-place", "--sysroot", root.path, "quay.io/example/os");
    assertEquals([code, stderr.split("\n").length], [1, 2], stderr);
    assertStringIncludes(stderr, `error: Cannot read the origin file "${path}": ${why}`);
    assertEquals(await Deno.readFile(path), content);
  });
}

Deno.test("bootc switch --mutate-in-place passes over stateroots without deployments", async () => {
  await using root = await tempDir();
  const deploy = `${root.path}/ostree/deploy`;
  for (const name of ["a", "b", "c", "d"]) await Deno.mkdir(`${deploy}/${name}`, { recursive: true });
  await Deno.mkdir(`${deploy}/os/deploy`, { recursive: true });
  await Deno.writeTextFile(`${deploy}/os/deploy/${"a".repeat(64)}.0.origin`, "[origin]\n");
  const { code, stdout } = await bootc("switch", "--mutate-in-place", "--sysroot", root.path, "quay.io/example/os");
  assertEquals([code, stdout], [0, `Updated ${"a".repeat(64)}.0 to pull from quay.io/example/os\n`]);
});
