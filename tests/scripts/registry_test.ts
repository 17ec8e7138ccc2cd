import { assertEquals } from "@std/assert";
import { parseAccessLog } from "../../scripts/registry.ts";

Deno.test("parseAccessLog() reads requests and passes other lines over", () => {
  const log = [
    'time="2026-01-01T00:00:00Z" level=error msg="something"',
    '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /v2/debian/blobs/sha256:ab HTTP/1.1" 200 83052 "" "skopeo/1.9.3"',
    '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "HEAD /v2/debian/manifests/stable HTTP/1.1" 404 - "" "skopeo/1.9.3"',
    "",
  ].join("\n");
  assertEquals(parseAccessLog(log), [
    { method: "GET", path: "/v2/debian/blobs/sha256:ab", status: 200, sizeBytes: 83052 },
    { method: "HEAD", path: "/v2/debian/manifests/stable", status: 404, sizeBytes: 0 },
  ]);
});
