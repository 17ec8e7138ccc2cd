import { assertEquals, assertRejects } from "@std/assert";
import { parseHost } from "../../lib/host/document.ts";
import { rhsmFacts, writeRhsmFacts } from "../../lib/host/rhsm_facts.ts";
import { emptyHost } from "../../lib/host/spec.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";

const full = parseHost(Deno.readFileSync(new URL("../fixtures/status/images.yaml", import.meta.url))).status;

Deno.test("rhsmFacts() has image, version and digest of each slot, and empty texts where there is none", () => {
  const { booted, staged, rollback } = full;
  assertEquals(rhsmFacts({ ...full, rollback: null }), {
    "bootc.booted.image": booted!.image!.image.image,
    "bootc.booted.version": booted!.image!.version ?? "",
    "bootc.booted.digest": booted!.image!.imageDigest,
    "bootc.staged.image": staged!.image!.image.image,
    "bootc.staged.version": staged!.image!.version ?? "",
    "bootc.staged.digest": staged!.image!.imageDigest,
    "bootc.rollback.image": "",
    "bootc.rollback.version": "",
    "bootc.rollback.digest": "",
    "bootc.available.image": booted!.cachedUpdate?.image.image ?? "",
    "bootc.available.version": booted!.cachedUpdate?.version ?? "",
    "bootc.available.digest": booted!.cachedUpdate?.imageDigest ?? "",
  });
  assertEquals(rhsmFacts(full)["bootc.rollback.digest"], rollback?.image?.imageDigest ?? "");
  assertEquals(new Set(Object.values(rhsmFacts(emptyHost().status))), new Set([""]));
});

Deno.test("writeRhsmFacts() replaces the file, a link itself and not what it points at", async () => {
  await using tmp = await tempDir();
  const directory = `${tmp.path}/etc/rhsm/facts`;
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${tmp.path}/elsewhere`, "kept\n");
  await Deno.symlink(`${tmp.path}/elsewhere`, `${directory}/bootc.facts`);
  await writeRhsmFacts(tmp.path, full);
  assertEquals(await Deno.readTextFile(`${tmp.path}/elsewhere`), "kept\n");
  assertEquals(JSON.parse(await Deno.readTextFile(`${directory}/bootc.facts`)), rhsmFacts(full));
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["bootc.facts"]);
});

Deno.test("writeRhsmFacts() says where the subscription manager is not installed", async () => {
  await using tmp = await tempDir();
  const { message, hint } = await assertRejects(() => writeRhsmFacts(`${tmp.path}/`, full), UserError);
  assertEquals([message, hint], [
    `Cannot write "${tmp.path}/etc/rhsm/facts/bootc.facts"`,
    "Install subscription-manager, which has its directory",
  ]);
});
