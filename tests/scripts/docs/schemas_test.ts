import { assertEquals } from "@std/assert";
import { Ajv, type SchemaObject } from "ajv";
import { bootc } from "../../cmd/bootc.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url).pathname;

/** What `bootc internals print-json-schema` prints, as a validator: the complaints about a document. */
async function validator(of: "host" | "progress"): Promise<(document: unknown) => string[]> {
  const { code, stdout, stderr } = await bootc("internals", "print-json-schema", "--of", of);
  assertEquals([code, stderr], [0, ""]);
  const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true })
    .compile(JSON.parse(stdout) as SchemaObject);
  return (document) => {
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

const hostProblems = await validator("host");
const progressProblems = await validator("progress");

const documents = [...Deno.readDirSync(`${FIXTURES}status`)].map(({ name }) => name).filter((name) =>
  /\.(json|yaml)$/.test(name)
).sort();

for (const name of documents) {
  Deno.test(`host schema accepts what bootc status --json prints of ${name}`, async () => {
    const { code, stdout } = await bootc("status", "--from", `${FIXTURES}status/${name}`, "--json");
    assertEquals(code, 0);
    assertEquals(hostProblems(JSON.parse(stdout)), []);
  });
}

for (const name of documents.filter((name) => name.endsWith(".json"))) {
  Deno.test(`host schema accepts ${name} as it is`, async () => {
    assertEquals(hostProblems(JSON.parse(await Deno.readTextFile(`${FIXTURES}status/${name}`))), []);
  });
}

// deno-lint-ignore no-explicit-any
type Json = any;

const full: Json = JSON.parse(await Deno.readTextFile(`${FIXTURES}status/v1-full.json`));

const damages: [fact: string, damage: (document: Json) => void, expected: string[]][] = [
  ["another kind", (d) => d.kind = "Host", ["/kind must be equal to constant"]],
  ["another version", (d) => d.apiVersion = "v2", ["/apiVersion must be equal to constant"]],
  ["no spec", (d) => delete d.spec, [" must have required property 'spec'"]],
  ["no image in the spec", (d) => delete d.spec.image, ["/spec must have required property 'image'"]],
  ["another boot order", (d) => d.spec.bootOrder = "x", [
    "/spec/bootOrder must be equal to one of the allowed values",
  ]],
  ["no word on the staged one", (d) => delete d.status.staged, ["/status must have required property 'staged'"]],
  ["a list of no deployments", (d) => d.status.otherDeployments = [], [
    "/status/otherDeployments must NOT have fewer than 1 items",
  ]],
  ["a text for a boolean", (d) => d.status.readOnly = "no", ["/status/readOnly must be boolean"]],
];

for (const [fact, damage, expected] of damages) {
  Deno.test(`host schema refuses ${fact}`, () => {
    const document = structuredClone(full);
    damage(document);
    assertEquals(hostProblems(document), expected);
  });
}

/** Inside of what may be null as well, a complaint comes with that of the other branch. */
const innerDamages: [fact: string, damage: (document: Json) => void, expected: string][] = [
  [
    "a serial that is no whole number",
    (d) => d.status.booted.ostree.deploySerial = 0.5,
    "/status/booted/ostree/deploySerial must be integer",
  ],
  [
    "a negative serial",
    (d) => d.status.booted.ostree.deploySerial = -1,
    "/status/booted/ostree/deploySerial must be >= 0",
  ],
  [
    "an image without a digest",
    (d) => delete d.status.booted.image.imageDigest,
    "/status/booted/image must have required property 'imageDigest'",
  ],
  [
    "an unknown signature",
    (d) => d.spec.image.signature = "maybe",
    "/spec/image/signature must match a schema in anyOf",
  ],
];

for (const [fact, damage, expected] of innerDamages) {
  Deno.test(`host schema refuses ${fact}`, () => {
    const document = structuredClone(full);
    damage(document);
    assertEquals(hostProblems(document).filter((each) => each === expected), [expected]);
  });
}

Deno.test("host schema lets a later version add keys, anywhere", () => {
  const document = structuredClone(full);
  for (const place of [document, document.spec, document.status, document.status.booted, document.spec.image]) {
    place.later = { any: "thing" };
  }
  assertEquals(hostProblems(document), []);
});

Deno.test("host schema does without a signature and other deployments", () => {
  const document = structuredClone(full);
  delete document.spec.image.signature;
  delete document.status.otherDeployments;
  assertEquals(hostProblems(document), []);
});

const lines = (await Deno.readTextFile(`${FIXTURES}progress/upgrade.jsonl`)).trim().split("\n");

for (const [index, line] of lines.entries()) {
  Deno.test(`progress schema accepts line ${index + 1} of a recorded upgrade`, () => {
    assertEquals(progressProblems(JSON.parse(line)), []);
  });
}

const badLines: [fact: string, line: unknown][] = [
  ["an unknown type", { type: "Progress" }],
  ["a start without its version", { type: "Start" }],
  ["bytes that are a text", { ...JSON.parse(lines[1]!), bytes: "1" }],
  ["bytes below zero", { ...JSON.parse(lines[1]!), bytes: -1 }],
  ["a task without its steps", { ...JSON.parse(lines.at(-1)!), steps: undefined }],
  ["a step without its name", { ...JSON.parse(lines.at(-1)!), subtasks: [{ completed: true }] }],
  ["a list", []],
];

for (const [fact, line] of badLines) {
  Deno.test(`progress schema refuses ${fact}`, () => {
    assertEquals(progressProblems(line).length > 0, true);
  });
}
