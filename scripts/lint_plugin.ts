/** House rules that `deno lint` holds: the order of layers, single owners of what reaches outside, the shape of error texts. */

/** Lower may never import higher; equals (ostree and skopeo, sys and oci) may not import each other. */
const RANK: Readonly<Record<string, number>> = {
  main: 9,
  cmd: 8,
  advice: 7,
  install: 6,
  rootfs: 6,
  host: 5,
  container: 4,
  ostree: 3,
  skopeo: 3,
  codec: 2,
  cli: 2,
  sys: 1,
  oci: 1,
};

/** `cli` is for main and cmd, though it stands low itself. */
const CLI_USERS = new Set(["main", "cmd", "cli"]);

/** Folders whose files are tools around the program; nothing of the program imports them, and owners do not bind them. */
const AROUND = new Set(["tests", "scripts", "bench"]);

const RUN = ["lib/sys/run.ts", "lib/sys/spawn.ts"];
const EDGE = ["main.ts"];

/** One file a C library. */
const LIBRARIES = [
  "lib/sys/libc_table.ts",
  "lib/ostree/libostree.ts",
  "lib/ostree/glib.ts",
  "lib/codec/isal.ts",
  "lib/codec/libcrypto.ts",
  "lib/codec/zlib.ts",
  "lib/codec/zstd.ts",
];

/** Members of `Deno` with an owner. */
const DENO_OWNERS: Readonly<Record<string, readonly string[]>> = {
  Command: RUN,
  dlopen: LIBRARIES,
  args: EDGE,
  env: EDGE,
  exitCode: EDGE,
  exit: [],
  addSignalListener: EDGE,
  chdir: [],
};

/** Modules with an owner. */
const MODULE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  "node:child_process": RUN,
  "node:process": EDGE,
};

const CONTRACTION =
  /\b(?:[A-Za-z]+n't|[A-Za-z]+'(?:re|ve|ll)|(?:I'm|it's|that's|there's|what's|who's|let's|here's))(?![A-Za-z])/i;

/** Where a file stands: `kind` is a rank's name, a folder around the program, or "" for what the rules leave alone. */
interface Place {
  /** Path from the root of the project, with `/`. */
  readonly path: string;
  readonly kind: string;
}

const ROOT = import.meta.dirname!.replace(/scripts$/, "");

/** A path as `deno lint` or a test gives it, seen from the root of the project. */
export function placeOf(filename: string): Place {
  const path = filename.startsWith("file://") ? decodeURIComponent(new URL(filename).pathname) : filename;
  const inside = path.startsWith(ROOT) ? path.slice(ROOT.length) : path.replace(/^\/+/, "");
  const [first = "", second = ""] = inside.split("/");
  if (inside === "main.ts") return { path: inside, kind: "main" };
  if (first === "lib") return { path: inside, kind: second.includes(".") ? "leaf" : second };
  return { path: inside, kind: first === "cmd" || AROUND.has(first) ? first : "" };
}

function resolve(from: Place, specifier: string): Place | undefined {
  if (!specifier.startsWith("./") && !specifier.startsWith("../")) return undefined;
  return placeOf(new URL(specifier, `file:///${from.path}`).pathname);
}

/** Why this import is refused, or undefined. `lazy` is an `import()`. */
function refusal(from: Place, to: Place, lazy: boolean): string | undefined {
  if (AROUND.has(from.kind) || from.kind === "") return undefined;
  if (AROUND.has(to.kind)) return `The program may not import ${to.kind}/`;
  if (to.kind === "" || to.kind === "leaf") return undefined;
  if (from.kind === "leaf") return `A file directly in lib/ imports nothing of the program, but "${to.path}" was`;
  if (to.kind === "cli" && !CLI_USERS.has(from.kind)) return `lib/cli is for main and cmd, not for ${from.kind}`;
  if (from.kind === "cmd" && to.kind === "cmd") {
    const table = from.path === "cmd/tree.ts" && lazy;
    return table ? undefined : "A command may not import a command; only cmd/tree.ts does, with import()";
  }
  if (from.kind === to.kind) return undefined;
  const [own, other] = [RANK[from.kind], RANK[to.kind]];
  if (own === undefined) return `lib/${from.kind} has no layer: give it one in scripts/lint_plugin.ts`;
  if (other === undefined) return `lib/${to.kind} has no layer: give it one in scripts/lint_plugin.ts`;
  return other < own ? undefined : `Imports point down only: ${from.kind} may not import ${to.kind}`;
}

