import { assertEquals } from "@std/assert";
import { commandHelp, groupHelp, usageOf } from "../../lib/cli/help.ts";
import type { CommandSpec } from "../../lib/cli/spec.ts";
import type { Group } from "../../lib/cli/tree.ts";

const spec: CommandSpec = {
  summary: "Track another image",
  description: [
    "Fetches the image and makes a deployment of it, which the next boot uses. What is in /etc and /var stays as it is.",
    "A second paragraph.",
  ],
  positionals: [
    { name: "target", help: "The image to track from now on" },
    { name: "extraRoots", help: "More", optional: true, repeated: true },
  ],
  flags: {
    quiet: { help: "Show no progress", short: "q" },
    softReboot: { kind: "enum", help: "Restart user space only", values: ["required", "auto"], metavar: "MODE" },
    karg: { kind: "string", help: "Add a kernel argument", repeated: true },
    transport: { kind: "string", help: "Where the image lies", default: "registry" },
    aVeryLongOptionForAGoodReason: { kind: "string", help: "Its help starts on a line of its own" },
    progressFd: { kind: "integer", help: "Never shown", hidden: true },
  },
  examples: [
    { command: "bootc switch quay.io/example/os:latest", help: "Track this image from now on" },
  ],
};

const HELP_80 = `Track another image

Usage: bootc switch [OPTIONS] <TARGET> [EXTRA_ROOTS]...

Fetches the image and makes a deployment of it, which the next boot uses. What
is in /etc and /var stays as it is.

A second paragraph.

Also: change

Arguments:
  <TARGET>          The image to track from now on
  [EXTRA_ROOTS]...  More

Options:
  -q, --quiet                  Show no progress
      --soft-reboot <MODE>     Restart user space only (one of: required, auto)
      --karg <KARG>            Add a kernel argument (may be repeated)
      --transport <TRANSPORT>  Where the image lies (default: registry)
      --a-very-long-option-for-a-good-reason <A-VERY-LONG-OPTION-FOR-A-GOOD-REASON>
                               Its help starts on a line of its own
  -h, --help                   Print help

Examples:
  bootc switch quay.io/example/os:latest
      Track this image from now on
`;

Deno.test("commandHelp() is made of the spec", () => {
  assertEquals(commandHelp("bootc switch", spec, { aliases: ["change"] }), HELP_80);
});

Deno.test("commandHelp() wraps for a narrow terminal", () => {
  const narrow: CommandSpec = {
    summary: "Track another image of the same host",
    positionals: [{ name: "target", help: "The image to track from now on" }],
    flags: { quiet: { help: "Show no progress, but print the results", short: "q" } },
  };
  assertEquals(
    commandHelp("bootc switch", narrow, { columns: 40 }),
    `Track another image of the same host

Usage: bootc switch [OPTIONS] <TARGET>

Arguments:
  <TARGET>  The image to track from now
            on

Options:
  -q, --quiet  Show no progress, but
               print the results
  -h, --help   Print help
`,
  );
});

Deno.test("commandHelp() of a bare command has nothing but its options", () => {
  assertEquals(
    commandHelp("bootc rollback", { summary: "Change the boot order", positionals: [], flags: {} }),
    `Change the boot order

Usage: bootc rollback [OPTIONS]

Options:
  -h, --help  Print help
`,
  );
});

Deno.test("usageOf() names options that are required", () => {
  const required: CommandSpec = {
    summary: "List",
    positionals: [],
    flags: { repo: { kind: "string", help: "Repository", required: true } },
  };
  assertEquals(usageOf("bootc image list", required), "Usage: bootc image list [OPTIONS] --repo <REPO>");
});

const group: Group = {
  summary: "Work on images",
  commands: {
    list: { summary: "List images", load: () => Promise.reject(new Error("Not to be loaded")) },
    pull: { summary: "Fetch an image", aliases: ["get"], load: () => Promise.reject(new Error("Not to be loaded")) },
    secret: { summary: "Hidden", hidden: true, load: () => Promise.reject(new Error("Not to be loaded")) },
  },
};

Deno.test("groupHelp() lists commands without loading them, hidden ones left out", () => {
  assertEquals(
    groupHelp("bootc image", group),
    `Work on images

Usage: bootc image <COMMAND>

Commands:
  list  List images
  pull  Fetch an image

Options:
  -h, --help  Print help

Each command has help of its own: bootc image <COMMAND> --help
`,
  );
});
