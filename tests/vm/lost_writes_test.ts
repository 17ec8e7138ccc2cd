import { powerCuts } from "./power_cuts.ts";
import { ignore } from "./system.ts";

Deno.test({
  name: "A system survives twenty power cuts on a disk that loses what was not flushed",
  ignore,
  fn: (t) => powerCuts(t, { firmware: "bios", volatileCache: true }),
});