function owns(place: Place, owners: readonly string[]): boolean {
  return owners.includes(place.path);
}

function ownersText(owners: readonly string[]): string {
  return owners.length === 0 ? "not used here at all" : `for ${owners.join(", ")} only`;
}

const layers: Deno.lint.Rule = {
  create(ctx) {
    const from = placeOf(ctx.filename);
    const check = (node: Deno.lint.Node, specifier: string, lazy: boolean) => {
      if (specifier.startsWith("@std/assert") && from.kind !== "tests" && from.kind !== "") {
        ctx.report({ node, message: "@std/assert is for tests/ only" });
      }
      const owners = MODULE_OWNERS[specifier];
      if (owners && !AROUND.has(from.kind) && from.kind !== "" && !owns(from, owners)) {
        ctx.report({ node, message: `${specifier} is ${ownersText(owners)}` });
      }
      const to = resolve(from, specifier);
      const message = to && refusal(from, to, lazy);
      if (message) ctx.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value, false),
      ExportAllDeclaration: (node) => check(node, node.source.value, false),
      ExportNamedDeclaration: (node) => {
        if (node.source) check(node, node.source.value, false);
      },
      ImportExpression: (node) => {
        if (node.source.type === "Literal" && typeof node.source.value === "string") {
          check(node, node.source.value, true);
        }
      },
    };
  },
};

const owners: Deno.lint.Rule = {
  create(ctx) {
    const place = placeOf(ctx.filename);
    if (place.kind === "") return {};
    const use = (node: Deno.lint.Node, member: string) => {
      const allowed = Object.hasOwn(DENO_OWNERS, member) ? DENO_OWNERS[member] : undefined;
      if (allowed && !AROUND.has(place.kind) && !owns(place, allowed)) {
        ctx.report({ node, message: `Deno.${member} is ${ownersText(allowed)}` });
      }
    };
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier") return;
        const member = node.property.type === "Identifier" && !node.computed
          ? node.property.name
          : node.property.type === "Literal"
          ? String(node.property.value)
          : "";
        if (node.object.name === "Deno") use(node, member);
        if (node.object.name === "console" && place.kind !== "scripts" && place.kind !== "bench") {
          ctx.report({ node, message: "console is for scripts/ and bench/ only", hint: "Write through the context" });
        }
      },
      VariableDeclarator(node) {
        if (node.init?.type !== "Identifier" || node.init.name !== "Deno" || node.id.type !== "ObjectPattern") return;
        for (const property of node.id.properties) {
          if (property.type === "Property" && property.key.type === "Identifier") use(property, property.key.name);
        }
      },
    };
  },
};

/** The first and the last piece of a literal text, or undefined where it is no literal. */
function ends(node: Deno.lint.Node | undefined): { start: string; end: string; text: string } | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") {
    return { start: node.value, end: node.value, text: node.value };
  }
  if (node?.type === "TemplateLiteral") {
    const pieces = node.quasis.map((quasi) => quasi.cooked);
    return { start: pieces[0] ?? "", end: pieces.at(-1) ?? "", text: pieces.join("…") };
  }
  return undefined;
}

const errorMessage: Deno.lint.Rule = {
  create(ctx) {
    const { kind } = placeOf(ctx.filename);
    if (kind === "" || AROUND.has(kind)) return {};
    const check = (node: Deno.lint.NewExpression | Deno.lint.CallExpression) => {
      if (node.callee.type !== "Identifier" || !/Error$|^Interrupted$/.test(node.callee.name)) return;
      // Their first argument is no message: the name of a C function, a GLib error domain.
      if (node.callee.name === "LibcError" || node.callee.name === "GlibError") return;
      const message = node.arguments[0];
      const text = ends(message);
      if (message === undefined || text === undefined) return;
      const report = (what: string) => ctx.report({ node: message, message: `An error message ${what}` });
      if (/^[a-z]/.test(text.start)) report("starts with a capital letter");
      if (/\.$/.test(text.end)) report("has no full stop");
      if (CONTRACTION.test(text.text)) report("has no contractions");
    };
    return { NewExpression: check, CallExpression: check };
  },
};

export default { name: "house", rules: { layers, owners, "error-message": errorMessage } } satisfies Deno.lint.Plugin;
