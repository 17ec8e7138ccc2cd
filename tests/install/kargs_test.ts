import { assertEquals, assertThrows } from "@std/assert";
import { type InstallKargs, installKargs, refuseUnsafeKargs } from "../../lib/install/kargs.ts";
import { UserError } from "../../lib/sys/errors.ts";

const NOTHING: InstallKargs = {
  rootMountSpec: "UUID=1",
  bootMountSpec: undefined,
  config: [],
  kargsD: [],
  deletes: [],
  cli: [],
};

const rows: { what: string; from: Partial<InstallKargs>; kargs: string[] }[] = [
  { what: "root= and rw", from: {}, kargs: ["root=UUID=1", "rw"] },
  { what: "no root= where the root is found without", from: { rootMountSpec: "" }, kargs: ["rw"] },
  { what: "boot=", from: { bootMountSpec: "UUID=2" }, kargs: ["root=UUID=1", "rw", "boot=UUID=2"] },
  { what: "no boot= for an empty specification", from: { bootMountSpec: "" }, kargs: ["root=UUID=1", "rw"] },
  {
    what: "all sources in their order",
    from: { bootMountSpec: "UUID=2", config: ["config"], kargsD: ["image"], cli: ["cli"] },
    kargs: ["root=UUID=1", "rw", "boot=UUID=2", "config", "image", "cli"],
  },
  {
    what: "each argument of an item, quotes kept whole",
    from: { config: ["a  b"], cli: ['c="d e" f'] },
    kargs: ["root=UUID=1", "rw", "a", "b", 'c="d e"', "f"],
  },
  { what: "nothing of empty items", from: { config: [""], cli: [" "], deletes: [""] }, kargs: ["root=UUID=1", "rw"] },
  {
    what: "several values of a name, none of them twice",
    from: { config: ["console=tty0", "console=ttyS0"], kargsD: ["console=tty0"], cli: ["rw", "console=hvc0"] },
    kargs: ["root=UUID=1", "rw", "console=tty0", "console=ttyS0", "console=hvc0"],
  },
  {
    what: "once what differs in quotes and dashes alone",
    from: { config: ["a-b=c d-e"], cli: ['a_b="c"', "a-b=c-d", "a_b=c_d"] },
    kargs: ["root=UUID=1", "rw", "a-b=c", "d-e", "a-b=c-d", "a_b=c_d"],
  },
  {
    // The reference's test_delete_kargs.
    what: "nothing that was deleted by name, or by name and value",
    from: {
      config: ["console=tty0", "quiet", "debug", "nosmt", "foo=bar", "foo=baz", "bar=baz"],
      deletes: ["foo=bar", "bar", "debug"],
    },
    kargs: ["root=UUID=1", "rw", "console=tty0", "quiet", "nosmt", "foo=baz"],
  },
  {
    what: "what the command line brings back after it was deleted",
    from: { config: ["a=1"], kargsD: ["b"], deletes: ["a", "b"], cli: ["b"] },
    kargs: ["root=UUID=1", "rw", "b"],
  },
  { what: "no rw where that is deleted", from: { deletes: ["rw", "none"] }, kargs: ["root=UUID=1"] },
  {
    what: "no name that only begins like a deleted one",
    from: { config: ["debugger", "xdebug", "debug=1"], deletes: ["debug"] },
    kargs: ["root=UUID=1", "rw", "debugger", "xdebug"],
  },
  {
    what: "nothing deleted in another spelling",
    from: { config: ["a-b=1", "a_b=2"], deletes: ["a_b=1", 'a-b="2"'] },
    kargs: ["root=UUID=1", "rw"],
  },
];

for (const { what, from, kargs } of rows) {
  Deno.test(`installKargs() gives ${what} (I5)`, () => assertEquals(installKargs({ ...NOTHING, ...from }), kargs));
}

const wrong: [what: string, from: Partial<InstallKargs>, message: string][] = [
  ["a line break from the command line", { cli: ["a\nb"] }, `Kernel argument "a\\nb" holds a control character`],
  ["a NUL in the configuration", { config: ["a\0"] }, `Kernel argument "a\\u0000" holds a control character`],
  [
    "a blank in the root's source",
    { rootMountSpec: "LABEL=a init=/bin/sh" },
    `Cannot mount from "LABEL=a init=/bin/sh": it holds a blank, a quote or a backslash`,
  ],
  [
    "a quote in the source of /boot",
    { bootMountSpec: 'a"' },
    `Cannot mount from "a\\"": it holds a blank, a quote or a backslash`,
  ],
];

for (const [what, from, message] of wrong) {
  Deno.test(`installKargs() refuses ${what}`, () => {
    assertEquals(assertThrows(() => installKargs({ ...NOTHING, ...from }), UserError).message, message);
  });
}

for (const character of ["$", ";", "&", "|", "<", ">", "{", "}", "#", "\\", '"', "'", "\n", "\r"]) {
  Deno.test(`refuseUnsafeKargs() refuses ${JSON.stringify(character)}`, () => {
    const karg = `a=b${character}c`;
    const error = assertThrows(() => refuseUnsafeKargs(["quiet", karg]), UserError);
    assertEquals(
      error.message,
      `Kernel argument ${JSON.stringify(karg)} holds ${JSON.stringify(character)}, which GRUB would interpret`,
    );
  });
}

Deno.test("refuseUnsafeKargs() takes what kernels usually get", () => {
  refuseUnsafeKargs(["root=UUID=1", "console=ttyS0,115200n8", "rd.lvm.lv=vg/root", "a=~b%c@d:e+f!g?h*i[j]k(l)^m`n"]);
});
