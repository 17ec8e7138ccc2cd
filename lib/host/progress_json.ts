/** `--progress-fd`: progress as JSON lines for another program. Source: formats.md 3.12 (bootc `progress_jsonl.rs`, version 0.1.0). */
import { UserError } from "../sys/errors.ts";
import { LibcError, writeAll } from "../sys/libc.ts";

/** The first line. */
export interface StartEvent {
  readonly type: "Start";
  readonly version: typeof PROGRESS_VERSION;
}

/** Bytes of a download. */
export interface BytesEvent {
  readonly type: "ProgressBytes";
  readonly task: "pulling";
  /** For people. */
  readonly description: string;
  /** What is pulled. */
  readonly id: string;
  /** Not fetched, as it is stored already. */
  readonly bytesCached: number;
  /** Fetched so far. */
  readonly bytes: number;
  /** To fetch; 0 where that is not known. */
  readonly bytesTotal: number;
  /** Layers that are stored already. */
  readonly stepsCached: number;
  /** Layers fetched so far. */
  readonly steps: number;
  /** Layers to fetch. */
  readonly stepsTotal: number;
  /** What is being fetched now. */
  readonly subtasks: readonly BytesSubtask[];
}

/** One layer of a download. */
export interface BytesSubtask {
  /** What is fetched: `layer`. */
  readonly subtask: string;
  /** For people. */
  readonly description: string;
  /** The digest of the layer. */
  readonly id: string;
  readonly bytesCached: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

/** Steps of work whose bytes are not counted. */
export interface StepsEvent {
  readonly type: "ProgressSteps";
  readonly task: "importing" | "staging";
  /** For people. */
  readonly description: string;
  /** What the work is on: an image or its digest. */
  readonly id: string;
  readonly stepsCached: number;
  /** Done so far. */
  readonly steps: number;
  readonly stepsTotal: number;
  /** The steps that have begun, in order. */
  readonly subtasks: readonly StepsSubtask[];
}

/** One step. */
export interface StepsSubtask {
  /** Its name, the same in every version and language. */
  readonly subtask: string;
  /** For people. */
  readonly description: string;
  readonly id: string;
  readonly completed: boolean;
}

/** Whatever may stand on a line. */
export type ProgressEvent = StartEvent | BytesEvent | StepsEvent;

/** Of the format, in its first line. */
export const PROGRESS_VERSION = "0.1.0";

/** Middle states are written at most this often. */
const REFRESH_HZ = 5;

/** Which middle states are written, and which one is owed when nothing follows. Pure: the clock is a parameter. */
export class Throttle<Item> {
  #lastMs = -Infinity;
  #owed: Item | undefined;

  constructor(readonly intervalMs: number) {}

  /** Whether a middle state is written now; else it is kept until a later one takes its place. */
  admits(item: Item, nowMs: number): boolean {
    const due = nowMs - this.#lastMs >= this.intervalMs;
    if (due) this.#lastMs = nowMs;
    this.#owed = due ? undefined : item;
    return due;
  }

  /** The state that was kept back, once. */
  takeOwed(): Item | undefined {
    const owed = this.#owed;
    this.#owed = undefined;
    return owed;
  }
}

/** Where progress goes; {@linkcode noProgress} where nobody asked. */
export interface ProgressSink extends Disposable {
  /** A line that is always written: the end of a step. What was kept back of the steps before is written first. */
  send(event: ProgressEvent): void;
  /** A state on the way; may be left out when another follows. */
  sendLossy(event: ProgressEvent): void;
}

/** Drops everything. */
export const noProgress: ProgressSink = { send() {}, sendLossy() {}, [Symbol.dispose]() {} };

/** @throws {UserError} unless the number can be a descriptor of its own: 0 to 2 are the standard streams */
export function parseProgressFd(text: string): number {
  const fd = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (fd < 3) {
    throw new UserError(`Cannot use fd ${text} for progress JSON`, { hint: "Open a descriptor from 3 on for it" });
  }
  return fd;
}

/**
 * Writes lines to a descriptor, which stays the caller's and stays open. When the reader has gone, writing stops without an error:
 * the update matters more than its progress. Disposing writes the state that was kept back.
 */
export class ProgressWriter implements ProgressSink {
  readonly #fd: number;
  readonly #now: () => Date;
  readonly #throttle = new Throttle<ProgressEvent>(1000 / REFRESH_HZ);
  #gone = false;

  /** Writes the first line. @throws {UserError} when the descriptor is not open for writing */
  constructor(fd: number, now: () => Date = () => new Date()) {
    this.#fd = fd;
    this.#now = now;
    try {
      this.#write({ type: "Start", version: PROGRESS_VERSION });
    } catch (cause) {
      if (!(cause instanceof LibcError)) throw cause;
      throw new UserError(`Cannot use fd ${fd} for progress JSON`, { cause, hint: "Open it for writing" });
    }
  }

  send(event: ProgressEvent): void {
    this.#flush(event);
    this.#tryWrite(event);
  }

  sendLossy(event: ProgressEvent): void {
    if (this.#throttle.admits(event, this.#now().getTime())) this.#tryWrite(event);
  }

  [Symbol.dispose](): void {
    this.#flush();
  }

  /** Writes what is owed, unless the next line tells the same task's newer state. */
  #flush(next?: ProgressEvent): void {
    const owed = this.#throttle.takeOwed();
    if (owed === undefined || (next !== undefined && taskOf(next) === taskOf(owed))) return;
    this.#tryWrite(owed);
  }

  #tryWrite(event: ProgressEvent): void {
    if (this.#gone) return;
    try {
      this.#write(event);
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      this.#gone = true;
    }
  }

  #write(event: ProgressEvent): void {
    writeAll(this.#fd, new TextEncoder().encode(JSON.stringify(event) + "\n"));
  }
}

function taskOf(event: ProgressEvent): string {
  return event.type === "Start" ? event.type : event.task;
}

/** The steps of staging, in order, by the names that readers match on. */
const STAGING = [
  { subtask: "merging", description: "Merging Image", steps: 0 },
  { subtask: "deploying", description: "Deploying Image", steps: 1 },
  { subtask: "bound_images", description: "Pulling Bound Images", steps: 1 },
  { subtask: "cleanup", description: "Removing old images", steps: 2 },
] as const;

/** A point of staging: the step that begins, or its end. */
export type StagingStep = typeof STAGING[number]["subtask"] | "done";

/** The event of a point of staging. As upstream has it, the last one names the last step twice and counts three steps for four names. */
export function stagingEvent(imageDigest: string, step: StagingStep): StepsEvent {
  const at = STAGING.findIndex(({ subtask }) => subtask === step);
  const begun = at < 0 ? [...STAGING, ...STAGING.slice(-1)] : STAGING.slice(0, at + 1);
  return {
    type: "ProgressSteps",
    task: "staging",
    description: "Deploying Image",
    id: imageDigest,
    stepsCached: 0,
    steps: at < 0 ? 3 : STAGING[at]!.steps,
    stepsTotal: 3,
    subtasks: begun.map(({ subtask, description }, index) => ({
      subtask,
      description,
      id: subtask === "merging" ? "fetching" : subtask,
      completed: at < 0 || index < at,
    })),
  };
}
