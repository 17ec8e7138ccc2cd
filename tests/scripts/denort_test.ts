import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../lib/sys/errors.ts";
import { cutDenort } from "../../scripts/denort.ts";

function program(runtime: string, data: string, magic = 0x501e): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(runtime + data);
  const bytes = new Uint8Array(body.length + 16);
  bytes.set(body);
  const view = new DataView(bytes.buffer, body.length);
  view.setUint32(0, magic, true);
  view.setBigUint64(8, BigInt(data.length + 16), true);
  return bytes;
}

Deno.test("cutDenort() gives what stands before the program's data", () => {
  assertEquals(new TextDecoder().decode(cutDenort(program("runtime", "d3n0l4nd and more"))), "runtime");
});

for (
  const [what, bytes] of [
    ["another trailer", program("runtime", "d3n0l4nd", 0x501f)],
    ["data that does not begin as it should", program("runtime", "d3n0land")],
    ["a length beyond the file", program("", "d3n0l4nd").subarray(8)],
  ] as const
) {
  Deno.test(`cutDenort() refuses ${what}`, () => {
    assertThrows(() => cutDenort(bytes), UserError, "does not end as deno compile ends one");
  });
}
