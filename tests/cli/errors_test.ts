import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exitCodeOf, renderError, UsageError } from "../../lib/cli/errors.ts";
import { Interrupted, ToolError, UserError } from "../../lib/sys/errors.ts";
import { LibcError } from "../../lib/sys/libc.ts";

const cause = new UserError("Cannot read the manifest", {
  cause: new ToolError('"skopeo" failed: denied'),
  hint: "Log in",
});

const rows: [fact: string, error: unknown, text: string][] = [
  ["one error on one line", new UserError("No such image"), "error: No such image\n"],
  [
    "all causes on one line and the nearest hint below",
    new UserError('Cannot pull "a"', { cause }),
    'error: Cannot pull "a": Cannot read the manifest: "skopeo" failed: denied\nhint: Log in\n',
  ],
  [
    "the outermost hint where there are two",
    new UserError("Cannot pull", { cause, hint: "Try again" }),
    'error: Cannot pull: Cannot read the manifest: "skopeo" failed: denied\nhint: Try again\n',
  ],
  [
    "a cause once that its error repeats",
    new UserError("Cannot parse: bad text", { cause: new SyntaxError("bad text") }),
    "error: Cannot parse: bad text\n",
  ],
  ["a tool's lines as one", new ToolError("It failed: one\n  two\r\nthree\n"), "error: It failed: one; two; three\n"],
  [
    "no control characters",
    new UserError("Bad name \x1b[31mred\x07\u202e"),
    "error: Bad name \\u001b[31mred\\u0007\\u202e\n",
  ],
  ["an errno without a stack", new LibcError("openat", 28), "error: openat: No space left on device\n"],
  ["an error of Deno's without a stack", new Deno.errors.PermissionDenied("x"), "error: x\n"],
  ["a range", new RangeError("Too large"), "error: Too large\n"],
  [
    "the first failure before that of a disposer",
    new SuppressedError(new UserError("Cannot unmount"), new UserError("Cannot copy", { hint: "Free space" })),
    "error: Cannot copy\nerror: Cleaning up failed too: Cannot unmount\nhint: Free space\n",
  ],
  [
    "clean-ups in the order in which they failed",
    new SuppressedError(new UserError("Second"), new SuppressedError(new UserError("First"), new UserError("Work"))),
    "error: Work\nerror: Cleaning up failed too: First\nerror: Cleaning up failed too: Second\n",
  ],
  [
    "the errors behind an AggregateError",
    new UserError("Cannot fetch", { cause: new AggregateError([new UserError("One"), new UserError("Two")]) }),
    "error: Cannot fetch: One; Two\n",
  ],
];

for (const [fact, error, text] of rows) {
  Deno.test(`renderError() shows ${fact}`, () => assertEquals(renderError(error), text));
}

Deno.test("renderError() shows the stack of a bug and asks for a report", () => {
  const text = renderError(new UserError("Cannot pull", { cause: new TypeError("x is undefined") }));
  assertStringIncludes(text, "error: Cannot pull: x is undefined\nThis is a bug in bootc; please report it");
  assertMatch(text, /TypeError: x is undefined\n +at .*errors_test\.ts/);
});

Deno.test("renderError() takes whatever was thrown", () => {
  assertStringIncludes(renderError("text"), "error: text\nThis is a bug in bootc;");
  assertStringIncludes(renderError(undefined), "error: undefined\n");
});

Deno.test("renderError() ends where causes go round in a circle", () => {
  const first = new UserError("First");
  first.cause = new UserError("Second", { cause: first });
  assertEquals(renderError(first), "error: First: Second\n");
});

Deno.test("renderError() paints its labels only when asked", () => {
  assertEquals(renderError(cause, { color: true }).split(" ")[0], "\x1b[1;31merror:\x1b[0m");
});

const codes: [fact: string, error: unknown, code: number][] = [
  ["a failure", new UserError("x"), 1],
  ["a bug", new TypeError("x"), 1],
  ["a wrong command line", new UsageError("x"), 2],
  ["an interruption", new Interrupted(), 130],
  ["an interruption below", new UserError("Cannot pull", { cause: new Interrupted() }), 130],
  ["an aborted signal", new DOMException("x", "AbortError"), 130],
  ["an interruption whose clean-up failed", new SuppressedError(new UserError("x"), new Interrupted()), 130],
];

for (const [fact, error, code] of codes) {
  Deno.test(`exitCodeOf() is ${code} for ${fact}`, () => assertEquals(exitCodeOf(error), code));
}
