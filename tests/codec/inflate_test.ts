import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Compression, compressionOf, type Decoder, decoderFor } from "../../lib/codec/inflate.ts";
import { IsalDecoder, isalWorks } from "../../lib/codec/isal.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import { type Bytes, doubleRing } from "../../lib/sys/libc.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { gzip, gzipMembers, skippableFrame, zstd, zstdChunked } from "../compress.ts";
import { concat } from "../image.ts";
import { Random } from "./random.ts";

const RING = 64 * 1024;
const buffers = { input: new Uint8Array(256 * 1024), output: doubleRing(RING) };
const data = new Random(1).bytes(300_000);
const hash = sha256(data).toHex();
const nothing = new Uint8Array(0);

interface Way {
  name: string;
  compression: Compression;
  decoder: Decoder;
  stored: Bytes;
}

const ways: Way[] = [
  { name: "none", compression: "none", decoder: decoderFor("none", buffers), stored: data },
  { name: "isal", compression: "gzip", decoder: decoderFor("gzip", buffers), stored: gzip(data) },
  { name: "zlib", compression: "gzip", decoder: decoderFor("gzip", buffers, { isal: false }), stored: gzip(data) },
  { name: "zstd", compression: "zstd", decoder: decoderFor("zstd", buffers), stored: zstd(data) },
];
const gzipWays = ways.filter((way) => way.compression === "gzip");
const framed = ways.filter((way) => way.compression !== "none");

interface Pieces {
  /** Input bytes a feed. */
  input?: number;
  /** Most bytes a run may write. */
  output?: number;
  /** On pool threads. */
  later?: boolean;
}

/** Everything that a decoder makes of some input; a window may wrap around the ring's end. */
async function inflate(decoder: Decoder, stored: Bytes, pieces: Pieces = {}): Promise<{ out: Bytes; atEnd: boolean }> {
  const { input = buffers.input.length, output = 40_000, later = false } = pieces;
  decoder.reset();
  const out: Bytes[] = [];
  let offset = 0;
  for (let at = 0; at < stored.length; at += input) {
    const piece = stored.subarray(at, at + input);
    buffers.input.set(piece);
    decoder.feed(piece.length);
    for (let full = true; full || decoder.inputLeft > 0;) {
      const n = later ? await decoder.start(offset, output) : decoder.run(offset, output);
      out.push(buffers.output.view.slice(offset, offset + n));
      offset = (offset + n) % RING;
      full = n === output;
    }
  }
  return { out: concat(out), atEnd: decoder.atEnd };
}

async function check(decoder: Decoder, stored: Bytes, pieces: Pieces = {}): Promise<void> {
  const { out, atEnd } = await inflate(decoder, stored, pieces);
  assertEquals([out.length, sha256(out).toHex(), atEnd], [data.length, hash, true]);
}

Deno.test("isalWorks() is true on this machine, and decoderFor() uses it", () => {
  assert(isalWorks());
  assert(decoderFor("gzip", buffers) instanceof IsalDecoder);
});

const PIECES: Pieces[] = [{}, { later: true }, { input: 1000, output: 777 }, { output: 1 << 16, input: 5 }];
for (const { name, decoder, stored } of ways) {
  for (const pieces of PIECES) {
    Deno.test(`${name} decoder inflates with ${JSON.stringify(pieces)}`, () => check(decoder, stored, pieces));
  }
  Deno.test(`${name} decoder is used again after reset() in the middle`, async () => {
    await inflate(decoder, stored.subarray(0, 1000));
    await check(decoder, stored);
  });
  Deno.test(`${name} decoder is at an end before any input, and without input writes nothing`, async () => {
    decoder.reset();
    assertEquals([decoder.atEnd, decoder.inputLeft, decoder.run(0, 100), await decoder.start(0, 100)], [true, 0, 0, 0]);
    assertEquals(decoder.atEnd, true);
  });
  Deno.test(`${name} decoder refuses to be fed while input is left`, () => {
    decoder.reset();
    decoder.feed(10);
    assertThrows(() => decoder.feed(10), RangeError, "Fed while 10 input bytes are unread");
  });
}

Deno.test("zstd decoder inflates byte by byte", async () => {
  const small = data.subarray(0, 3000);
  for (const { decoder, compression } of ways) {
    const stored = compression === "none" ? small : compression === "gzip" ? gzipMembers(small) : zstdChunked(small);
    const { out, atEnd } = await inflate(decoder, stored, { input: 1, output: 1 });
    assertEquals([sha256(out).toHex(), atEnd], [sha256(small).toHex(), true]);
  }
});

