import { emptyFilesCpio } from "../../codec/cpio_archive.ts";
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml/parse";
import { LINTS } from "../../../lib/rootfs/lint/table.ts";
import { addToRoot, directory, fifo, passingRoot, type RootNode, symlink, text } from "../../root_files.ts";
import { bootc } from "../bootc.ts";

/** Of lints that mean something in a root that is not the running one. */
const APPLICABLE = LINTS.filter(({ rootType }) => rootType !== "running").length;
const SKIPPED = LINTS.length - APPLICABLE;

type Changes = Readonly<Record<string, RootNode | undefined>>;

/** What a run says of a tree that fails these lints. */
function report(findings: string[], { skipped = SKIPPED, warnings = 0 } = {}): string {
  const passed = LINTS.length - skipped - findings.length;
  return [
    ...findings.map((finding) => `${finding}\n`),
    `Checks passed: ${passed}\n`,
    `Checks skipped: ${skipped}\n`,
    ...(warnings > 0 ? [`Warnings: ${warnings}\n`] : []),
  ].join("");
}

Deno.test("bootc container lint passes the smallest tree that is right, with --fatal-warnings too", async () => {
  await using root = await passingRoot();
  const stdout = report([]);
  assertEquals(await bootc("container", "lint", "--rootfs", root.path), { code: 0, stdout, stderr: "" });
  assertEquals(await bootc("container", "lint", "--rootfs", root.path, "--fatal-warnings"), {
    code: 0,
    stdout,
    stderr: "",
  });
});

