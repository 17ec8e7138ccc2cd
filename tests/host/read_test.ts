import { assertEquals } from "@std/assert";
import { hostJson } from "../../lib/host/document_json.ts";
import type { ImageFacts } from "../../lib/host/image_state.ts";
import { buildHost, type HostDeployment, type HostSources, type HostSysroot, slotsOf } from "../../lib/host/read.ts";
import { emptyHost } from "../../lib/host/spec.ts";
import { Origin } from "../../lib/ostree/origin.ts";

const image = "[origin]\ncontainer-image-reference=ostree-unverified-registry:quay.io/example/os:1\n";
const signed = "[origin]\ncontainer-image-reference=ostree-image-signed:docker://quay.io/example/os:2\n";
const plain = "[origin]\nrefspec=debian:testing\n";

function deployment(checksum: string, origin: string, more: Partial<HostDeployment> = {}): HostDeployment {
  return {
    stateroot: "default",
    checksum,
    serial: 0,
    pinned: false,
    staged: false,
    finalizationLocked: false,
    softRebootCapable: false,
    path: "/",
    origin: Origin.parse(origin),
    ...more,
  };
}

function sysroot(booted: HostDeployment | undefined, ...all: HostDeployment[]): HostSysroot {
  return { booted, deployments: () => all };
}

const facts: ImageFacts = { version: "1", timestamp: null, imageDigest: "sha256:aa", architecture: "amd64" };
const sources: HostSources = { imageFacts: () => facts };
const a = deployment("aa", image), b = deployment("bb", image), c = deployment("cc", image);
const alien = deployment("ee", image, { stateroot: "other" });
const staged = deployment("ff", signed, { staged: true });

const slotRows: {
  what: string;
  sysroot: HostSysroot;
  staged?: HostDeployment;
  rollback?: HostDeployment;
  others?: HostDeployment[];
  queued?: boolean;
}[] = [
  { what: "a booted deployment alone", sysroot: sysroot(a, a) },
  { what: "a rollback", sysroot: sysroot(a, a, b), rollback: b },
  { what: "a staged deployment", sysroot: sysroot(a, staged, a, b), staged, rollback: b },
  { what: "a queued rollback", sysroot: sysroot(a, b, a), rollback: b, queued: true },
  {
    what: "a queued rollback below a staged one",
    sysroot: sysroot(a, staged, b, a),
    staged,
    rollback: b,
    queued: true,
  },
  { what: "another stateroot", sysroot: sysroot(a, a, alien, b, c), rollback: b, others: [alien, c] },
  {
    what: "another stateroot that boots next",
    sysroot: sysroot(a, alien, a, b),
    rollback: b,
    others: [alien],
  },
];

for (const { what, sysroot, staged, rollback, others = [], queued = false } of slotRows) {
  Deno.test(`slotsOf() sorts ${what}`, () => {
    assertEquals(slotsOf(sysroot), { booted: a, staged, rollback, others, rollbackQueued: queued });
  });
}

Deno.test("slotsOf() knows two deployments of one commit by their serial", () => {
  const first = deployment("aa", image), second = deployment("aa", image, { serial: 1 });
  assertEquals(slotsOf(sysroot(second, second, first)).rollback?.serial, 0);
});

Deno.test("buildHost() makes the null document of an empty sysroot", () => {
  assertEquals(buildHost(sysroot(undefined), sources), emptyHost());
});

Deno.test("buildHost() makes the document of a host", () => {
  const cachedUpdate = {
    version: "2",
    timestamp: "2025-01-01T00:00:00Z",
    imageDigest: "sha256:bb",
    architecture: "amd64",
  };
  const host = buildHost(sysroot(a, staged, a, deployment("bb", plain, { pinned: true })), {
    imageFacts: (checksum) => checksum === "aa" ? { ...facts, cachedUpdate } : facts,
    usrOverlay: { accessMode: "readWrite", persistence: "transient" },
    readOnly: true,
  });
  const name = `{"image":"quay.io/example/os:1","transport":"registry"}`;
  const signedName = `{"image":"quay.io/example/os:2","signature":"containerPolicy","transport":"registry"}`;
  const flags = `"composefs":null,"downloadOnly":false`;
  const ostree = (checksum: string) => `"ostree":{"checksum":"${checksum}","deploySerial":0,"stateroot":"default"}`;
  const store = `"softRebootCapable":false,"store":"ostreeContainer"`;
  const shown = (image: string) =>
    `{"architecture":"amd64","image":${image},"imageDigest":"sha256:aa","timestamp":null,"version":"1"}`;
  assertEquals(
    hostJson(host),
    `{"apiVersion":"org.containers.bootc/v1","kind":"BootcHost","metadata":{"name":"host"},` +
      `"spec":{"bootOrder":"default","image":${signedName}},"status":{` +
      `"booted":{"cachedUpdate":{"architecture":"amd64","image":${name},"imageDigest":"sha256:bb",` +
      `"timestamp":"2025-01-01T00:00:00Z","version":"2"},${flags},"image":${shown(name)},"incompatible":false,` +
      `${ostree("aa")},"pinned":false,${store}},"readOnly":true,` +
      `"rollback":{"cachedUpdate":null,${flags},"image":null,"incompatible":false,${ostree("bb")},"pinned":true,` +
      `"softRebootCapable":false,"store":null},"rollbackQueued":false,` +
      `"staged":{"cachedUpdate":null,${flags},"image":${shown(signedName)},"incompatible":false,` +
      `${ostree("ff")},"pinned":false,${store}},"type":"bootcHost",` +
      `"usrOverlay":{"accessMode":"readWrite","persistence":"transient"}}}`,
  );
});

