import { assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../codec/random.ts";
import { failure, fsck, listTree, plainImage, testStore } from "./harness.ts";
import { RandomImage, Refused } from "./layer_model.ts";

const GROUPS = 8, GROUP = 6;

for (let group = 0; group < GROUPS; group++) {
  Deno.test(`Random layers of the seeds ${group * GROUP} to ${group * GROUP + GROUP - 1} merge as the model does`, async () => {
    await using store = await testStore(group % 2 === 0 ? "bare" : "bare-user");
    for (let seed = group * GROUP; seed < (group + 1) * GROUP; seed++) {
      const model = new RandomImage(new Random(seed));
      let refused = false;
      try {
        for (let layer = 0; layer < 4; layer++) model.addLayer();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refused = true;
      }
      const { reference } = plainImage(`${store.path}/image${seed}`, ...model.layers);
      const said = `seed ${seed}: ${model.layers.map((layer) => layer.map(([name]) => name).join(" ")).join(" | ")}`;
      if (refused) {
        assertStringIncludes(await failure(store.pull(reference)), "The layer has entries below ", said);
        continue;
      }
      const { image } = await store.pull(reference);
      const { "/": _root, ...tree } = await listTree(store.repo, image.commit);
      assertEquals(tree, model.tree(), said);
    }
    await fsck(store.repo);
  });
}
