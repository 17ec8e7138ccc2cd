/**
 * A system root that looks booted, without a machine: its first deployment as the root directory of a namespace of its own, the host's
 * programs laid below the image's in /usr. Staging, finalizing and "rebooting" work in it with the real ostree; needs root.
 */
import { listDeployments, parseAdminStatus, type TestSysroot } from "./sysroot.ts";

/** What a program in there did. */
export interface BootedOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the system is entered. */
export interface BootedOptions {
  /** What else is to be seen inside: path inside (below /tmp or /run, which are fresh) to path outside. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Mount /sysroot read-only, as on a real host; programs then need a mount namespace of their own to change it. */
  readonly readOnlySysroot?: boolean;
}

/** Where the project is found inside. */
export const PROJECT = "/run/host/project";
const DENO = "/run/host/deno";
const EXECUTABLE = "/run/host/bootc";
const project = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Environment of programs inside: nothing of the host's. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
  HOME: "/root",
  LC_ALL: "C.UTF-8",
  OSTREE_SYSROOT_DEBUG: "mutable-deployments",
  DENO_DIR: "/run/host/deno-dir",
  DENO_NO_UPDATE_CHECK: "1",
};

/** The running system: namespaces that last until the block ends, so that /run keeps its state over several commands. */
export class Booted implements AsyncDisposable {
  #namespace: { unshare: Deno.ChildProcess; pid: string } | undefined;

  private constructor(readonly sysroot: TestSysroot, readonly options: BootedOptions) {}

  /** Boots the first deployment of a system root. */
  static async boot(sysroot: TestSysroot, options: BootedOptions = {}): Promise<Booted> {
    const booted = new Booted(sysroot, options);
    await booted.#enter();
    return booted;
  }

