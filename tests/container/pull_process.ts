/** A process that pulls an image, to be killed: `pull_process.ts REPO IMAGE`. Prints what it found stored, each finished layer, and the commit. */
import { ImagePull } from "../../lib/container/pull.ts";
import { describePlan } from "../../lib/container/plan.ts";
import { parseAnyImageReference } from "../../lib/oci/reference.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { plainContext } from "../../lib/sys/context.ts";

const [path, reference] = Deno.args;
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
using repo = Repo.open(path!);
await using pull = await ImagePull.open(plainContext(Deno.env.toObject()), repo, parseAnyImageReference(reference!));
const prepared = await pull.prepare();
say(describePlan(prepared.plan));
const { image } = await pull.import(prepared, (event) => {
  if (event.kind === "layer-done") say(`done ${event.index}`);
});
say(image.commit);
