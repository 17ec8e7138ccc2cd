import { assertEquals, assertRejects } from "@std/assert";
import { TarStream, type TarStreamInput, UntarStream } from "@std/tar";
import { UntarStream as FromSubpath } from "@std/tar/untar-stream";

function inputs(): TarStreamInput[] {
  return [
    { type: "directory", path: "a/", options: { mode: 0o700 } },
    {
      type: "file",
      path: `a/${"long".repeat(60)}`,
      size: 3000,
      readable: ReadableStream.from([new Uint8Array(3000).fill(7)]),
    },
    { type: "file", path: "a/empty", size: 0, readable: ReadableStream.from([]), options: { uid: 2 ** 31, mtime: 5 } },
  ];
}

async function sizes(stream: ReadableStream<Uint8Array>, read = true): Promise<[string, string, number, number][]> {
  const out: [string, string, number, number][] = [];
  for await (const entry of stream.pipeThrough(new UntarStream())) {
    let bytes = 0;
    if (entry.readable) {
      if (read) { for await (const piece of entry.readable) bytes += piece.length; }
      else await entry.readable.cancel();
    }
    out.push([entry.path, entry.header.typeflag, entry.header.uid, bytes]);
  }
  return out;
}

Deno.test("TarStream and UntarStream agree on long names, large ids and bodies", async () => {
  const archive = ReadableStream.from(inputs()).pipeThrough(new TarStream());
  assertEquals(await sizes(archive), [
    ["a/", "5", 0, 0],
    [`a/${"long".repeat(60)}`, "0", 0, 3000],
    ["a/empty", "0", 2 ** 31, 0],
  ]);
});

Deno.test("UntarStream goes on after a cancelled body", async () => {
  const archive = ReadableStream.from(inputs()).pipeThrough(new TarStream());
  assertEquals((await sizes(archive, false)).map(([path]) => path.length), [2, 242, 7]);
});

Deno.test("UntarStream rejects an archive cut short", async () => {
  const whole = new Uint8Array(
    await new Response(ReadableStream.from(inputs()).pipeThrough(new TarStream())).arrayBuffer(),
  );
  const cut = ReadableStream.from([whole.slice(0, whole.length - 1024)]);
  await assertRejects(() => sizes(cut), RangeError, "Cannot extract the tar archive: It is cut short");
});

Deno.test("TarStream rejects a body of another size", async () => {
  const entry: TarStreamInput = {
    type: "file",
    path: "x",
    size: 2,
    readable: ReadableStream.from([new Uint8Array(1)]),
  };
  const archive = ReadableStream.from([entry]).pipeThrough(new TarStream());
  await assertRejects(
    () => new Response(archive).arrayBuffer(),
    RangeError,
    'Cannot add to the tar archive: The size of "x" is not 2 bytes',
  );
});

Deno.test("@std/tar/untar-stream is the same class", () => assertEquals(FromSubpath, UntarStream));
