import { assertEquals, assertThrows } from "@std/assert";
import { hostYaml, parseHost } from "../../lib/host/document.ts";
import { hostJson } from "../../lib/host/document_json.ts";
import { Tagged, writeYaml, type YamlValue } from "../../lib/host/document_yaml.ts";
import { emptyHost } from "../../lib/host/spec.ts";

function fixture(name: string): string {
  return Deno.readTextFileSync(new URL(`../fixtures/status/${name}`, import.meta.url));
}

Deno.test("hostJson() writes the null document", () => {
  assertEquals(hostJson(emptyHost()) + "\n", fixture("v1-null.json"));
});

Deno.test("hostYaml() writes the null document", () => {
  assertEquals(
    hostYaml(emptyHost()),
    `apiVersion: org.containers.bootc/v1
kind: BootcHost
metadata:
  name: host
spec:
  image: null
  bootOrder: default
status:
  staged: null
  booted: null
  rollback: null
  rollbackQueued: false
  type: null
  usrOverlay: null
  readOnly: false
`,
  );
});

Deno.test("hostJson() writes what was read from JSON", () => {
  assertEquals(hostJson(parseHost(fixture("v1-full.json"))) + "\n", fixture("v1-full.json"));
});

Deno.test("hostJson() writes what was read from YAML", () => {
  assertEquals(hostJson(parseHost(fixture("v1-full.yaml"))) + "\n", fixture("v1-full.json"));
});

Deno.test("hostYaml() writes what was read from JSON", () => {
  assertEquals(hostYaml(parseHost(fixture("v1-full.json"))), fixture("v1-full.yaml"));
});

for (
  const name of ["ostree", "images", "composefs", "hostile", "unbooted", "v1alpha1-oldest", "v1alpha1-staged-booted"]
) {
  Deno.test(`hostYaml() and hostJson() keep ${name}`, () => {
    const host = parseHost(fixture(`${name}.yaml`));
    assertEquals(parseHost(hostYaml(host)), host);
    assertEquals(parseHost(hostJson(host)), host);
  });
}

Deno.test("parseHost() gives an old document the present version", () => {
  const host = parseHost(fixture("v1alpha1-oldest.yaml"));
  assertEquals(host.apiVersion, "org.containers.bootc/v1");
  assertEquals(host.status.booted?.image?.architecture, "");
  assertEquals(host.status.booted?.ostree?.stateroot, "");
});

for (const remote of ["'fedora'", '"fedora"', "  fedora # the remote"]) {
  Deno.test(`parseHost() takes a signature by ${remote}`, () => {
    const text = fixture("v1-full.yaml").replaceAll("!ostreeRemote fedora", `!ostreeRemote ${remote}`);
    assertEquals(hostYaml(parseHost(text)), fixture("v1-full.yaml"));
  });
}

Deno.test("parseHost() takes a signature as a mapping, too", () => {
  const text = fixture("v1-full.yaml").replaceAll("!ostreeRemote fedora", "{ostreeRemote: fedora}");
  assertEquals(hostYaml(parseHost(text)), fixture("v1-full.yaml"));
});