const fatal: [fact: string, changes: Changes, findings: string[]][] = [
  ["var-run: a directory /var/run", { "var/run/foo": directory }, ["Failed lint: var-run: Not a symlink: var/run"]],
  ["etc-usretc: /etc and /usr/etc", { etc: directory, "usr/etc": directory }, [
    "Failed lint: etc-usretc: Found /usr/etc - this is a bootc implementation detail and not supported to use in containers",
  ]],
  ["bootc-kargs: kargs.d that is a file", { "usr/lib/bootc/kargs.d": text("not a directory") }, [
    `Failed lint: bootc-kargs: Path "/usr/lib/bootc/kargs.d" is a file, expected a directory`,
  ]],
  ["bootc-kargs: a key of another name", { "usr/lib/bootc/kargs.d/10-a.toml": text("kargz = []\n") }, [
    `Failed lint: bootc-kargs: Cannot read "usr/lib/bootc/kargs.d/10-a.toml" of the image: ` +
    `Key "kargz" is not known, expected "kargs" or "match-architectures"`,
  ]],
  ["bootc-kargs: names that a terminal would obey", {
    "usr/lib/bootc/kargs.d/\x1b[31m\n.toml": text('"\\u001b]0;title\\u009b" = 1\n'),
  }, [
    `Failed lint: bootc-kargs: Cannot read "usr/lib/bootc/kargs.d/\\u001b[31m\\u000a.toml" of the image: ` +
    `Key "\\u001b]0;title\\u009b" is not known, expected "kargs" or "match-architectures"`,
  ]],
  ["bootc-kargs: no UTF-8", { "usr/lib/bootc/kargs.d/10-a.toml": text(new Uint8Array([0xff])) }, [
    `Failed lint: bootc-kargs: Cannot read file /usr/lib/bootc/kargs.d/10-a.toml: The text is not UTF-8`,
  ]],
  ["bootc-kargs: kargs.d that leads out of the root", { "usr/lib/bootc/kargs.d": symlink("../../../../etc") }, [
    `Failed lint: bootc-kargs: Path "/usr/lib/bootc/kargs.d" is a symlink, expected a directory`,
  ]],
  ["bootc-kargs: a file of kargs.d that is a link", { "usr/lib/bootc/kargs.d/10-a.toml": symlink("/etc/passwd") }, [
    "Failed lint: bootc-kargs: Path /usr/lib/bootc/kargs.d/10-a.toml is a symlink, expected a file",
  ]],
  ["bootc-kargs: a file of kargs.d that is a FIFO", { "usr/lib/bootc/kargs.d/10-a.toml": fifo }, [
    "Failed lint: bootc-kargs: Path /usr/lib/bootc/kargs.d/10-a.toml is a fifo, expected a file",
    "Failed lint: special-files: Found devices or FIFOs:\n  /usr/lib/bootc/kargs.d/10-a.toml (fifo)\n",
  ]],
  ["kernel: two kernels (K2)", { "usr/lib/modules/6.3.1/vmlinuz": text("new") }, [
    "Failed lint: kernel: Found multiple subdirectories in usr/lib/modules:\n  5.7.2\n  6.3.1\n",
  ]],
  ["api-base-directories: no /var", { var: undefined }, [
    "Failed lint: api-base-directories: Missing API filesystem base directory: /var",
  ]],
  ["api-base-directories: a file /var", { var: text("a file for var") }, [
    "Failed lint: api-base-directories: Expected directory for API filesystem base directory: /var",
  ]],
  ["baseimage-root: no /sysroot", { sysroot: undefined }, ["Failed lint: baseimage-root: Missing /sysroot"]],
  ["baseimage-root: a file /sysroot", { sysroot: text("") }, [
    "Failed lint: baseimage-root: Expected a directory for /sysroot",
  ]],
  ["baseimage-root: no /ostree", { ostree: undefined }, [
    "Failed lint: baseimage-root: Missing ostree -> sysroot/ostree link",
  ]],
  ["baseimage-root: a directory /ostree", { ostree: directory }, [
    "Failed lint: baseimage-root: /ostree should be a symlink",
  ]],
  ["baseimage-root: another link", { ostree: symlink("/sysroot/ostree") }, [
    `Failed lint: baseimage-root: Expected /ostree -> sysroot/ostree, not "/sysroot/ostree"`,
  ]],
  ["baseimage-root: the example of a base that has no /sysroot", { "usr/share/doc/bootc/baseimage/base": directory }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf is not present to enable composefs",
    "Failed lint: baseimage-root: Missing /sysroot",
  ]],
  ["utf8: a directory below others", { "subdir/2/bad\xffdir": directory }, [
    `Failed lint: utf8: /subdir/2: Found non-utf8 filename "bad\\xFFdir"`,
  ]],
  ["utf8: a file at the top", { "regular\xff": text("Hello, world!\n") }, [
    `Failed lint: utf8: /: Found non-utf8 filename "regular\\xFF"`,
  ]],
  ["utf8: a link's target", { "subdir/good-name": symlink("regular\xff") }, [
    "Failed lint: utf8: /subdir/good-name: Found non-utf8 symlink target",
  ]],
  ["utf8: a link to itself, by its name first", { "regular\xff": symlink("regular\xff") }, [
    `Failed lint: utf8: /: Found non-utf8 filename "regular\\xFF"`,
  ]],
  ["utf8: what is UTF-8 beside what is not", { "d\xc3\xa9f\xe9\x1b": text("") }, [
    `Failed lint: utf8: /: Found non-utf8 filename "déf\\xE9\\x1B"`,
  ]],
  ["initramfs: an operating system without", { "usr/lib/os-release": text("ID=test\n") }, [
    "Failed lint: initramfs: Found a kernel without initramfs.img beside it:\n  /usr/lib/modules/5.7.2/vmlinuz\n",
  ]],
  ["initramfs: one without ostree's program", {
    "usr/lib/os-release": text("ID=test\n"),
    "usr/lib/modules/5.7.2/initramfs.img": text(emptyFilesCpio(["init"])),
  }, [
    "Failed lint: initramfs: Found an initramfs without ostree-prepare-root, which cannot find an ostree root; make it with dracut --add ostree:\n" +
    "  /usr/lib/modules/5.7.2/initramfs.img\n",
  ]],
  ["special-files: a FIFO in /var, but none in /run", { "var/lib/queue": fifo, "proc/queue": fifo }, [
    "Failed lint: special-files: Found devices or FIFOs:\n  /var/lib/queue (fifo)\n",
  ]],
];

