import { assertEquals, assertThrows } from "@std/assert";
import { escapeRef, unescapeRef } from "../../lib/ostree/refescape.ts";

const vectors: [string, string][] = [
  ["localhost:5000/foo:latest", "localhost_3A_5000/foo_3A_latest"],
  ["docker://quay.io/exampleos/blah:latest", "docker_3A__2F__2F_quay_2E_io/exampleos/blah_3A_latest"],
  ["registry:quay.io/coreos/fedora:latest", "registry_3A_quay_2E_io/coreos/fedora_3A_latest"],
  ["sha256:abc", "sha256_3A_abc"],
  ["oci-archive:/path/to/foo.ociarchive", "oci-archive_3A__2F_path/to/foo_2E_ociarchive"],
  ["/", "_2F_"],
  ["blah/", "blah_2F_"],
  ["/foo/", "_2F_foo_2F_"],
  ["a//b", "a/_2F_b"],
  ["foo-/bar", "foo-_2F_bar"],
  ["fedora/x86_64/coreos", "fedora/x86__64/coreos"],
  ["docker://127.0.0.1:5000/os@sha256:ab", "docker_3A__2F__2F_127_2E_0_2E_0_2E_1_3A_5000/os_40_sha256_3A_ab"],
  ["_3A_", "__3A__"],
  ["\n", "_0A_"],
  ["é😀", "_E9__1F600_"],
];

for (const [text, ref] of vectors) {
  Deno.test(`escapeRef() makes "${ref}"`, () => assertEquals(escapeRef(text), ref));
  Deno.test(`unescapeRef() reads "${ref}"`, () => assertEquals(unescapeRef(ref), text));
}

for (const text of ["", "a\0b"]) {
  Deno.test(`escapeRef() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => escapeRef(text), SyntaxError);
  });
}

for (const ref of ["", "_", "_3A", "_3a_", "_41_", "a_2F_b", "blah/", "_110000_", "a:b", "_00_", "_FFFFFFFFF_"]) {
  Deno.test(`unescapeRef() refuses "${ref}"`, () => {
    assertThrows(() => unescapeRef(ref), SyntaxError);
  });
}

Deno.test("unescapeRef() undoes escapeRef() for any text", () => {
  const alphabet = [..."aZ09-_/:.@ é中😀\n\x7f\uFFFD"];
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let i = 0; i < 5000; i++) {
    const text = Array.from({ length: 1 + random(12) }, () => alphabet[random(alphabet.length)]).join("");
    const ref = escapeRef(text);
    assertEquals(unescapeRef(ref), text);
    if (!/^[-\w/]+$/.test(ref)) throw new Error(`"${ref}" is no ref`);
  }
});
