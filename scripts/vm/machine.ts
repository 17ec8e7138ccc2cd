/**
 * A virtual machine, emulated in software, so that it needs no help of the processor: slow, but the same everywhere. It is driven through
 * the guest agent, without a login.
 */
import type { Context } from "../../lib/sys/context.ts";
import { run, shellWords } from "../../lib/sys/run.ts";
import { machineArgv, type MachineFiles, type MachineOptions } from "./machine_argv.ts";
import { Qemu } from "./qemu.ts";
import { CommandRefused, QemuSocket } from "./qemu_socket.ts";
import { replay } from "./write_log.ts";

/** What a command in the guest gave. */
export interface GuestResult {
  /** Exit code, or 128 + the signal. */
  readonly code: number;
  /** Without the line break at its end. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A failure with the end of what the guest wrote to its serial console. */
export class MachineError extends Error {
  override name = "MachineError";
}

/** With two cores to share, a boot takes a minute or more. */
const BOOT_TIMEOUT_MS = 300_000;
const COMMAND_TIMEOUT_MS = 600_000;
const OFF_TIMEOUT_MS = 180_000;
const SCREEN_TAIL = 2000;

/** Where a boot ends when it fails; to wait for the agent is of no more use then. */
const DEAD_END = /You are in emergency mode|Press Enter for maintenance|grub(?: rescue)?> |No bootable device/;

/** A guest's environment, as a login would have it. */
const GUEST_ENV = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"];

/** Text of a terminal as a person reads it: without its controls; pure. */
export function plainScreen(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[c78=>]|[\r\0]/g, "");
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (since: number) => (performance.now() - since) / 1000;

/** What the agent says of a command. */
interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
}

function textOf(base64: string | undefined): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64 ?? "")).replace(/\n$/, "");
}

/** A machine; disposing cuts its power and removes what it wrote where the disk was to stay as it is. */
export class Machine implements AsyncDisposable {
  #process: { child: Deno.ChildProcess; ended: Promise<void> } | undefined;
  /** What the emulator has to say of itself since it was started. */
  #said = "";
  #agent: QemuSocket | undefined;
  #bootId = "";
  /** Where the console's text of this boot begins. */
  #bootStart = 0;

  private constructor(
    readonly ctx: Context,
    readonly qemu: Qemu,
    readonly options: MachineOptions,
    readonly directory: string,
  ) {}

  /**
   * Makes a machine and waits until its system has come up.
   * @throws {MachineError} when it does not within five minutes
   */
  static async start(ctx: Context, options: MachineOptions): Promise<Machine> {
    const qemu = await Qemu.find(ctx);
    const directory = await Deno.makeTempDir({ prefix: "bootc-machine-" });
    await using stack = new AsyncDisposableStack();
    const machine = stack.use(new Machine(ctx, qemu, options, directory));
    const files = machine.#files;
    if (options.snapshot) await machine.#overlay(files.disk);
    if (options.firmware === "uefi") await Deno.copyFile(qemu.uefi.variables, files.uefiVariables);
    await machine.powerOn();
    stack.move();
    return machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    await Deno.remove(this.directory, { recursive: true });
  }