for (const [fact, changes, findings] of fatal) {
  Deno.test(`bootc container lint fails by ${fact}`, async () => {
    await using root = await passingRoot(changes);
    const { code, stdout, stderr } = await bootc("container", "lint", "--rootfs", root.path);
    const warnings = findings.filter((finding) => finding.startsWith("Lint warning")).length;
    assertEquals(stdout, report(findings, { warnings }));
    assertEquals([code, stderr], [1, `error: Linting: Checks failed: ${findings.length - warnings}\n`]);
  });
}

const PREPARE_ROOT = "usr/lib/ostree/prepare-root.conf";

const warnings: [fact: string, changes: Changes, findings: string[]][] = [
  ["var-log: a log", {
    "var/log/somefile.log": text("log contents"),
    "var/log/empty.log": text(""),
    "var/log/README": symlink("../../usr/share/doc/systemd/README.logs"),
  }, ["Lint warning: var-log: Found non-empty logfiles:\n  /var/log/somefile.log\n"]],
  ["baseimage-composefs: no prepare-root.conf", { [PREPARE_ROOT]: undefined }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf is not present to enable composefs",
  ]],
  ["baseimage-composefs: composefs that is off", { [PREPARE_ROOT]: text("[composefs]\nenabled = false\n") }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf does not have composefs enabled",
  ]],
  ["baseimage-composefs and prepare-root: a configuration that is none", { [PREPARE_ROOT]: text("nonsense\n") }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf does not have composefs enabled",
    "Failed lint: prepare-root: Cannot read ostree/prepare-root.conf: " +
    `Line 1 of a key file stands before the first group: "nonsense"`,
  ]],
  ["nonempty-boot: content", { "boot/somesubdir": directory, "boot/EFI/Linux/foo.efi": text("uki") }, [
    "Lint warning: nonempty-boot: Found non-empty /boot:\n  somesubdir\n",
  ]],
  ["nonempty-boot: no /boot", { boot: undefined }, ["Lint warning: nonempty-boot: Missing /boot directory"]],
  ["nonempty-run-tmp: leftovers", {
    "run/dnf": directory,
    "run/leaked-file": text("data"),
    "tmp/build-artifact": text("some data"),
    "run/systemd/resolve/stub-resolv.conf": text("tolerated"),
    "run/lock/subsys": directory,
  }, [
    "Lint warning: nonempty-run-tmp: Found content in runtime-only directories (/run, /tmp):\n" +
    "  /run/dnf\n  /run/leaked-file\n  /tmp/build-artifact\n",
  ]],
  ["nonempty-run-tmp: something beside what is tolerated", { "run/systemd/resolve/something-else": text("data") }, [
    "Lint warning: nonempty-run-tmp: Found content in runtime-only directories (/run, /tmp):\n" +
    "  /run/systemd\n  /run/systemd/resolve\n  /run/systemd/resolve/something-else\n",
  ]],
  ["buildah-injected: an empty /etc/hostname", { "etc/hostname": text("") }, [
    "Lint warning: buildah-injected: " +
    "/etc/hostname is an empty file; this may have been synthesized by a container runtime.",
  ]],
  ["sysusers: users and groups of nowhere", {
    "etc/passwd": text("root:x:0:0:root:/root:/bin/sh\n# note\n+nis\nme:x:1000:1000::/home/me:/bin/sh\n"),
    "etc/group": text("root:x:0:\nme:x:1000:\nwheel:x:10:me\n"),
    "usr/lib/sysusers.d/basic.conf": text(`u! root 0 "Super User" /root\ng "wheel" 10\n`),
  }, [
    "Lint warning: sysusers: Found /etc/passwd entry without corresponding systemd sysusers.d:\n  me\n" +
    "Found /etc/group entry without corresponding systemd sysusers.d:\n  me\n",
  ]],
  ["sysusers: a passwd file that is none", { "etc/passwd": text("root:x:0\n") }, [
    `Lint warning: sysusers: Line 1 of "/etc/passwd" is no entry of a passwd file`,
  ]],
  ["machine-id: an id", { "etc/machine-id": text("0123456789abcdef0123456789abcdef\n") }, [
    "Lint warning: machine-id: /etc/machine-id is not empty: every machine made from this image would have the same id",
  ]],
  ["state-directories and dropped-content: without composefs", {
    [PREPARE_ROOT]: text("[composefs]\nenabled = no\n"),
    bin: symlink("usr/bin"),
    home: directory,
    "opt/vendor/bin/tool": text("tool"),
    "root/.bashrc": text("PS1=x\n"),
    srv: symlink("var/srv"),
    "data/x": text("x"),
  }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf does not have composefs enabled",
    "Lint warning: dropped-content: Found content outside /usr, /etc and /var, which an import onto an ostree base leaves out:\n" +
    "  /data\n  /opt/vendor\n  /root/.bashrc\n",
    "Lint warning: state-directories: Found directories whose content the next upgrade would lose; make them links into /var:\n" +
    "  /home\n  /opt\n  /root\n",
  ]],
];

