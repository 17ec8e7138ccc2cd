/** Progress for a person and for a program at once. */
import type { ReportProgress } from "../sys/progress.ts";
import { noProgress, type ProgressSink, ProgressWriter } from "./progress_json.ts";
import { reportPull } from "./progress_pull.ts";

/** The sink behind `--progress-fd`; one that drops everything without it. @throws {UserError} when the descriptor cannot be used */
export function progressSink(fd: number | undefined, now: () => Date): ProgressSink {
  if (fd === undefined) return noProgress;
  return new ProgressWriter(fd, now);
}

/** Hands each event on to both. `image` names the pull in the JSON lines. */
export function reportTo(person: ReportProgress, sink: ProgressSink, image: string): ReportProgress {
  const program = reportPull(sink, image);
  return (event) => {
    person(event);
    program(event);
  };
}
