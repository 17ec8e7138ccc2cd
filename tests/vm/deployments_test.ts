import { assertEquals } from "@std/assert";
import { parseAdminStatus } from "./deployments.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

const rows: [fact: string, text: string, expected: string[]][] = [
  ["reads nothing of an empty system", "No deployments.\n", []],
  ["reads what is booted", `* default ${A}.0\n    origin: <unknown origin type>\n`, [`booted default ${A}.0`]],
  [
    "reads the notes, in order",
    `  default ${B}.1 (staged)\n    Version: 2\n* default ${A}.0\n  other ${B}.0 (rollback)\n`,
    [`staged default ${B}.1`, `booted default ${A}.0`, `rollback other ${B}.0`],
  ],
  ["reads what has no note", `  default ${A}.12\n`, [`other default ${A}.12`]],
];

for (const [fact, text, expected] of rows) {
  Deno.test(`parseAdminStatus() ${fact}`, () => assertEquals(parseAdminStatus(text), expected));
}
