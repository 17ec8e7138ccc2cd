/** The benchmark's table: one line a case, as text that also reads well in Markdown. */

/** A line: what was measured, ours, what it is compared with, and whether that is what was aimed at. */
export interface Row {
  readonly name: string;
  readonly ours: string;
  readonly other: string;
  readonly result: string;
  /** What it should reach, such as ">= 1.5". */
  readonly goal: string;
  readonly met: boolean | undefined;
  readonly memory: string;
}

const COLUMNS: readonly (readonly [keyof Row, string])[] = [
  ["name", "case"],
  ["ours", "bootc"],
  ["other", "against"],
  ["result", "result"],
  ["goal", "goal"],
  ["met", "met"],
  ["memory", "peak MiB"],
];

/** Lays rows out under a heading; pure. */
export function table(rows: readonly Row[]): string {
  const texts = rows.map((row) =>
    COLUMNS.map(([key]) => key === "met" ? row.met === undefined ? "" : row.met ? "yes" : "NO" : String(row[key]))
  );
  const all = [COLUMNS.map(([, title]) => title), ...texts];
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((line) => line[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`).join("|")}|`;
  return [line(all[0]!), rule, ...texts.map(line)].join("\n");
}

/** A row that compares times: the other's divided by ours. */
export function ratioRow(
  name: string,
  options: { ours: number; other: number; goal: number; memoryMiB?: number },
): Row {
  const { ours, other, goal, memoryMiB } = options;
  const ratio = other / ours;
  return {
    name,
    ours: `${ours.toFixed(3)} s`,
    other: `${other.toFixed(3)} s`,
    result: `${ratio.toFixed(2)} x`,
    goal: `>= ${goal} x`,
    met: ratio >= goal,
    memory: memoryMiB === undefined ? "" : memoryMiB.toFixed(0),
  };
}

/** A row that says by how many milliseconds ours is longer. */
export function extraRow(name: string, options: { ours: number; other: number; goalMs: number }): Row {
  const { ours, other, goalMs } = options;
  const extra = (ours - other) * 1000;
  return {
    name,
    ours: `${(ours * 1000).toFixed(0)} ms`,
    other: `${(other * 1000).toFixed(0)} ms`,
    result: `${extra >= 0 ? "+" : ""}${extra.toFixed(0)} ms`,
    goal: `<= +${goalMs} ms`,
    met: extra <= goalMs,
    memory: "",
  };
}

/** A row that says how many times the other's time ours takes. */
export function timesRow(name: string, options: { ours: number; other: number; goal: number }): Row {
  const { ours, other, goal } = options;
  return {
    name,
    ours: `${(ours * 1000).toFixed(0)} ms`,
    other: `${(other * 1000).toFixed(0)} ms`,
    result: `${(ours / other).toFixed(2)} x`,
    goal: `<= ${goal} x`,
    met: ours <= other * goal,
    memory: "",
  };
}

/** A row that says how much larger a file is than another that it cannot be smaller than. */
export function sizeRow(name: string, options: { oursBytes: number; otherBytes: number; goalBytes: number }): Row {
  const { oursBytes, otherBytes, goalBytes } = options;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return {
    name,
    ours: megabytes(oursBytes),
    other: megabytes(otherBytes),
    result: `+${megabytes(oursBytes - otherBytes)}`,
    goal: `<= +${megabytes(goalBytes)}`,
    met: oursBytes - otherBytes <= goalBytes,
    memory: "",
  };
}

/** A row about memory alone. */
export function memoryRow(name: string, options: { seconds: number; memoryMiB: number; goalMiB: number }): Row {
  const { seconds, memoryMiB, goalMiB } = options;
  return {
    name,
    ours: `${seconds.toFixed(3)} s`,
    other: "",
    result: `${memoryMiB.toFixed(1)} MiB`,
    goal: `<= ${goalMiB} MiB`,
    met: memoryMiB <= goalMiB,
    memory: memoryMiB.toFixed(0),
  };
}
