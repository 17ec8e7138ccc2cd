import { assertEquals, assertThrows } from "@std/assert";
import { manualPage } from "../../../scripts/docs/roff.ts";

const OPTIONS = { source: "bootc 1.2", manual: "bootc" };

/** The lines of a page behind its head. */
function body(markdown: string): string[] {
  return manualPage(`# x(8)\n\n${markdown}`, OPTIONS).trimEnd().split("\n").slice(4);
}

Deno.test("manualPage() begins with a title and no date", () => {
  assertEquals(manualPage("# bootc-kargs.d(5)\n", OPTIONS).split("\n").slice(1), [
    `.TH "BOOTC\\-KARGS.D" "5" "" "bootc 1.2" "bootc"`,
    ".nh",
    ".ad l",
    "",
  ]);
});

const rows: [fact: string, markdown: string, expected: string[]][] = [
  ["sections and their first paragraph", "## See also\n\nText", [`.SH "SEE ALSO"`, "Text"]],
  ["parts of sections", '### One "two"\n\nText', [`.SS "One \\(dqtwo\\(dq"`, "Text"]],
  ["paragraphs", "One\n\nTwo", [".PP", "One", ".PP", "Two"]],
  ["a sentence a line", "One a.  Two b. three c.", [".PP", "One a.", "Two b. three c."]],
  ["emphasis", "**-x** *FILE* `--yes`", [".PP", "\\fB\\-x\\fR \\fIFILE\\fR \\fB\\-\\-yes\\fR"]],
  ["what groff would make typographic", "a\\\\b it's \\`^~-", [".PP", "a\\eb it\\(aqs \\(ga\\(ha\\(ti\\-"]],
  ["lines that begin like requests", "`.x`\n\n    .y\n    'z", [
    ".PP",
    "\\fB.x\\fR",
    ".PP",
    ".in +4n",
    ".EX",
    "\\&.y",
    "\\(aqz",
    ".EE",
    ".in",
  ]],
  ["text that begins with a dot", "## S\n\n.so /etc/shadow", [`.SH "S"`, "\\&.so /etc/shadow"]],
  ["terms", "- **a**\n\n  What", [".TP", "\\fBa\\fR", "What"]],
  ["terms with more behind them", "- **a**\n\n  What\n\n  More", [
    ".TP",
    "\\fBa\\fR",
    "What",
    ".RS",
    ".PP",
    "More",
    ".RE",
  ]],
  ["bullets", "- one\n- two", [".IP \\(bu 4", "one", ".IP \\(bu 4", "two"]],
  ["numbers", "3. one\n4. two", [".IP 3. 4", "one", ".IP 4. 4", "two"]],
  ["lines of at most 80 columns", `${"word ".repeat(20)}`, [
    ".PP",
    "word ".repeat(16).trim(),
    "word ".repeat(4).trim(),
  ]],
];

for (const [fact, markdown, expected] of rows) {
  Deno.test(`manualPage() writes ${fact}`, () => assertEquals(body(markdown), expected));
}

for (const [what, markdown] of [["a table's bars as they are", "| a | b |"]] as const) {
  Deno.test(`manualPage() leaves ${what}`, () => assertEquals(body(markdown), [".PP", "| a | b |"]));
}

for (
  const [what, markdown] of [
    ["a quote", "> a"],
    ["HTML", "<b>a</b>"],
    ["a rule", "a\n\n---\n"],
    ["a link, whose address would be lost", "[a](b)"],
    ["an image", "![a](b)"],
  ] as const
) {
  Deno.test(`manualPage() refuses ${what}`, () => {
    assertThrows(() => body(markdown), TypeError, "A manual page cannot hold Markdown of type");
  });
}

for (const markdown of ["", "Text", "## x(8)x", "# bootc"]) {
  Deno.test(`manualPage() refuses a page that begins with "${markdown}"`, () => {
    assertThrows(() => manualPage(markdown, OPTIONS), SyntaxError, "A page must begin with");
  });
}
