import { assertEquals, assertThrows } from "@std/assert";
import { Origin } from "../../lib/ostree/origin.ts";

const IMAGE = "ostree-unverified-registry:quay.io/example/os:latest";

Deno.test("Origin.forImage() writes what ostree-ext writes", () => {
  assertEquals(Origin.forImage(IMAGE).toString(), `[origin]\ncontainer-image-reference=${IMAGE}\n`);
});

Deno.test("Origin.imageReference set ends following a ref, and keeps all else as it stands", () => {
  const origin = Origin.parse(
    "# by hand\n[origin]\nbaserefspec=fedora:x\nrefspec=os\nunconfigured-state=no\n\n[packages]\nrequested=a;b;\n",
  );
  assertEquals(origin.refspec, "os");
  origin.imageReference = IMAGE;
  assertEquals(origin.refspec, undefined);
  assertEquals(
    origin.toString(),
    `# by hand\n[origin]\nunconfigured-state=no\ncontainer-image-reference=${IMAGE}\n\n[packages]\nrequested=a;b;\n`,
  );
});

const groups: [string, boolean][] = [
  ["", false],
  ["[origin]\nrefspec=os\n", false],
  ["[libostree-transient]\npinned=true\n", false],
  ["[bootc.config.x]\nurl=y\n", false],
  ["[rpmostree]\nregenerate-initramfs=true\n", true],
  ["[packages]\nrequested=vim;\n", true],
  ["[overrides]\nremove=vim;\n", true],
  ["[modules]\nenable=x;\n", true],
];
for (const [text, incompatible] of groups) {
  Deno.test(`Origin.incompatible is ${incompatible} for ${JSON.stringify(text)}`, () => {
    assertEquals(Origin.parse(text).incompatible, incompatible);
  });
}

Deno.test("Origin.copyForDeployment() drops the pin only, and leaves the original alone", () => {
  const text =
    `[origin]\ncontainer-image-reference=${IMAGE}\n\n[libostree-transient]\npinned=true\n\n[packages]\nrequested=a;\n`;
  const origin = Origin.parse(text);
  const copy = origin.copyForDeployment();
  assertEquals(copy.get("libostree-transient", "pinned"), undefined);
  assertEquals(copy.get("packages", "requested"), "a;");
  assertEquals(copy.imageReference, IMAGE);
  assertEquals(origin.toString(), text);
});

Deno.test("Origin.parse() refuses what is no key file", () => {
  assertThrows(() => Origin.parse("nonsense"), SyntaxError);
});
