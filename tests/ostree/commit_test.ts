import { assertEquals, assertThrows } from "@std/assert";
import { encode, Variant } from "../../lib/codec/gvariant.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import {
  COMMIT_TYPE,
  decodeCommit,
  decodeMetadata,
  encodeCommit,
  encodeMetadata,
  metadataText,
  newCommit,
} from "../../lib/ostree/commit.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { type CommitRequest, ostreeCommit, ostreeInit } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

const DIGEST = "ab".repeat(32);
const root = { timestampSeconds: 0, rootTree: DIGEST, rootMeta: DIGEST };

const requests: Record<string, Partial<CommitRequest>> = {
  "without anything": {},
  "with a subject and a body": { subject: "Über alles", body: "Two\nlines\n" },
  "with metadata": { metadata: { version: "41.2", empty: "", "ostree.manifest": '{"a":' + "1".repeat(70000) + "}" } },
  "of 1970": { timestamp: "1970-01-01 00:00:00 +0000" },
  "with a parent": { parent: DIGEST },
};

for (const [name, request] of Object.entries(requests)) {
  Deno.test(`encodeCommit() undoes decodeCommit() for ostree's commit ${name}`, async () => {
    await using tmp = await tempDir();
    await Deno.mkdir(`${tmp.path}/tree`);
    await ostreeInit(`${tmp.path}/repo`, "bare-user");
    const checksum = await ostreeCommit(`${tmp.path}/repo`, { ref: "main", tree: `${tmp.path}/tree`, ...request });
    using repo = Repo.open(`${tmp.path}/repo`);
    const bytes = repo.loadMetadata("commit", checksum);
    const commit = decodeCommit(bytes);
    assertEquals(encodeCommit(commit), bytes);
    assertEquals(sha256(encodeCommit(commit)).toHex(), checksum);
    assertEquals(commit.subject, request.subject ?? "");
    assertEquals(commit.body, request.body ?? "");
    assertEquals(commit.parent, request.parent);
    for (const [key, value] of Object.entries(request.metadata ?? {})) {
      assertEquals(metadataText(commit.metadata, key), value);
    }
    const age = Date.now() / 1000 - commit.timestampSeconds;
    if (request.timestamp) assertEquals(commit.timestampSeconds, 0);
    else if (age < -2 || age > 60) throw new Error(`The timestamp is ${age} s old`);
  });
}

Deno.test("encodeCommit() writes the timestamp big-endian", () => {
  const bytes = encodeCommit(newCommit({ ...root, timestampSeconds: 0x01020304 }));
  const hex = bytes.toHex();
  assertEquals(hex.includes("0000000001020304"), true);
  assertEquals(decodeCommit(bytes).timestampSeconds, 0x01020304);
});

for (const timestampSeconds of [-1, 0.5, NaN, 2 ** 60]) {
  Deno.test(`encodeCommit() refuses the timestamp ${timestampSeconds}`, () => {
    assertThrows(() => encodeCommit(newCommit({ ...root, timestampSeconds })), RangeError);
  });
}

for (const rootTree of ["", "abc", DIGEST.toUpperCase()]) {
  Deno.test(`encodeCommit() refuses the root tree "${rootTree}"`, () => {
    assertThrows(() => encodeCommit(newCommit({ ...root, rootTree })), SyntaxError);
  });
}

const short = new Uint8Array(31), whole = new Uint8Array(32), none = new Uint8Array(0);
const text = new Variant("s", "x");
const broken: Record<string, Uint8Array<ArrayBuffer>> = {
  "nothing": none,
  "a short root tree": encode(COMMIT_TYPE, [[], none, [], "", "", 0n, short, whole]),
  "no root directory": encode(COMMIT_TYPE, [[], none, [], "", "", 0n, whole, none]),
  "a short parent": encode(COMMIT_TYPE, [[], short, [], "", "", 0n, whole, whole]),
  "a timestamp past all time": encode(COMMIT_TYPE, [[], none, [], "", "", 2n ** 64n - 1n, whole, whole]),
  "a key twice": encode(COMMIT_TYPE, [[["a", text], ["a", text]], none, [], "", "", 0n, whole, whole]),
};

for (const [name, bytes] of Object.entries(broken)) {
  Deno.test(`decodeCommit() refuses ${name}`, () => {
    assertThrows(() => decodeCommit(bytes), RangeError);
  });
}

Deno.test("decodeMetadata() undoes encodeMetadata(), values of any type", () => {
  const metadata = new Map([["s", text], ["t", new Variant("t", 5n)], ["as", new Variant("as", ["a", "b"])]]);
  assertEquals(decodeMetadata(encodeMetadata(metadata)), metadata);
  assertEquals(metadataText(metadata, "s"), "x");
  assertEquals(metadataText(metadata, "t"), undefined);
  assertEquals(metadataText(metadata, "none"), undefined);
});
