import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Interrupted } from "../../lib/sys/errors.ts";
import { type Fault, FOREIGN_LIST, startFaultyRegistry } from "../faulty_registry.ts";
import { file } from "../image.ts";
import { failure, fsck, plainImage, refRoots, testStore } from "./harness.ts";

const noise = crypto.getRandomValues(new Uint8Array(60_000));
const body = new Uint8Array(1_200_000).map((_, i) => noise[i % 60_000]! ^ (i / 60_000));

const faults: [what: string, kind: "manifest" | "blob", fault: Fault, says: RegExp][] = [
  ["404 for the manifest", "manifest", { kind: "status", status: 404, code: "MANIFEST_UNKNOWN" }, /manifest unknown/i],
  ["401", "manifest", { kind: "status", status: 401, code: "UNAUTHORIZED" }, /unauthorized/i],
  ["500 for the manifest", "manifest", { kind: "status", status: 500 }, /500/],
  ["a list without this platform", "manifest", FOREIGN_LIST, /no image found|choose an image/i],
  ["404 for the blob", "blob", { kind: "status", status: 404, code: "BLOB_UNKNOWN" }, /404|blob unknown/i],
  ["500 for the blob", "blob", { kind: "status", status: 500 }, /500/],
  ["a reset in the middle of the blob", "blob", { kind: "reset", afterBytes: 300_000 }, /Layer "sha256:/],
  ["a shorter blob", "blob", { kind: "truncate", bytes: 300_000 }, /Layer "sha256:/],
  ["a corrupt blob", "blob", { kind: "corrupt" }, /Layer "sha256:/],
];

for (const [what, kind, fault, says] of faults) {
  Deno.test(`ImagePull.import() survives ${what}, and pulls when the registry is well again`, async () => {
    await using store = await testStore();
    const written = plainImage(`${store.path}/image`, { "usr/first": file("1") }, { "usr/body": file(body) });
    await using registry = await startFaultyRegistry(`${store.path}/image`);
    registry.fault = (request) =>
      request.kind === kind && (kind === "manifest" || request.path.endsWith(written.layers[1]!.digest))
        ? fault
        : undefined;
    const reference = `docker://${registry.address}/os:latest`;
    const message = await failure(store.pull(reference, {}, { env: registry.env }));
    assertStringIncludes(message, `${registry.address}/os`);
    assert(says.test(message), message);
    if (kind === "blob") assertStringIncludes(message, `Layer "${written.layers[1]!.digest}"`);
    const kept = Object.keys(refRoots(store.repo));
    assertEquals(kept.length, kind === "blob" ? 1 : 0);
    await fsck(store.repo);
    registry.fault = () => undefined;
    const { imported } = await store.pull(reference, {}, { env: registry.env });
    assertEquals(imported, kind === "blob" ? 1 : 2);
    await fsck(store.repo);
  });
}

for (const afterBytes of [undefined, 400_000]) {
  const where = afterBytes === undefined ? "before the blob" : "in the middle of the blob";
  Deno.test(`ImagePull.import() stops on a signal while the registry stalls ${where}`, async () => {
    await using store = await testStore();
    const written = plainImage(`${store.path}/image`, { "usr/body": file(body) });
    const stall: Fault = { kind: "stall", ...(afterBytes === undefined ? {} : { afterBytes }) };
    await using registry = await startFaultyRegistry(`${store.path}/image`);
    registry.fault = ({ path }) => path.endsWith(written.layers[0]!.digest) ? stall : undefined;
    const reference = `docker://${registry.address}/os:latest`;
    const abort = new AbortController();
    const pulling = store.pull(reference, {}, { env: registry.env, signal: abort.signal });
    const stopped = assertRejects(() => pulling, Interrupted);
    await registry.stalled;
    abort.abort();
    await stopped;
    assertEquals(refRoots(store.repo), {});
    registry.fault = () => undefined;
    await store.pull(reference, {}, { env: registry.env });
    await fsck(store.repo);
  });
}