Deno.test("buildHost() orders the boot by a queued rollback", () => {
  const { spec, status } = buildHost(sysroot(a, b, a), sources);
  assertEquals([spec.bootOrder, status.rollbackQueued], ["rollback", true]);
});

Deno.test("buildHost() shows a staged deployment that is held back", () => {
  const held = deployment("ff", image, { staged: true, finalizationLocked: true });
  assertEquals(buildHost(sysroot(a, held, a), sources).status.staged?.downloadOnly, true);
});

Deno.test("buildHost() has no type for a plain ostree host", () => {
  const host = buildHost(sysroot(deployment("bb", plain), deployment("bb", plain)), sources);
  assertEquals([host.status.type, host.spec.image], [null, null]);
});

Deno.test("buildHost() says that rpm-ostree has layered packages", () => {
  const layered = deployment("aa", `${image}[packages]\nrequested=htop;\n`);
  assertEquals(buildHost(sysroot(layered, layered), sources).status.booted?.incompatible, true);
});

Deno.test("buildHost() puts the deployments of an unbooted sysroot among the others", () => {
  const host = buildHost(sysroot(undefined, a, b), {
    ...sources,
    usrOverlay: { accessMode: "readOnly", persistence: "transient" },
  });
  assertEquals(host.spec.image, { image: "quay.io/example/os:1", transport: "registry" });
  assertEquals(host.status.otherDeployments.map((entry) => entry.ostree?.checksum), ["aa", "bb"]);
  assertEquals([host.status.booted, host.status.type, host.status.usrOverlay], [null, null, null]);
});

Deno.test("buildHost() shows a deployment whose origin names nonsense", () => {
  const problems: string[] = [];
  const broken = deployment("aa", "[origin]\ncontainer-image-reference=nonsense\n");
  const host = buildHost(sysroot(broken, broken, b), { ...sources, problem: (message) => problems.push(message) });
  assertEquals([host.status.booted?.image, host.status.booted?.store], [null, null]);
  assertEquals(host.status.rollback?.image?.imageDigest, "sha256:aa");
  assertEquals(problems, [`Cannot read the image reference of deployment "default aa.0"`]);
});

Deno.test("buildHost() shows a deployment whose origin cannot be read", () => {
  const problems: string[] = [];
  const broken = {
    ...a,
    get origin(): Origin {
      return Origin.parse("no key file");
    },
  };
  const host = buildHost(sysroot(broken, broken), { ...sources, problem: (message) => problems.push(message) });
  assertEquals(host.status.booted?.ostree?.checksum, "aa");
  assertEquals([host.status.booted?.image, host.spec.image], [null, null]);
  assertEquals(problems, [`Cannot read the origin of deployment "default aa.0"`]);
});

Deno.test("buildHost() shows a deployment whose stored image is damaged, and keeps what it tracks", () => {
  const problems: string[] = [];
  const imageFacts = (checksum: string) => {
    if (checksum === "aa") throw new SyntaxError("Invalid digest");
    return facts;
  };
  const host = buildHost(sysroot(a, a, b), { imageFacts, problem: (message) => problems.push(message) });
  assertEquals(host.status.booted?.image, null);
  assertEquals(host.spec.image, { image: "quay.io/example/os:1", transport: "registry" });
  assertEquals(host.status.rollback?.image?.imageDigest, "sha256:aa");
  assertEquals(problems, [`Cannot read the stored image of deployment "default aa.0"`]);
});

Deno.test("buildHost() takes a deployment for capable of a soft reboot where libostree and the host agree (U24)", () => {
  const capable = deployment("aa", image, { softRebootCapable: true, path: "/capable" });
  const answer = (softReboot?: HostSources["softReboot"]) =>
    buildHost(sysroot(b, b, capable), { ...sources, ...(softReboot && { softReboot }) }).status.rollback
      ?.softRebootCapable;
  assertEquals([answer(), answer(({ path }) => path === "/capable"), answer(() => false)], [true, true, false]);
  const never = () => {
    throw new Error("asked of what libostree does not take for capable");
  };
  assertEquals(
    buildHost(sysroot(b, b, c), { ...sources, softReboot: never }).status.rollback?.softRebootCapable,
    false,
  );
  const problems: string[] = [];
  const broken = buildHost(sysroot(b, b, capable), {
    ...sources,
    softReboot: () => {
      throw new Error("broken policy");
    },
    problem: (message) => problems.push(message),
  });
  assertEquals([broken.status.rollback?.softRebootCapable, problems], [
    false,
    ['Cannot read the SELinux policy of deployment "default aa.0"'],
  ]);
});