  /** Makes an image that has what is written over the disk. */
  async #overlay(path: string): Promise<void> {
    const disk = await Deno.realPath(this.options.disk);
    const words = ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk, path];
    await run(this.ctx, [...this.qemu.argv("qemu-img"), ...words]);
  }

  get #files(): MachineFiles {
    const { directory, options } = this;
    return {
      disk: options.snapshot ? `${directory}/disk.qcow2` : options.disk,
      diskFormat: options.snapshot ? "qcow2" : "raw",
      overlay: `${directory}/overlay.qcow2`,
      writeLog: `${directory}/write-log`,
      uefiVariables: `${directory}/uefi-variables`,
      agent: `${directory}/agent`,
      monitor: `${directory}/monitor`,
      console: `${directory}/console`,
    };
  }

  /** What the guest wrote to its serial console since the machine was made, boot loader and firmware included. */
  screen(): string {
    try {
      return plainScreen(Deno.readTextFileSync(this.#files.console));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  #error(message: string, cause?: unknown): MachineError {
    const said = this.#said && `\nQEMU: ${this.#said}`;
    return new MachineError(`${message}${said}\nSerial console:\n${this.screen().slice(-SCREEN_TAIL)}`, { cause });
  }

  #spawn(): void {
    // The kernel ends the emulator when we end, in whatever way.
    const [program, ...args] = [
      "setpriv",
      "--pdeathsig",
      "KILL",
      "--",
      ...machineArgv(this.qemu, this.options, this.#files),
    ];
    const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    this.#said = "";
    const end = async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) this.#said += text;
      await child.status;
      this.#process = undefined;
    };
    this.#process = { child, ended: end() };
  }

  /** Waits for the agent of a boot that is not the last one. */
  async #waitForBoot(): Promise<void> {
    const limit = performance.now() + BOOT_TIMEOUT_MS;
    for (;;) {
      this.ctx.signal.throwIfAborted();
      if (this.#process === undefined) throw this.#error("The machine went off before its system had come up");
      const dead = DEAD_END.exec(this.screen().slice(this.#bootStart));
      if (dead) throw this.#error(`The system did not come up: "${dead[0]}"`);
      if (await this.#meetAgent()) return;
      if (performance.now() > limit) throw this.#error(`No guest agent answered within ${BOOT_TIMEOUT_MS / 1000} s`);
      await pause(300);
    }
  }

  /** Whether an agent answers, and it is another boot's. */
  async #meetAgent(): Promise<boolean> {
    this.#agent?.[Symbol.dispose]();
    this.#agent = undefined;
    try {
      this.#agent = await QemuSocket.connectAgent(this.#files.agent);
      const { stdout } = await this.sh("cat /proc/sys/kernel/random/boot_id", { timeoutMs: 20_000 });
      if (stdout === "" || stdout === this.#bootId) return false;
      this.#bootId = stdout;
      return true;
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      // The emulator has not opened the socket yet, or nobody on the other side of it answered: not up yet.
      if (error instanceof MachineError || error instanceof CommandRefused) return false;
      if (Object.values(Deno.errors).some((type) => error instanceof type)) return false;
      throw error;
    }
  }

  /**
   * Switches the machine on and waits until its system has come up; gives the seconds that took.
   * @throws {MachineError} when it does not within five minutes
   */
  async powerOn(): Promise<number> {
    const begin = performance.now();
    if (this.#process) throw this.#error("The machine is on already");
    for (const socket of [this.#files.agent, this.#files.monitor]) await run(this.ctx, ["rm", "-f", "--", socket]);
    if (this.options.volatileCache) {
      await this.#overlay(this.#files.overlay);
      await Deno.writeFile(this.#files.writeLog, new Uint8Array(0));
      this.#cached = true;
    }
    this.#bootStart = this.screen().length;
    this.#spawn();
    await this.#waitForBoot();
    return seconds(begin);
  }

  async #request(execute: string, args: Record<string, unknown>): Promise<unknown> {
    if (this.#agent === undefined) throw this.#error(`Cannot ask the guest agent for "${execute}": no system is up`);
    return await this.#agent.request(execute, args);
  }

  /** Starts a shell command in the guest and does not wait for it; gives its process id there. @throws {MachineError} */
  async launch(command: string, { capture = false } = {}): Promise<number> {
    const args = { path: "/bin/sh", arg: ["-c", command], env: GUEST_ENV, "capture-output": capture };
    try {
      return (await this.#request("guest-exec", args) as { pid: number }).pid;
    } catch (cause) {
      if (cause instanceof MachineError) throw cause;
      throw this.#error(`Cannot run "${command}" in the guest`, cause);
    }
  }

  /**
   * Runs a shell command in the guest, as root, to its end.
   * @throws {MachineError} when the guest does not answer, or it takes longer than the limit, ten minutes when none is given
   */
  async sh(command: string, { timeoutMs = COMMAND_TIMEOUT_MS } = {}): Promise<GuestResult> {
    const limit = performance.now() + timeoutMs;
    const pid = await this.launch(command, { capture: true });
    for (let wait = 20;; wait = Math.min(wait * 1.5, 500)) {
      this.ctx.signal.throwIfAborted();
      let status: ExecStatus;
      try {
        status = await this.#request("guest-exec-status", { pid }) as ExecStatus;
      } catch (cause) {
        throw this.#error(`The guest fell silent during "${command}"`, cause);
      }
      if (status.exited) {
        const code = status.exitcode ?? 128 + (status.signal ?? 0);
        return { code, stdout: textOf(status["out-data"]), stderr: textOf(status["err-data"]) };
      }
      if (performance.now() > limit) throw this.#error(`"${command}" took longer than ${timeoutMs / 1000} s`);
      await pause(wait);
    }
  }

  /** Runs a shell command in the guest that has to succeed, and gives its stdout. @throws {MachineError} */
  async must(command: string, options: { timeoutMs?: number } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.sh(command, options);
    if (code === 0) return stdout;
    throw this.#error(`"${command}" ended with ${code} in the guest\nstdout: ${stdout}\nstderr: ${stderr}`);
  }

  /** Reboots as an operator would, so that all services stop in order; gives the seconds until the next boot has come up. */
  async reboot(): Promise<number> {
    return await this.rebootedBy("systemctl reboot");
  }

  /** Starts a command that sooner or later reboots the system; gives the seconds until the next boot has come up. */
  async rebootedBy(command: string): Promise<number> {
    const begin = performance.now();
    this.#bootStart = this.screen().length;
    await this.launch(command);
    await this.#waitForBoot();
    return seconds(begin);
  }

  /** Shuts the system down; gives the seconds until the machine was off. @throws {MachineError} when it is not within three minutes */
  async powerOff(): Promise<number> {
    const begin = performance.now();
    await this.launch("systemctl poweroff");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, OFF_TIMEOUT_MS, true));
    const isLate = await Promise.race([this.#process?.ended, late]);
    clearTimeout(timer);
    if (isLate) throw this.#error("The system did not shut down");
    await this.cutPower();
    return seconds(begin);
  }

  /** Writes are in a cache that forgets, not on the disk. */
  #cached = false;

  /** How many writes the last cut took from a disk whose cache forgets. */
  lostWrites = 0;

  /**
   * Takes the power away in the middle of whatever happens. What the guest flushed is on the disk; of the rest what the emulator had
   * written, or nothing with `volatileCache`.
   */
  async cutPower(): Promise<void> {
    await this.#kill();
    if (!this.#cached) return;
    this.#cached = false;
    this.lostWrites = replay(this.#files.writeLog, this.options.disk).lost;
  }

  async #kill(): Promise<void> {
    this.#agent?.[Symbol.dispose]();
    this.#agent = undefined;
    const process = this.#process;
    if (process === undefined) return;
    try {
      process.child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
    await process.ended;
  }

  async #monitor(commandLine: string): Promise<void> {
    using monitor = await QemuSocket.connectMonitor(this.#files.monitor);
    const answer = await monitor.request("human-monitor-command", { "command-line": commandLine }, 120_000);
    if (answer !== "") throw this.#error(`"${shellWords(commandLine.split(" "))}": ${answer}`);
  }

  /** Keeps memory and disk under a name. Only for BIOS and with `snapshot`. @throws {MachineError} */
  async save(name: string): Promise<void> {
    await this.#monitor(`savevm ${name}`);
  }

  /** Brings back what {@linkcode Machine.save} kept; the guest goes on from there, and its clock stands where it stood. */
  async restore(name: string): Promise<void> {
    await this.#monitor(`loadvm ${name}`);
    this.#bootId = "";
    this.#bootStart = this.screen().length;
    await this.#waitForBoot();
  }
}
