import { assertEquals } from "@std/assert";
import { planUnits } from "../lib/host/generator.ts";
import { plainContext } from "../lib/sys/context.ts";
import { run } from "../lib/sys/run.ts";
import { hasProgram } from "./has_program.ts";
import { tempDir } from "./temp.ts";

const ctx = plainContext(Deno.env.toObject());
const UNITS = new URL("../systemd/", import.meta.url).pathname;
const units = [...Deno.readDirSync(UNITS)].map(({ name }) => name).filter((name) => !name.endsWith(".preset"));

Deno.test({
  name: "systemd-analyze finds no fault in the units, nor in the generator's",
  ignore: !await hasProgram("systemd-analyze"),
  fn: async () => {
    await using tmp = await tempDir();
    const generated = planUnits({
      ostreeBooted: true,
      installed: new Set(),
      hasShadow: false,
      cleanUp: false,
      fstabNeedsEdit: true,
    }).flatMap((unit) => unit.kind === "file" ? [[unit.path, unit.content] as const] : []);
    const own = units.map((name) => [name, Deno.readTextFileSync(UNITS + name)] as const);
    // Programs that units name must be there.
    await Deno.writeTextFile(`${tmp.path}/bootc`, "#!/bin/sh\n", { mode: 0o755 });
    const paths: string[] = [];
    for (const [name, content] of [...own, ...generated]) {
      paths.push(`${tmp.path}/${name}`);
      await Deno.writeTextFile(`${tmp.path}/${name}`, content.replaceAll("/usr/bin/bootc", `${tmp.path}/bootc`));
    }
    assertEquals(paths.length, 8);
    await run(ctx, ["systemd-analyze", "verify", "--man=no", ...paths]);
  },
});

/** The settings of a unit, without comments. */
function settings(name: string): string[] {
  return Deno.readTextFileSync(UNITS + name).split("\n").filter((line) => /^\w+=/.test(line));
}

const EXPECTED: [name: string, settings: string[]][] = [
  ["bootc-destructive-cleanup.service", [
    "ConditionPathExists=/sysroot/etc/bootc-destructive-cleanup",
    "Type=oneshot",
    "ExecStart=/usr/bin/bootc internals destructive-cleanup",
  ]],
  ["bootc-fetch-apply-updates.service", ["Type=oneshot", "ExecStart=/usr/bin/bootc upgrade --apply --quiet"]],
  ["bootc-fetch-apply-updates.timer", ["OnBootSec=1h", "OnUnitInactiveSec=8h", "RandomizedDelaySec=2h"]],
  ["bootc-publish-rhsm-facts.service", [
    "ConditionPathExists=/etc/rhsm/facts",
    "ConditionPathExists=/run/ostree-booted",
    "ExecStart=/usr/bin/bootc internals publish-rhsm-facts",
    "WantedBy=bootc-status-updated.target",
    "WantedBy=bootc-status-updated-onboot.target",
  ]],
  ["bootc-status-updated.path", ["PathChanged=/ostree/bootc", "Unit=bootc-status-updated.target"]],
  ["bootc-status-updated.target", ["StopWhenUnneeded=true"]],
];
for (const [name, expected] of EXPECTED) {
  Deno.test(`${name} has the settings that hosts count on`, () => {
    assertEquals(settings(name).filter((line) => expected.includes(line)), expected);
  });
}

Deno.test("Z8: the preset keeps the timer off, and what only tells on", () => {
  const lines = Deno.readTextFileSync(`${UNITS}90-bootc.preset`).split("\n").filter((line) => !line.startsWith("#"));
  assertEquals(lines, [
    "disable bootc-fetch-apply-updates.timer",
    "enable bootc-publish-rhsm-facts.service",
    "",
  ]);
});
