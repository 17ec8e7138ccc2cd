import { assertEquals, assertThrows } from "@std/assert";
import { timestampSeconds, utcTimestamp } from "../../lib/host/timestamp.ts";

const rows: [string, string, string][] = [
  ["2023-10-14T19:22:15Z", "2023-10-14T19:22:15Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14T19:22:15.42Z", "2023-10-14T19:22:15.420Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14T19:22:15.123456789Z", "2023-10-14T19:22:15.123456789Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14T19:22:15.1234Z", "2023-10-14T19:22:15.123400Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14T19:22:15.000Z", "2023-10-14T19:22:15Z", "2023-10-14T19:22:15Z"],
  ["2023-10-14t00:22:15.5+02:00", "2023-10-13T22:22:15.500Z", "2023-10-13T22:22:15Z"],
  ["2023-10-14 19:22:15z", "2023-10-14T19:22:15Z", "2023-10-14T19:22:15Z"],
  ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
];

for (const [text, utc, seconds] of rows) {
  Deno.test(`utcTimestamp() reads ${text}`, () => assertEquals(utcTimestamp(text), utc));
  Deno.test(`timestampSeconds() reads ${text}`, () => assertEquals(timestampSeconds(text), seconds));
}

for (
  const text of [
    "",
    "now",
    "2023-10-14",
    "2023-10-14T19:22:15",
    "2023-13-14T19:22:15Z",
    "2023-02-30T00:00:00Z",
    "2023-10-14T25:00:00Z",
  ]
) {
  Deno.test(`utcTimestamp() rejects "${text}"`, () => {
    assertThrows(
      () => utcTimestamp(text),
      SyntaxError,
      `Cannot read time "${text}": expected the form "2023-10-14T19:22:15Z"`,
    );
  });
}