  async #enter(): Promise<void> {
    const [next] = await listDeployments(this.sysroot);
    if (next === undefined) throw new Error("Nothing is deployed");
    const stateroot = `${this.sysroot.path}/ostree/deploy/${next.stateroot}`;
    const script = bootScript({
      root: `${stateroot}/deploy/${next.checksum}.${next.serial}`,
      stateroot,
      sysroot: this.sysroot.path,
      ...this.options,
    });
    const unshare = new Deno.Command("unshare", {
      args: ["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = unshare.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (value === undefined) throw new Error(`Cannot boot: ${(await unshare.stderr.text()).trim()}`);
    await unshare.stderr.cancel();
    this.#namespace = { unshare, pid: new TextDecoder().decode(value).trim() };
  }

  async #leave(): Promise<void> {
    if (this.#namespace === undefined) return;
    const { unshare } = this.#namespace;
    this.#namespace = undefined;
    unshare.kill("SIGKILL"); // and with it everything inside, and every mount
    await unshare.status;
  }

  /** Runs a program inside; a failure is an answer. */
  async run(argv: readonly string[], options: { env?: Readonly<Record<string, string>> } = {}): Promise<BootedOutput> {
    if (this.#namespace === undefined) throw new Error("The system is not running");
    const { pid } = this.#namespace;
    const command = new Deno.Command("nsenter", {
      args: ["-t", pid, "--mount", "--pid", "--root", "--wd", "--", ...argv],
      clearEnv: true,
      env: { ...ENVIRONMENT, ...options.env },
      stdin: "null",
    });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs a program inside and gives its stdout. @throws {Error} when it fails */
  async text(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv);
    if (code !== 0) throw new Error(`"${argv.join(" ")}" failed with exit code ${code}: ${stderr.trim()}`);
    return stdout;
  }

  /** Runs a TypeScript file of the project inside, by its path in the project: `main.ts` is the program. */
  async deno(
    file: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<BootedOutput> {
    const options = ["--quiet", "--no-check", "--allow-all", `--config=${PROJECT}/deno.json`];
    return await this.run([DENO, "run", ...options, `${PROJECT}/${file}`, ...args], { env });
  }

  /** The words that start the program inside: from source, or the executable that BOOTC names. */
  get #program(): string[] {
    return Deno.env.has("BOOTC")
      ? [EXECUTABLE]
      : [DENO, "run", "--quiet", "--no-check", "--allow-all", `--config=${PROJECT}/deno.json`, `${PROJECT}/main.ts`];
  }

  /** {@linkcode Booted.bootc} as a shell takes it. */
  get bootcCommand(): string {
    return this.#program.map(quoted).join(" ");
  }

  /** Runs `bootc ARGS...` inside. */
  async bootc(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<BootedOutput> {
    return await this.run([...this.#program, ...args], { env });
  }

  /** What `ostree admin status` lists inside. */
  async status() {
    return parseAdminStatus(await this.text("ostree", "admin", "status"));
  }

  /**
   * Says that a soft reboot is prepared, and puts in libostree's place, which knows none here: an `umount` that ends with `code` and writes its
   * words to /run/asked. Gives the environment that finds it.
   */
  async prepareSoftReboot(code: number): Promise<Record<string, string>> {
    await this.write("/run/ostree/nextroot-booted", "");
    await this.write("/tmp/bin/umount", `#!/bin/sh\nprintf '%s\\n' "$*" >> /run/asked\necho busy >&2\nexit ${code}\n`);
    await this.write("/tmp/bin/nsenter", `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n`);
    await this.run(["chmod", "755", "/tmp/bin/umount", "/tmp/bin/nsenter"]);
    return { PATH: "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
  }

  /** Writes a file inside, making its directory. */
  async write(path: string, content: string): Promise<void> {
    const outside = `/proc/${this.#namespace?.pid}/root${path}`;
    await Deno.mkdir(outside.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(outside, content);
  }

  /** Reads a file inside; undefined where there is none. */
  async read(path: string): Promise<string | undefined> {
    try {
      return await Deno.readTextFile(`/proc/${this.#namespace?.pid}/root${path}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return undefined;
    }
  }

  /** Shuts down, as `ostree-finalize-staged.service` does, and boots what is first in the boot order then. */
  async reboot(): Promise<void> {
    await this.text("ostree", "admin", "finalize-staged");
    await this.powerCycle();
  }

  /** Cuts the power: what is staged is lost with /run. */
  async powerCycle(): Promise<void> {
    await this.#leave();
    await this.#enter();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }
}

interface BootPlan extends BootedOptions {
  /** Absolute path of the deployment. */
  readonly root: string;
  readonly stateroot: string;
  readonly sysroot: string;
}

/** What the boot loader, the kernel and the initial RAM disk do on a machine. Prints the first process's pid, and stays. */
function bootScript(plan: BootPlan): string {
  const mounts = {
    "/run/host/project": project,
    "/run/host/deno-dir": Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
    ...plan.mounts,
  };
  const named = Deno.env.get("BOOTC");
  const executable = named === undefined ? undefined : new URL(named, `file://${project}/`).pathname;
  const binds = Object.entries(mounts).flatMap(([inside, outside]) => [
    `[ -e ${quoted(outside)} ] || mkdir -p ${quoted(outside)}`,
    `mkdir -p "$R"${quoted(inside)}`,
    `mount --rbind ${quoted(outside)} "$R"${quoted(inside)}`,
  ]);
  return [
    `R=${quoted(plan.root)}`,
    "mount --make-rprivate /",
    'mount --bind "$R" "$R"',
    // The image's files win; what it lacks (libraries, programs) is the host's.
    'mount -t overlay overlay -o "lowerdir=$R/usr:/usr" "$R/usr"',
    `mount --bind ${quoted(plan.sysroot)} "$R/sysroot"`,
    ...(plan.readOnlySysroot ? ['mount -o remount,bind,ro "$R/sysroot"'] : []),
    `mount --bind ${quoted(`${plan.sysroot}/boot`)} "$R/boot"`,
    `mount --bind ${quoted(`${plan.stateroot}/var`)} "$R/var"`,
    'mkdir -p "$R/var/roothome" "$R/var/tmp"',
    'mount --rbind /dev "$R/dev"',
    'mount --rbind /sys "$R/sys"',
    'mount -t tmpfs tmpfs "$R/run"',
    'mount -t tmpfs tmpfs "$R/tmp"',
    'touch "$R/run/ostree-booted"',
    ...binds,
    `touch "$R${DENO}" && mount --bind ${quoted(Deno.execPath())} "$R${DENO}"`,
    ...(executable === undefined
      ? []
      : [`touch "$R${EXECUTABLE}" && mount --bind ${quoted(executable)} "$R${EXECUTABLE}"`]),
    // The old /proc still tells the pid that others know this process by.
    "read -r pid rest < /proc/self/stat",
    'mount -t proc proc "$R/proc"',
    // Said only from inside: before that, our root would still be the host's.
    `cd "$R" && exec chroot . /bin/sh -c 'echo "$1" && exec sleep infinity >/dev/null 2>&1' sh "$pid"`,
  ].join("\n");
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
