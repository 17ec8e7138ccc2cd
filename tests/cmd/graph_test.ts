/** What is loaded before it is needed costs every start; this holds what the start and `bootc status` stay free of. */
import { assertEquals } from "@std/assert";

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

const ROOT = new URL("../../", import.meta.url);

/** The project's modules that a module imports at once, and those that they import; what `import()` names is not among them. */
async function loadedBy(main: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", main], cwd: ROOT }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const dependencies = new Map(modules.map((each) => [each.specifier, each.dependencies ?? []]));
  const reached = new Set([new URL(main, ROOT).href]);
  for (const module of reached) {
    for (const { isDynamic, code } of dependencies.get(module) ?? []) {
      if (!isDynamic && code?.specifier !== undefined) reached.add(code.specifier);
    }
  }
  return [...reached].filter((each) => each.startsWith(ROOT.href)).map((each) => each.slice(ROOT.href.length)).sort();
}

const CASES: readonly (readonly [what: string, main: string, free: RegExp])[] = [
  [
    "the start loads no command and nothing that does work",
    "main.ts",
    /^lib\/(?!cli\/|sys\/(?:context|errors|controls)\.|version)|^cmd\/(?!tree)/,
  ],
  [
    "bootc status loads nothing of the importer",
    "cmd/status.ts",
    /^lib\/codec\/(?:tar|pax|inflate|isal|zlib|zstd)|^lib\/container\/(?:pull|import|layer_(?!commit)|derived|native|merge|path_filter)|^lib\/skopeo\/(?:proxy|copy|channel)|^lib\/ostree\/(?:direct_store|api_store|layer_tree|relabel|sepolicy)/,
  ],
  [
    "the systemd generator loads nothing of ostree and containers",
    "cmd/internals/systemd_generator.ts",
    /^lib\/(?:ostree|container|skopeo|rootfs|codec)\//,
  ],
  [
    "bootc container lint loads no importer",
    "cmd/container/lint.ts",
    /^lib\/codec\/(?:tar|inflate)|^lib\/skopeo\/proxy/,
  ],
];

for (const [what, main, free] of CASES) {
  Deno.test(what, async () => assertEquals((await loadedBy(main)).filter((path) => free.test(path)), []));
}
