/** Keeping the program's own share of memory small. */
import { dropCleanPages } from "./libc.ts";

/**
 * Gives back the pages of program text that only starting up has touched; what is needed again comes from the page cache. Called once,
 * between start-up and long work, it makes a pull's peak 4 to 8 MB smaller and costs no time that can be measured.
 */
export function releaseStartupText(): void {
  for (const line of Deno.readTextFileSync("/proc/self/maps").split("\n")) {
    const mapping = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]\d* /.exec(line);
    if (!mapping) continue;
    const start = BigInt(`0x${mapping[1]}`);
    dropCleanPages(start, BigInt(`0x${mapping[2]}`) - start);
  }
}
