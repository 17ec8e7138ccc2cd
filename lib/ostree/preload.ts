/** libostree and the forty libraries behind it take longer to load than the program's own code: both are done at once. */
import { preloadLibrary } from "../sys/libc.ts";

/** Begins to load libostree; called before the modules that use it. */
export function preloadOstree(): void {
  preloadLibrary("libostree-1.so.1");
}
