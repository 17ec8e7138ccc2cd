import { assertEquals } from "@std/assert";
import { type ImageChoice, installImages } from "../../lib/cli/install_flags.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../../lib/oci/reference.ts";

const CONTAINER: OstreeImageReference = {
  signature: { kind: "unverified" },
  image: { transport: "containers-storage", name: "quay.io/example/os:1" },
};
const NOTHING: ImageChoice = {
  sourceImgref: undefined,
  targetImgref: undefined,
  targetTransport: "registry",
  enforceContainerSigpolicy: false,
};

const CASES: readonly [what: string, choice: Partial<ImageChoice>, source: string, target: string][] = [
  [
    "a container follows its image at the registry",
    {},
    "ostree-unverified-image:containers-storage:quay.io/example/os:1",
    "ostree-unverified-registry:quay.io/example/os:1",
  ],
  [
    "a container follows another transport where that is given",
    { targetTransport: "oci" },
    "ostree-unverified-image:containers-storage:quay.io/example/os:1",
    "ostree-unverified-image:oci:quay.io/example/os:1",
  ],
  [
    "a source is followed as it is",
    { sourceImgref: "oci:os" },
    "ostree-unverified-image:oci:os",
    "ostree-unverified-image:oci:os",
  ],
  [
    "a target goes before both, and a signature is demanded of it",
    { sourceImgref: "oci:os", targetImgref: "example.com/os", enforceContainerSigpolicy: true },
    "ostree-image-signed:oci:os",
    "ostree-image-signed:docker://example.com/os",
  ],
];
for (const [what, choice, source, target] of CASES) {
  Deno.test(`installImages(): ${what} (I8)`, () => {
    const images = installImages({ ...NOTHING, ...choice }, CONTAINER)!;
    assertEquals(
      [formatOstreeImageReference(images.source), formatOstreeImageReference(images.target)],
      [source, target],
    );
  });
}

Deno.test("installImages() has nothing outside a container without a source", () => {
  assertEquals(installImages(NOTHING, undefined), undefined);
});
