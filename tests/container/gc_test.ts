import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { pruneLayers, tidyLayers } from "../../lib/container/gc.ts";
import { layerRef } from "../../lib/container/refs.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";

const DIGEST = `sha256:${"1".repeat(64)}` as const;

/** A repository with a layer that nothing needs, and an image's ref on a commit whose object is damaged. */
async function damaged(path: string): Promise<Repo> {
  const sysroot = await makeSysroot(path);
  const commit = await makeOsCommit(sysroot.repo);
  const other = await makeOsCommit(sysroot.repo, { ref: "ostree/container/image/oci_3A_x", files: { "usr/x": "x" } });
  const object = `${sysroot.repo}/objects/${other.slice(0, 2)}/${other.slice(2)}.commit`;
  await Deno.writeTextFile(object, "no commit");
  const repo = Repo.open(sysroot.repo);
  repo.setRef(layerRef(DIGEST), commit);
  return repo;
}

Deno.test("pruneLayers() removes nothing where it cannot be known what is needed", async () => {
  await using root = await sysrootDirectory();
  using repo = await damaged(root.path);
  const error = assertThrows(() => pruneLayers(repo), UserError);
  assertStringIncludes(error.message, 'of ref "ostree/container/image/oci_3A_x"');
  assertEquals(repo.resolve(layerRef(DIGEST)) === undefined, false);
});

Deno.test("tidyLayers() says so and goes on", async () => {
  await using root = await sysrootDirectory();
  using repo = await damaged(root.path);
  const notes: string[] = [];
  tidyLayers({ ...plainContext({}), note: (line) => notes.push(line) }, repo);
  assertEquals(notes.length, 1);
  assertStringIncludes(notes[0]!, "warning: No layer is removed: Cannot read the commit");
  assertEquals(repo.resolve(layerRef(DIGEST)) === undefined, false);
});