for (const { name, decoder, compression } of framed) {
  const many = compression === "gzip" ? gzipMembers(data) : zstdChunked(data);
  for (const pieces of PIECES) {
    const title = `${name} decoder reads several members or frames with ${JSON.stringify(pieces)}`;
    Deno.test(title, () => check(decoder, many, pieces));
  }
}

Deno.test("zstd decoder passes over a skippable frame alone", async () => {
  const decoder = decoderFor("zstd", buffers);
  assertEquals(await inflate(decoder, skippableFrame(new Uint8Array(300))), { out: nothing, atEnd: true });
});

for (const { name, decoder, stored, compression } of framed) {
  const small = data.subarray(0, 500);
  const whole = compression === "gzip" ? gzip(small) : zstd(small);
  Deno.test(`${name} decoder shows every truncation by atEnd`, async () => {
    for (let length = 1; length < whole.length; length++) {
      assertEquals((await inflate(decoder, whole.subarray(0, length))).atEnd, false, `cut at ${length}`);
    }
    assertEquals((await inflate(decoder, whole)).atEnd, true);
  });
  const trailing: [what: string, bytes: Bytes][] = [
    ["zeros", new Uint8Array(100)],
    ["one zero", new Uint8Array(1)],
    ["garbage", new Random(3).bytes(64)],
    ["text", new TextEncoder().encode("<html>Not Found</html>")],
  ];
  for (const [what, tail] of trailing) {
    Deno.test(`${name} decoder takes trailing ${what} for an error or an unfinished member`, async () => {
      let atEnd = false;
      try {
        ({ atEnd } = await inflate(decoder, concat([whole, tail])));
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
      }
      assertEquals(atEnd, false);
    });
  }
  Deno.test(`${name} decoder never gives other bytes for a corrupt input without saying so`, async () => {
    const random = new Random(5);
    for (let i = 0; i < 400; i++) {
      const bad = whole.slice();
      const at = random.below(bad.length);
      bad[at]! ^= 1 << random.below(8);
      try {
        const { out, atEnd } = await inflate(decoder, bad);
        // Some header bits (time, operating system) change nothing.
        if (atEnd && compression === "gzip") assertEquals(sha256(out), sha256(small), `byte ${at}`);
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
      }
    }
    await check(decoder, stored);
  });
}

for (const { name, decoder } of gzipWays) {
  Deno.test(`${name} decoder refuses a wrong checksum and a wrong length`, async () => {
    const whole = gzip(data.subarray(0, 500));
    for (const back of [8, 4]) {
      const bad = whole.slice();
      bad[bad.length - back]! ^= 1;
      const error = await assertRejects(() => inflate(decoder, bad), SyntaxError, "Gzip data is corrupt: ");
      const later = await assertRejects(() => inflate(decoder, bad, { later: true }), SyntaxError);
      assertEquals(later.message, error.message);
    }
  });
  Deno.test(`${name} decoder reads a header with extra field, name, comment and checksum`, async () => {
    const plain = gzip(data);
    const crc = (bytes: Bytes) => gzip(bytes).subarray(-8, -6); // the low half of CRC-32, which FHCRC is
    const head = concat([
      plain.slice(0, 10),
      new Uint8Array([4, 0, 1, 2, 3, 4]),
      new TextEncoder().encode("name\0comment\0"),
    ]);
    head[3] = 2 | 4 | 8 | 16;
    await check(decoder, concat([head, new Uint8Array(crc(head)), plain.subarray(10)]));
  });
}

Deno.test("zstd decoder says what is wrong", async () => {
  const decoder = decoderFor("zstd", buffers);
  const error = await assertRejects(() => inflate(decoder, new Uint8Array(100)), SyntaxError);
  assertEquals(error.message, "Zstd data is corrupt: Unknown frame descriptor");
});

Deno.test("gzip decoders say what is wrong", async () => {
  const messages = [];
  for (const { decoder } of gzipWays) {
    messages.push((await assertRejects(() => inflate(decoder, new Uint8Array(100)), SyntaxError)).message);
  }
  assertEquals(messages, [
    "Gzip data is corrupt: no gzip header where a member must begin",
    "Gzip data is corrupt: incorrect header check",
  ]);
});

const TYPES: [mediaType: string, compression: Compression][] = [
  ["application/vnd.oci.image.layer.v1.tar", "none"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "gzip"],
  ["application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"],
  ["application/vnd.docker.image.rootfs.diff.tar", "none"],
];
for (const [mediaType, compression] of TYPES) {
  Deno.test(`compressionOf() knows ${mediaType}`, () => assertEquals(compressionOf(mediaType), compression));
}

Deno.test("compressionOf() rejects other types", () => {
  for (const type of ["", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "application/json", "toString"]) {
    const error = assertThrows(() => compressionOf(type), UserError);
    assertEquals(error.message, `Unsupported layer media type ${JSON.stringify(type)}`);
  }
});
