/** Progress for a person and for a program at once. */
import { UserError } from "../sys/errors.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { noProgress, parseProgressFd, type ProgressSink, ProgressWriter } from "./progress_json.ts";
import { reportPull } from "./progress_pull.ts";

/** The sink behind `--progress-fd`; one that drops everything without it. @throws {UserError} when the descriptor cannot be used */
export function progressSink(fd: number | undefined, now: () => Date): ProgressSink {
  if (fd === undefined) return noProgress;
  parseProgressFd(String(fd));
  if (isOurs(fd)) throw new UserError(`Cannot use fd ${fd} for progress JSON`, { hint: "Open it for writing" });
  return new ProgressWriter(fd, now);
}

/** O_CLOEXEC of Linux, as fdinfo has it. */
const CLOSE_ON_EXEC = 0o2000000;

/** What the caller opened came through exec; a line of JSON must not go into a database or a socket of this process itself. */
function isOurs(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`))?.[1] ?? "0";
    return (parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false; // the first write says so
    throw error;
  }
}

/** Hands each event on to both. `image` names the pull in the JSON lines. */
export function reportTo(person: ReportProgress, sink: ProgressSink, image: string): ReportProgress {
  const program = reportPull(sink, image);
  return (event) => {
    person(event);
    program(event);
  };
}
