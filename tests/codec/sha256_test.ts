import { assertEquals, assertStrictEquals } from "@std/assert";
import { libcrypto } from "../../lib/codec/libcrypto.ts";
import { Sha256, sha256 } from "../../lib/codec/sha256.ts";
import { Random } from "./random.ts";

libcrypto(); // opened here, since a test may not leave a library open

const text = (value: string) => new TextEncoder().encode(value);
/** FIPS 180-2 and the empty message. */
const VECTORS: [message: string, hash: string][] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

for (const [message, hash] of VECTORS) {
  const title = message.length > 10 ? `${message.length} letters` : JSON.stringify(message);
  Deno.test(`sha256() hashes ${title}`, () => assertEquals(sha256(text(message)).toHex(), hash));
  for (const options of [{}, { engine: "node" as const }]) {
    Deno.test(`Sha256 ${options.engine ?? "openssl"} hashes ${title} in pieces`, () => {
      const hasher = new Sha256(options);
      const bytes = text(message);
      for (let at = 0; at < bytes.length; at += 4099) hasher.update(bytes.subarray(at, at + 4099));
      assertEquals(hasher.digest().toHex(), hash);
    });
  }
}

Deno.test("libcrypto() is found on this machine", () => assertEquals(libcrypto() === undefined, false));

Deno.test("sha256() gives fresh memory, digest() the same buffer again", () => {
  const first = sha256(text("abc"));
  sha256(text("other"));
  assertEquals(first.toHex(), VECTORS[1]![1]);
  const hasher = new Sha256();
  assertStrictEquals(hasher.digest(), hasher.digest());
});

for (const options of [{}, { engine: "node" as const }]) {
  Deno.test(`Sha256 ${options.engine ?? "openssl"} starts anew after digest() and reset()`, () => {
    const hasher = new Sha256(options);
    hasher.update(text("x"));
    assertEquals(hasher.reset().digest().toHex(), VECTORS[0]![1]);
    hasher.update(text("x"));
    hasher.digest();
    hasher.update(text("abc"));
    assertEquals(hasher.digest().toHex(), VECTORS[1]![1]);
  });
}

Deno.test("Sha256 engines agree with the Web Crypto API", async () => {
  const random = new Random(7);
  for (let i = 0; i < 50; i++) {
    const bytes = random.bytes(random.below(3000));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    const node = new Sha256({ engine: "node" });
    node.update(bytes);
    assertEquals([sha256(bytes).toHex(), node.digest().toHex()], [hash, hash]);
  }
});
