import { assertEquals, assertThrows } from "@std/assert";
import { parseHost } from "../../lib/host/document.ts";
import { checkFormatVersion, onlyBooted, renderHost } from "../../lib/host/render.ts";
import { UserError } from "../../lib/sys/errors.ts";

function fixture(name: string): string {
  return Deno.readTextFileSync(new URL(`../fixtures/status/${name}`, import.meta.url));
}

const rows = [
  { document: "v1alpha1-staged-booted.yaml", verbose: true, booted: true },
  { document: "v1alpha1-oldest.yaml" },
  { document: "v1-null.json" },
  { document: "v1-full.json", verbose: true },
  { document: "v1-full.yaml", verbose: true },
  { document: "ostree.yaml", verbose: true },
  { document: "images.yaml", verbose: true, booted: true },
  { document: "staged-only.yaml" },
  { document: "unbooted.yaml", unbooted: true, verbose: true, booted: true },
  { document: "unbooted-ostree.yaml", unbooted: true },
  { document: "hostile.yaml" },
  { document: "composefs.yaml" },
];

for (const { document, unbooted = false, verbose = false, booted = false } of rows) {
  const name = document.replace(/\.[^.]+$/, "");
  Deno.test(`renderHost() shows ${document}`, () => {
    assertEquals(renderHost(parseHost(fixture(document)), { unbooted }), fixture(`${name}.txt`));
  });
  if (verbose) {
    Deno.test(`renderHost() shows ${document} verbosely`, () => {
      const text = renderHost(parseHost(fixture(document)), { unbooted, verbose });
      assertEquals(text, fixture(`${name}.verbose.txt`));
    });
  }
  if (booted) {
    Deno.test(`onlyBooted() leaves one deployment of ${document}`, () => {
      const host = onlyBooted(parseHost(fixture(document)), { unbooted });
      assertEquals(renderHost(host, { unbooted }), fixture(`${name}.booted.txt`));
    });
  }
}

Deno.test("renderHost() takes a document of an unbooted sysroot from a file for one of no bootc system", () => {
  assertEquals(renderHost(parseHost(fixture("unbooted.yaml"))), "System is not deployed via bootc.\n");
});

Deno.test("renderHost() finds nothing deployed in an empty unbooted sysroot", () => {
  assertEquals(
    renderHost(parseHost(fixture("v1-null.json")), { unbooted: true }),
    "System is not deployed via bootc.\n",
  );
});

Deno.test("onlyBooted() empties the other slots of the document", () => {
  const { status } = onlyBooted(parseHost(fixture("images.yaml")));
  assertEquals([status.staged, status.rollback, status.otherDeployments], [null, null, []]);
});

for (const version of [0, 1]) {
  Deno.test(`checkFormatVersion() takes ${version}`, () => checkFormatVersion(version));
}

Deno.test("checkFormatVersion() rejects another version", () => {
  assertThrows(() => checkFormatVersion(2), UserError, "Unsupported format version: 2");
});
