/**
 * Runs inside a system of `booted.ts`, for `booted_test.ts`: one step on the booted system root, then the deployments as JSON.
 * Usage: stage_in_chroot.ts (status | stage REF | download REF | unlock | lock | drop | rollback) [--private]
 */
import type { Deployment } from "../../lib/ostree/deployment.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";
import { plainContext } from "../../lib/sys/context.ts";

async function step(sysroot: Sysroot, name: string, ref: string): Promise<void> {
  if (name === "status") return;
  using _lock = await sysroot.lock(plainContext({}));
  switch (name) {
    case "stage":
    case "download": {
      const booted = sysroot.booted!;
      using repo = sysroot.repo();
      const origin = booted.origin!.copyForDeployment();
      origin.imageReference = `ostree-unverified-registry:localhost/${ref}`;
      return await sysroot.stageTree({
        stateroot: booted.stateroot,
        checksum: repo.resolve(ref)!,
        origin,
        mergeDeployment: booted,
        kernelArguments: [...booted.kernelArguments, `ref=${ref}`],
        locked: name === "download",
      });
    }
    case "unlock":
    case "lock":
      return sysroot.setFinalizationLocked(name === "lock");
    case "drop":
      return await sysroot.undeployStaged();
    case "rollback": {
      const [first, second, ...rest] = sysroot.deployments();
      return await sysroot.writeDeployments([second!, first!, ...rest]);
    }
    default:
      throw new SyntaxError(`No step "${name}"`);
  }
}

/** The part of a deployment that the test compares. */
export interface Seen extends Pick<Deployment, "checksum" | "booted" | "staged" | "finalizationLocked"> {
  readonly image: string | null;
  readonly kernelArguments: readonly string[];
}

if (import.meta.main) {
  const [name = "status", ref = ""] = Deno.args.filter((argument) => argument !== "--private");
  using sysroot = Sysroot.open("/", { mountNamespaceInUse: Deno.args.includes("--private") });
  await step(sysroot, name, ref);
  const seen: Seen[] = sysroot.deployments().map((d) => ({
    checksum: d.checksum,
    booted: d.booted,
    staged: d.staged,
    finalizationLocked: d.finalizationLocked,
    image: d.origin?.imageReference ?? null,
    kernelArguments: d.kernelArguments.filter((argument) => !argument.startsWith("ostree=")),
  }));
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(seen)));
}
