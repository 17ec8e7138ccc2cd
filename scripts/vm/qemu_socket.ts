/** The two sockets of a machine that take commands as JSON: the monitor (QMP) and the guest agent. Source: QEMU's qmp-spec and qga docs. */

/** QEMU or the agent refused a command. */
export class CommandRefused extends Error {
  override name = "CommandRefused";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SEPARATOR = 0xff;
const SYNC_TIMEOUT_MS = 2000;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

const isAnswer = (value: unknown, id: number) => isRecord(value) && value.return === id;

/** A connection; commands are answered in order, one at a time. */
export class QemuSocket implements Disposable {
  #received: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #open = true;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(readonly connection: Deno.Conn) {}

  static async connect(path: string): Promise<QemuSocket> {
    return new QemuSocket(await Deno.connect({ transport: "unix", path }));
  }

  /** Connects to the agent of a system that has come up far enough to run it. @throws when there is none within two seconds */
  static async connectAgent(path: string): Promise<QemuSocket> {
    const socket = await QemuSocket.connect(path);
    try {
      const id = crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
      await socket.#limited("guest-sync-delimited", SYNC_TIMEOUT_MS, async () => {
        // The separator ends what an earlier connection left unfinished. The agent may call it an error, and late answers come first.
        await socket.#write(new Uint8Array([SEPARATOR]));
        await socket.#send("guest-sync-delimited", { id });
        while (!isAnswer(await socket.#receive(), id));
      });
      return socket;
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Connects to the monitor. */
  static async connectMonitor(path: string): Promise<QemuSocket> {
    const socket = await QemuSocket.connect(path);
    await socket.request("qmp_capabilities");
    return socket;
  }

  [Symbol.dispose](): void {
    if (this.#open) this.connection.close();
    this.#open = false;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** The next line without what stands before a separator, or an error at the end of the stream. */
  async #line(): Promise<string> {
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      const end = this.#received.indexOf(10);
      if (end >= 0) {
        const line = this.#received.subarray(0, end);
        this.#received = this.#received.slice(end + 1);
        return decoder.decode(line.subarray(line.lastIndexOf(SEPARATOR) + 1));
      }
      const n = await this.connection.read(chunk);
      if (n === null) throw new Deno.errors.UnexpectedEof("The other side of the socket closed it");
      const all = new Uint8Array(this.#received.length + n);
      all.set(this.#received);
      all.set(chunk.subarray(0, n), this.#received.length);
      this.#received = all;
    }
  }

  async #send(execute: string, args: Record<string, unknown>): Promise<void> {
    await this.#write(encoder.encode(`${JSON.stringify({ execute, arguments: args })}\n`));
  }

  async #receive(): Promise<unknown> {
    return JSON.parse(await this.#line());
  }

  async #exchange(execute: string, args: Record<string, unknown>): Promise<unknown> {
    await this.#send(execute, args);
    for (;;) {
      const answer = await this.#receive();
      if (!isRecord(answer)) continue;
      if ("return" in answer) return answer.return;
      // Anything else is the monitor's greeting or an event.
      if (isRecord(answer.error)) throw new CommandRefused(`${execute}: ${answer.error.desc}`);
    }
  }

  /** After a timeout the connection is closed, as nobody would know what a late answer is to. */
  async #limited<T>(execute: string, timeoutMs: number, body: () => Promise<T>): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this[Symbol.dispose]();
    }, timeoutMs);
    try {
      return await body();
    } catch (error) {
      throw late ? new Deno.errors.TimedOut(`No answer to ${execute} within ${timeoutMs} ms`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sends a command and gives its answer.
   * @throws {CommandRefused} @throws {Deno.errors.TimedOut} after which the connection is of no more use
   */
  request(execute: string, args: Record<string, unknown> = {}, timeoutMs = 30_000): Promise<unknown> {
    const answer = this.#last.then(() => this.#limited(execute, timeoutMs, () => this.#exchange(execute, args)));
    this.#last = answer.catch(() => {});
    return answer;
  }
}
