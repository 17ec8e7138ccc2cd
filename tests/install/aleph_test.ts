import { assertEquals } from "@std/assert";
import { type AlephFacts, alephJson } from "../../lib/install/aleph.ts";

const FACTS: AlephFacts = {
  source: "registry.example/os:1",
  target: "registry.example/os:stable",
  digest: `sha256:${"0".repeat(64)}`,
  labels: { "ostree.bootable": "true", "a.b": 'c"d' },
  version: "42.0",
  timestamp: "2023-10-14T19:22:15Z",
  kernel: "6.1.0-13-amd64",
  selinux: "host-disabled",
};

const digest = `"digest":"sha256:${"0".repeat(64)}"`;
const image = `"image":"registry.example/os:1",`;
const labels = `"labels":{"a.b":"c\\"d","ostree.bootable":"true"},`;
const rest = `"selinux":"host-disabled","target-image":"registry.example/os:stable"`;
const when = `"timestamp":"2023-10-14T19:22:15Z","version":"42.0"`;

const rows: [what: string, change: Partial<AlephFacts>, json: string][] = [
  ["all of it, sorted", {}, `{${digest},${image}"kernel":"6.1.0-13-amd64",${labels}${rest},${when}}`],
  [
    "null for what the image does not say",
    { version: null, timestamp: null },
    `{${digest},${image}"kernel":"6.1.0-13-amd64",${labels}${rest},"timestamp":null,"version":null}`,
  ],
  ["no image below /tmp", { source: "/tmp/x/oci" }, `{${digest},"kernel":"6.1.0-13-amd64",${labels}${rest},${when}}`],
  ["no empty labels", { labels: {} }, `{${digest},${image}"kernel":"6.1.0-13-amd64",${rest},${when}}`],
];

for (const [what, change, json] of rows) {
  Deno.test(`alephJson() tells ${what} (I8)`, () => assertEquals(alephJson({ ...FACTS, ...change }), json));
}