const head = `"apiVersion":"org.containers.bootc/v1","kind":"BootcHost"`;
const image = `"image":{"image":{"image":"a","transport":"registry"},"imageDigest":"sha256:aa"}`;
const wrong: [string, string, string][] = [
  ["no mapping", `[]`, "Cannot read status document: expected a mapping"],
  ["no document", `a: [`, "Cannot read status document: neither JSON nor YAML"],
  ["half a JSON text", `{"a":`, "Cannot read status document: neither JSON nor YAML"],
  [
    "another version",
    `{"apiVersion":"v9"}`,
    `"apiVersion" is "v9", expected "org.containers.bootc/v1" or "org.containers.bootc/v1alpha1"`,
  ],
  ["another kind", `{"apiVersion":"org.containers.bootc/v1"}`, `"kind" is missing, expected "BootcHost"`],
  [
    "an inherited key",
    `{${head},"spec":{"image":{"transport":"oci"}}}`,
    `"spec.image.image" is missing, expected text`,
  ],
  [
    "an unknown boot order",
    `{${head},"spec":{"bootOrder":"last"}}`,
    `"spec.bootOrder" is "last", expected "default" or "rollback"`,
  ],
  ["a text for a flag", `{${head},"status":{"readOnly":"no"}}`, `"status.readOnly" is "no", expected true or false`],
  [
    "a wrong time",
    `{${head},"status":{"booted":{${image.replace(`"imageDigest"`, `"timestamp":"now","imageDigest"`)}}}}`,
    `"status.booted.image.timestamp" is "now", expected a time such as "2023-10-14T19:22:15Z"`,
  ],
  [
    "an unknown signature",
    `{${head},"spec":{"image":{"image":"a","transport":"oci","signature":"none"}}}`,
    `"spec.image.signature" is "none", expected "containerPolicy" or "insecure"`,
  ],
  [
    "a missing digest",
    `{${head},"status":{"otherDeployments":[{},{"image":{"image":{"image":"a","transport":"oci"}}}]}}`,
    `"status.otherDeployments[1].image.imageDigest" is missing, expected text`,
  ],
  [
    "a negative serial",
    `{${head},"status":{"booted":{"ostree":{"stateroot":"a","checksum":"b","deploySerial":-1}}}}`,
    `"status.booted.ostree.deploySerial" is -1, expected a whole number`,
  ],
  [
    "a text for a list",
    `{${head},"status":{"otherDeployments":"x"}}`,
    `"status.otherDeployments" is "x", expected a list`,
  ],
  ["a text for a mapping", `{${head},"status":{"booted":"x"}}`, `"status.booted" is "x", expected a mapping`],
];

for (const [what, text, message] of wrong) {
  Deno.test(`parseHost() rejects ${what}`, () => {
    assertThrows(() => parseHost(text), SyntaxError, message);
  });
}

Deno.test("parseHost() ignores keys that it does not know", () => {
  assertEquals(parseHost(`{${head},"later":{"a":[1]},"status":{"later":true}}`), emptyHost());
});

Deno.test("parseHost() ignores a __proto__ key", () => {
  assertEquals(parseHost(`{${head},"__proto__":{"spec":{"bootOrder":"rollback"}}}`).spec.bootOrder, "default");
});

const scalars: [YamlValue, string][] = [
  [null, "null"],
  [true, "true"],
  [7, "7"],
  ["quay.io/a/b:latest", "quay.io/a/b:latest"],
  ["sha256:00ff", "sha256:00ff"],
  ["2023-10-14T19:22:15Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14", "2023-10-14"],
  ["0755", "'0755'"],
  ["12:30", "'12:30'"],
  ["Fedora Linux 42 (CoreOS)", "Fedora Linux 42 (CoreOS)"],
  ["42.20240101.0", "42.20240101.0"],
  ["42.1", "'42.1'"],
  ["1e3", "'1e3'"],
  ["0x10", "'0x10'"],
  ["Yes", "'Yes'"],
  ["null", "'null'"],
  ["", "''"],
  ["a b", "a b"],
  ["/srv/os dir:latest", "/srv/os dir:latest"],
  ["a: b", "'a: b'"],
  ["a:", "'a:'"],
  ["a #b", "'a #b'"],
  [" a", "' a'"],
  ["it's: x", "'it''s: x'"],
  ["- a", "'- a'"],
  ["!tag", "'!tag'"],
  ["a\nb", `"a\\nb"`],
  ["a\x1bb", `"a\\eb"`],
  [new Tagged("!ostreeRemote", "fedora"), "!ostreeRemote fedora"],
  [new Tagged("!ostreeRemote", "yes"), "!ostreeRemote 'yes'"],
];

for (const [value, text] of scalars) {
  Deno.test(`writeYaml() writes ${JSON.stringify(value)} as ${text}`, () => {
    assertEquals(writeYaml({ key: value }), `key: ${text}\n`);
  });
}

Deno.test("writeYaml() keeps lists at the column of their key", () => {
  assertEquals(
    writeYaml({ a: [{ b: [1, 2], c: {} }, "x"], d: [] }),
    "a:\n- b:\n  - 1\n  - 2\n  c: {}\n- x\nd: []\n",
  );
});
