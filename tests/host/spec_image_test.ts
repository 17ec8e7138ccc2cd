import { assertEquals, assertThrows } from "@std/assert";
import { imageText, ostreeImage, sameImage, specImage } from "../../lib/host/spec_image.ts";
import type { ImageReference } from "../../lib/host/spec.ts";
import { formatOstreeImageReference, parseOstreeImageReference } from "../../lib/oci/reference.ts";

const rows: { origin: string; spec: ImageReference; text: string }[] = [
  {
    origin: "ostree-unverified-registry:quay.io/example/os:1",
    spec: { image: "quay.io/example/os:1", transport: "registry" },
    text: "quay.io/example/os:1",
  },
  {
    origin: "ostree-image-signed:docker://quay.io/example/os:1",
    spec: { image: "quay.io/example/os:1", transport: "registry", signature: "containerPolicy" },
    text: "quay.io/example/os:1",
  },
  {
    origin: "ostree-remote-image:fedora:docker://quay.io/example/os",
    spec: { image: "quay.io/example/os", transport: "registry", signature: { ostreeRemote: "fedora" } },
    text: "quay.io/example/os",
  },
  {
    origin: "ostree-unverified-image:oci:/srv/os:latest",
    spec: { image: "/srv/os:latest", transport: "oci" },
    text: "oci:/srv/os:latest",
  },
];

for (const { origin, spec, text } of rows) {
  Deno.test(`specImage() spells ${origin}`, () => assertEquals(specImage(parseOstreeImageReference(origin)), spec));
  Deno.test(`ostreeImage() gives back ${origin}`, () => {
    assertEquals(formatOstreeImageReference(ostreeImage(spec)), origin);
  });
  Deno.test(`imageText() shows ${origin}`, () => assertEquals(imageText(spec), text));
}

Deno.test("specImage() drops the tag before a digest", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const reference = parseOstreeImageReference(`ostree-unverified-registry:quay.io/example/os:1@${digest}`);
  assertEquals(specImage(reference), { image: `quay.io/example/os@${digest}`, transport: "registry" });
});

Deno.test("ostreeImage() rejects an unknown transport", () => {
  assertThrows(() => ostreeImage({ image: "a", transport: "floppy" }), SyntaxError, `Unknown transport "floppy"`);
});

const base: ImageReference = { image: "a", transport: "registry" };
const pairs: [string, ImageReference | null, ImageReference | null, boolean][] = [
  ["two of nothing", null, null, true],
  ["an image and nothing", base, null, false],
  ["the same", base, { ...base }, true],
  ["insecure and no signature", base, { ...base, signature: "insecure" }, true],
  ["another name", base, { ...base, image: "b" }, false],
  ["another transport", base, { ...base, transport: "oci" }, false],
  ["a signature and none", base, { ...base, signature: "containerPolicy" }, false],
  [
    "the same remote",
    { ...base, signature: { ostreeRemote: "x" } },
    { ...base, signature: { ostreeRemote: "x" } },
    true,
  ],
  ["two remotes", { ...base, signature: { ostreeRemote: "x" } }, { ...base, signature: { ostreeRemote: "y" } }, false],
];

for (const [what, a, b, same] of pairs) {
  Deno.test(`sameImage() compares ${what}`, () => assertEquals(sameImage(a, b), same));
}