for (const [fact, changes, findings] of warnings) {
  Deno.test(`bootc container lint warns by ${fact}`, async () => {
    await using root = await passingRoot(changes);
    const fatalOnes = findings.filter((finding) => finding.startsWith("Failed lint")).length;
    const stdout = report(findings, { warnings: findings.length - fatalOnes });
    const failed = (count: number) => ({
      code: count > 0 ? 1 : 0,
      stdout,
      stderr: count > 0 ? `error: Linting: Checks failed: ${count}\n` : "",
    });
    assertEquals(await bootc("container", "lint", "--rootfs", root.path), failed(fatalOnes));
    assertEquals(await bootc("container", "lint", "--rootfs", root.path, "--fatal-warnings"), failed(findings.length));
  });
}

const passing: [fact: string, changes: Changes][] = [
  ["links that loop, break and lead out", {
    self: symlink("self"),
    "subdir/parent": symlink(".."),
    broken: symlink("does-not-exist"),
    escape: symlink("../../x"),
    "var/log": symlink("../../../../../../var/log"),
    "etc/passwd": symlink("/etc/../../../../../../etc/passwd"),
    "usr/lib/sysusers.d": symlink("sysusers.d"),
  }],
  ["FIFOs that nobody writes to, also where a file is read", {
    "run/queue": fifo,
    "etc/machine-id": symlink("/run/queue"),
  }],
  ["an empty /usr/etc without /etc", { "usr/etc": directory }],
  ["a machine id that is not yet there", { "etc/machine-id": text("uninitialized\n") }],
  ["the kernel of an operating system with initramfs.img", {
    "usr/lib/os-release": text("ID=test\n"),
    "usr/lib/modules/5.7.2/initramfs.img": text("initramfs"),
    "usr/lib/modules/6.1/kernel/x.ko": text("no kernel"),
  }],
  ["a transient root without composefs", {
    [PREPARE_ROOT]: text("[root]\ntransient = true\n"),
    "opt/vendor": directory,
    "data/x": text("x"),
  }],
];

for (const [fact, changes] of passing) {
  Deno.test(`bootc container lint passes ${fact}`, async () => {
    await using root = await passingRoot(changes);
    const { code, stdout } = await bootc("container", "lint", "--rootfs", root.path, "--skip", "nonempty-run-tmp");
    assertEquals([code, stdout], [0, report([], { skipped: SKIPPED + 1 })]);
  });
}

