/** The program's version: `--version`, the user agent, labels. The same as `version` in deno.json, which a test holds. */
export const VERSION = "0.1.0";
