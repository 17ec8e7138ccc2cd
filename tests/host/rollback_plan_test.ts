import { assertEquals, assertThrows } from "@std/assert";
import { buildHost, type HostDeployment } from "../../lib/host/read.ts";
import { planEdit, planRollback } from "../../lib/host/rollback_plan.ts";
import type { HostSpec, ImageReference } from "../../lib/host/spec.ts";
import { UserError } from "../../lib/sys/errors.ts";

function deployment(
  checksum: string,
  more: Partial<HostDeployment> & { image?: string | undefined } = {},
): HostDeployment {
  const { image = `ostree-unverified-registry:quay.io/example/${checksum}`, ...rest } = more;
  return {
    stateroot: "default",
    checksum,
    serial: 0,
    pinned: false,
    staged: false,
    finalizationLocked: false,
    softRebootCapable: false,
    path: "/",
    origin: { imageReference: image === "" ? undefined : image, incompatible: false },
    ...rest,
  };
}

const a = deployment("aa"), b = deployment("bb"), c = deployment("cc", { pinned: true });
const alien = deployment("ee", { stateroot: "other" });
const staged = deployment("ff", { staged: true });
const bare = deployment("dd", { image: "" });

function plan(booted: HostDeployment | undefined, ...all: HostDeployment[]) {
  const imageFacts = (imageDigest: string) => ({ version: null, timestamp: null, imageDigest, architecture: "" });
  return planRollback(buildHost({ booted, deployments: () => all }, { imageFacts }), all);
}

const forward = { notice: undefined, done: "Next boot: rollback deployment" };
const back = { notice: "notice: Reverting queued rollback state", done: "Next boot: current deployment" };
const image = (checksum: string): ImageReference => ({ image: `quay.io/example/${checksum}`, transport: "registry" });

Deno.test("planRollback() puts the rollback deployment first", () => {
  assertEquals(plan(a, a, b), { ...forward, order: [b, a], discarded: undefined, image: image("bb") });
});

Deno.test("planRollback() discards a staged deployment", () => {
  assertEquals(plan(a, staged, a, b), { ...forward, order: [b, a], discarded: staged, image: image("bb") });
});

Deno.test("planRollback() takes a queued rollback back", () => {
  assertEquals(plan(a, b, a), { ...back, order: [a, b], discarded: undefined, image: image("aa") });
});

Deno.test("planRollback() keeps the order of the others", () => {
  assertEquals(plan(a, a, alien, b, c).order, [b, a, alien, c]);
});

Deno.test("planRollback() twice gives the order at the start", () => {
  const once = plan(a, a, b, c).order;
  assertEquals(plan(a, ...once).order, [a, b, c]);
});

Deno.test("planRollback() swaps the first two of a stateroot that is not running", () => {
  assertEquals(plan(undefined, a, alien, b, c), {
    ...forward,
    order: [b, alien, a, c],
    discarded: undefined,
    image: image("bb"),
  });
});

const impossible: [string, HostDeployment | undefined, HostDeployment[], string][] = [
  ["a deployment alone", a, [a], "No rollback available"],
  ["another stateroot alone", a, [a, alien], "No rollback available"],
  ["a staged deployment alone", a, [staged, a], "No rollback available"],
  ["a plain ostree rollback", a, [a, bare], "Rollback is not container image based"],
  ["an empty sysroot", undefined, [], "No rollback available"],
  ["one deployment of a sysroot that is not running", undefined, [a, alien], "No rollback available"],
  [
    "a plain ostree rollback of a sysroot that is not running",
    undefined,
    [a, bare],
    "Rollback is not container image based",
  ],
];

for (const [what, booted, all, message] of impossible) {
  Deno.test(`planRollback() refuses ${what}`, () => {
    const error = assertThrows(() => plan(booted, ...all), UserError);
    assertEquals(error.message, message);
  });
}

const spec: HostSpec = { image: image("aa"), bootOrder: "default" };

Deno.test("planEdit() finds nothing to do", () => {
  assertEquals(planEdit(spec, { ...spec, image: { ...image("aa"), signature: "insecure" } }), {
    kind: "unchanged",
    message: "Edit cancelled, no changes made.",
  });
});

Deno.test("planEdit() finds another image", () => {
  const signed: ImageReference = { ...image("aa"), signature: "containerPolicy" };
  assertEquals(planEdit(spec, { ...spec, image: signed }), { kind: "switch", image: signed });
});

Deno.test("planEdit() finds another boot order", () => {
  assertEquals(planEdit(spec, { ...spec, bootOrder: "rollback" }), { kind: "rollback" });
});

Deno.test("planEdit() refuses both at once", () => {
  const error = assertThrows(() => planEdit(spec, { image: image("bb"), bootOrder: "rollback" }), UserError);
  assertEquals(error.message, "Invalid state transition: rollback and image change");
});

Deno.test("planEdit() refuses to follow no image", () => {
  const error = assertThrows(() => planEdit(spec, { ...spec, image: null }), UserError);
  assertEquals(error.message, "Missing image in specification");
});