Deno.test("bootc container lint shows five items of a list, and all with --no-truncate", async () => {
  const logs = Array.from({ length: 8 }, (_, index) => `var/log/${index + 1}.log`);
  await using root = await passingRoot(Object.fromEntries(logs.map((path) => [path, text("x")])));
  const lines = (count: number) => logs.slice(0, count).map((path) => `  /${path}\n`).join("");
  const head = "Lint warning: var-log: Found non-empty logfiles:\n";
  assertEquals(
    (await bootc("container", "lint", "--rootfs", root.path)).stdout,
    report([`${head}${lines(5)}  ...and 3 more\n`], { warnings: 1 }),
  );
  assertEquals(
    (await bootc("container", "lint", "--rootfs", root.path, "--no-truncate")).stdout,
    report([`${head}${lines(8)}`], { warnings: 1 }),
  );
});

Deno.test("bootc container lint --skip leaves lints out and counts them", async () => {
  await using root = await passingRoot({ "var/log/x": text("x"), "boot/x": text("x") });
  const { code, stdout } = await bootc(
    ...["container", "lint", "--rootfs", root.path, "--fatal-warnings"],
    ...["--skip", "var-log", "--skip=nonempty-boot"],
  );
  assertEquals([code, stdout], [0, report([], { skipped: SKIPPED + 2 })]);
});

Deno.test("bootc container lint quotes what a terminal would obey", async () => {
  await using root = await passingRoot({ "var/log/a b": text("x"), "var/log/it's\x1b[31m\n": text("x") });
  const { stdout } = await bootc("container", "lint", "--rootfs", root.path);
  assert(stdout.includes(`:\n  '/var/log/a b'\n  $'/var/log/it\\'s\\x1B[31m\\x0A'\n`), stdout);
});

Deno.test("bootc container lint knows the running root, however it is written", async () => {
  const others = LINTS.filter(({ name }) => name !== "buildah-injected").flatMap(({ name }) => ["--skip", name]);
  const expected = `Checks passed: 0\nChecks skipped: ${LINTS.length}\n`;
  for (const words of [[], ["--rootfs", "//"], ["--rootfs", "/usr/.."]]) {
    assertEquals((await bootc("container", "lint", ...others, ...words)).stdout, expected);
  }
});

Deno.test("bootc container lint --list prints all lints as YAML, and looks at nothing", async () => {
  const { code, stdout, stderr } = await bootc("container", "lint", "--list", "--rootfs", "/nowhere");
  assertEquals([code, stderr], [0, ""]);
  const listed = parse(stdout) as Record<string, string>[];
  assertEquals(listed.map(({ name, type }) => [name, type]), LINTS.map(({ name, type }) => [name, type]));
  assertEquals(listed.find(({ name }) => name === "var-tmpfiles")!["root-type"], "Running");
});

Deno.test("bootc container lint refuses to skip what there is not", async () => {
  const usage = "\nUsage: bootc container lint [OPTIONS]\n\nFor more information, try '--help'.\n";
  assertEquals(await bootc("container", "lint", "--skip", "var-logs"), {
    code: 2,
    stdout: "",
    stderr: `error: Unknown lint "var-logs"\nhint: Did you mean "var-log"?\n${usage}`,
  });
  assertEquals(
    (await bootc("container", "lint", "--list", "--skip", "fedora")).stderr,
    `error: Unknown lint "fedora"\nhint: "--list" shows all of them\n${usage}`,
  );
});

for (
  const [what, make] of [["not there", () => {}], [
    "a file",
    (path: string) => addToRoot(path, { root: text("") }),
  ]] as const
) {
  Deno.test(`bootc container lint refuses a root that is ${what}`, async () => {
    await using tmp = await passingRoot();
    make(tmp.path);
    const { code, stderr } = await bootc("container", "lint", "--rootfs", `${tmp.path}/root`);
    assertEquals(code, 1);
    assert(stderr.startsWith(`error: Cannot open the root file system "${tmp.path}/root": openat: `), stderr);
  });
}
