import { powerCuts } from "./power_cuts.ts";
import { ignore } from "./system.ts";

Deno.test({
  name: "A system survives twenty power cuts while bootc updates it",
  ignore,
  fn: (t) => powerCuts(t, { firmware: "bios", volatileCache: false }),
});
