/** What all cases of the benchmark share: the compiled programs, the inputs, the registry, a place to pull to. */
import { compile } from "../scripts/compile.ts";
import { hostArch } from "../scripts/wheel.ts";
import { homeForRegistry, type Registry, startRegistry } from "../scripts/registry.ts";
import { cacheDirectory } from "../scripts/script.ts";
import type { Context } from "../lib/sys/context.ts";
import { run } from "../lib/sys/run.ts";
import { type InputName, Inputs } from "./inputs.ts";
import type { Row } from "./table.ts";

/** Where an image is pulled from. */
export type Source = "oci" | "registry";

/** Shared by all cases. */
export interface Bench {
  readonly ctx: Context;
  readonly inputs: Inputs;
  readonly registry: Registry;
  /** On tmpfs where there is one; emptied at the end. */
  readonly directory: string;
  /** How often each side runs. */
  readonly rounds: number;
  readonly programs: { readonly bootc: string; readonly reference: string; readonly empty: string };
  /** A real ostree-ext-cli or bootc (`BENCH_REFERENCE`). */
  readonly realReference: string | undefined;
  /** HOME in which the registry is known. */
  readonly env: Readonly<Record<string, string>>;
  readonly pushed: Set<InputName>;
}

/** A measurement, or several that belong together. */
export interface Case {
  readonly id: string;
  /** Also run with --quick. */
  readonly quick?: boolean;
  run(bench: Bench): Promise<Row[]>;
}

/** `oci:DIR:TAG` or `docker://HOST/NAME:latest`, made or pushed if need be. */
export async function imageFrom(bench: Bench, name: InputName, source: Source): Promise<string> {
  const oci = await bench.inputs.image(name);
  if (source === "oci") return oci;
  const image = `docker://${bench.registry.host}/bench/${name}:latest`;
  if (!bench.pushed.has(name)) {
    await run(bench.ctx, ["skopeo", "copy", "--quiet", oci, image], { env: bench.env });
    bench.pushed.add(name);
  }
  return image;
}

/** Sets everything up and hands it to `body`. */
export async function withBench(
  ctx: Context,
  options: { rounds: number },
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const tmpfs = await Deno.stat("/dev/shm").then((info) => info.isDirectory, () => false);
  const directory = await Deno.makeTempDir({ prefix: "bootc-bench-", ...(tmpfs ? { dir: "/dev/shm" } : {}) });
  try {
    // Not on tmpfs, which may be mounted noexec.
    await Deno.mkdir(`${cacheDirectory(ctx.env)}/bench-programs`, { recursive: true });
    const program = async (name: string, main: string) => {
      const output = `${cacheDirectory(ctx.env)}/bench-programs/${name}`;
      await compile(ctx, { main, output, arch: hostArch });
      return output;
    };
    const programs = {
      bootc: ctx.env.BOOTC || await program("bootc", "main.ts"),
      reference: await program("reference", "bench/reference/main.ts"),
      empty: await program("empty", "bench/empty.ts"),
    };
    await using registry = await startRegistry(`${cacheDirectory(ctx.env)}/bench-registry`);
    const env = { HOME: await homeForRegistry(directory, registry) };
    await body({
      ctx,
      inputs: new Inputs(ctx),
      registry,
      directory,
      rounds: options.rounds,
      programs,
      realReference: ctx.env.BENCH_REFERENCE,
      env,
      pushed: new Set(),
    });
  } finally {
    // Not through the context, which is aborted after ^C; deployments are immutable where the file system knows that.
    await new Deno.Command("sh", {
      args: ["-c", `chattr -i "$0"/*/ostree/deploy/*/deploy/*.[0-9] 2>/dev/null; rm -rf -- "$0"`, directory],
    }).output();
  }
}
