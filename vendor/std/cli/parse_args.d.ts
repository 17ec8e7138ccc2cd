/** Options of {@linkcode parseArgs}, as @std/cli has them. */
export interface ParseOptions {
  "--"?: boolean;
  alias?: Record<string, string | readonly string[]>;
  boolean?: boolean | string | readonly string[];
  default?: Record<string, unknown>;
  stopEarly?: boolean;
  string?: string | readonly string[];
  collect?: string | readonly string[];
  negatable?: string | readonly string[];
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
/** What {@linkcode parseArgs} gives. */
export interface Args {
  [name: string]: unknown;
  _: (string | number)[];
  "--"?: string[];
}
export declare function parseArgs(
  args: readonly string[],
  options?: ParseOptions,
): Args;
