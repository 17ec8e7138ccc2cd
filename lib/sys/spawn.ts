/** Starts a program that is given descriptors of ours: the one case that `run.ts` cannot serve. */
import { AT_FDCWD, close, cstr, ENOENT, LibcError, openat, setNonblocking, tryRead, waitReadable } from "./libc.ts";
import { kill, pipe, spawnWith, waitChild } from "./libc_process.ts";
import { ToolError, UserError } from "./errors.ts";
import { tail } from "./run.ts";

/** What the child gets beside its arguments. */
export interface SpawnOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Our descriptors that become 3, 4, ... in the child. Still ours to close. */
  readonly descriptors: readonly number[];
}

const O_RDWR = 2;
const SIGKILL = 9;
const TAIL_BYTES = 2048;
/** A descriptor that a grandchild holds open gives no end of file; after the child's exit it is given up at the next look. */
const LOOK_MS = 500;

/** A running program. Its stdin and stdout are /dev/null, the end of its stderr is kept; disposing kills it. */
export class Child implements AsyncDisposable {
  /** Settles when the process has ended: its exit code, or 128 + the signal. */
  readonly exited: Promise<number>;
  #running = true;
  #tail: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #collected: Promise<void>;

  private constructor(readonly pid: number, stderr: number) {
    this.exited = waitChild(pid).then((code) => {
      this.#running = false;
      return code;
    });
    this.#collected = this.#collect(stderr);
  }

  /**
   * @throws {UserError} when there is no such program
   * @throws {ToolError} when it cannot be started for another reason
   */
  static spawn(argv: readonly [string, ...string[]], options: SpawnOptions): Child {
    const devNull = openat(AT_FDCWD, cstr("/dev/null"), O_RDWR);
    const [reader, writer] = pipe();
    const standard = [devNull, devNull, writer].map((ours, theirs) => ({ ours, theirs }));
    const extra = options.descriptors.map((ours, index) => ({ ours, theirs: 3 + index }));
    try {
      return new Child(spawnWith({ argv, env: options.env, descriptors: [...standard, ...extra] }), reader);
    } catch (cause) {
      close(reader);
      throw notStarted(argv[0], cause);
    } finally {
      close(devNull);
      close(writer);
    }
  }

  /** False once the exit status is known. */
  get running(): boolean {
    return this.#running;
  }

  /** The last 2 KiB that it wrote to stderr so far, trimmed; complete after disposal. */
  get stderr(): string {
    return tail(this.#tail);
  }

  /** Sends a signal; nothing happens when the process has ended. */
  kill(signal: number = SIGKILL): void {
    if (this.#running) kill(this.pid, signal);
  }

  /** Waits until the process has ended and its stderr is read: call it before reading {@linkcode stderr} for an error. */
  async ended(): Promise<number> {
    const code = await this.exited;
    await this.#collected;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended();
  }

  async #collect(fd: number): Promise<void> {
    setNonblocking(fd);
    const buffer = new Uint8Array(4096);
    for (;;) {
      const last = !this.#running;
      await waitReadable(fd, last ? 0 : LOOK_MS);
      let n: number;
      while ((n = tryRead(fd, buffer)) > 0) this.#append(buffer.subarray(0, n));
      if (n === 0 || last) break;
    }
    close(fd);
  }

  #append(piece: Uint8Array): void {
    const all = new Uint8Array(this.#tail.length + piece.length);
    all.set(this.#tail);
    all.set(piece, this.#tail.length);
    this.#tail = all.slice(-TAIL_BYTES);
  }
}

function notStarted(program: string, cause: unknown): Error {
  if (cause instanceof LibcError && cause.errno === ENOENT) {
    return new UserError(`Cannot start "${program}": no such program`, {
      cause,
      hint: `Install the package that has ${program}`,
    });
  }
  return new ToolError(`Cannot start "${program}"`, { cause });
}
