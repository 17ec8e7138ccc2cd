import { assert, assertEquals } from "@std/assert";
import { tarEnd, tarHeader, tarPadding } from "../../lib/codec/tar_write.ts";
import { UserError } from "../../lib/sys/errors.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import { concat, device, dir, fifo, file, hardlink, image, link } from "../image.ts";
import { Random } from "./random.ts";
import { block, pax, record, text } from "./tar_blocks.ts";
import { latin1, type Seen, walkTar } from "./tar_sink.ts";

const everything = image({
  "usr/": dir(),
  "usr/bin/sh": link("bash"),
  "usr/bin/bash": file("#!", {
    mode: 0o4755,
    uid: 1,
    gid: 2,
    xattrs: { "user.x": "y", "security.capability": "\0\x01" },
  }),
  [`usr/${"long/".repeat(60)}name`]: file("b".repeat(700)),
  "usr/hard": hardlink(`usr/${"long/".repeat(60)}name`),
  "dev/null": device({ major: 1, minor: 3 }),
  "run/fifo": fifo(),
  "big": file("c".repeat(9000), { uid: 3_000_000 }),
});

Deno.test("TarWalk shows every truncation: an error, or not clean", () => {
  const body = everything.length - 1024;
  for (let length = 0; length < everything.length; length++) {
    let clean = false;
    try {
      clean = walkTar(everything.subarray(0, length), () => 4096, 512).walk.clean;
    } catch (error) {
      assert(error instanceof SyntaxError, String(error));
    }
    assertEquals(clean, length === body + 512, `cut at ${length}`);
  }
});

Deno.test("TarWalk refuses each changed byte of a header, or reads it as before", () => {
  const entry = concat([
    pax(["path", "p"], ["SCHILY.xattr.user.a", "v"]),
    block({ size: 3, uid: 7, link: "l" }),
    text("abc"),
    tarPadding(3),
    tarEnd,
  ]);
  const before = JSON.stringify(walkTar(entry).seen);
  const random = new Random(9);
  let refused = 0;
  for (const header of [0, 1024]) {
    for (let at = header; at < header + 512; at++) {
      for (const value of [0, 0x20, 0x31, 0xff, random.below(256)]) {
        const bad = entry.slice();
        bad[at] = value;
        try {
          const { seen } = walkTar(bad);
          assertEquals(JSON.stringify(seen), before, `byte ${at} = ${value}`);
        } catch (error) {
          assert(error instanceof SyntaxError, String(error));
          refused++;
        }
      }
    }
  }
  assert(refused > 3000, `${refused}`);
});

Deno.test("TarWalk reads random bytes with a right checksum without hanging or failing oddly", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed);
    const parts: Bytes[] = [];
    for (let i = 0; i < 4; i++) {
      const types = "\x000123456789xgLKSVDXAaz";
      const body = random.once(2) ? text(record(random.name(8), random.name(20))) : random.bytes(random.below(600));
      parts.push(
        block({ name: random.name(90), size: body.length, link: random.once(2) ? "l" : "" }, (header) => {
          header[156] = types.charCodeAt(random.below(types.length));
          for (let n = random.below(3); n > 0; n--) header[random.below(512)] = random.below(256);
        }),
        body,
        tarPadding(body.length),
      );
    }
    const tar = concat([...parts, tarEnd]);
    const outcome = (next: () => number) => {
      try {
        const { seen, walk } = walkTar(tar, next, 300);
        return { seen, clean: walk.clean };
      } catch (error) {
        assert(error instanceof SyntaxError || error instanceof UserError, `seed ${seed}: ${error}`);
        return error.message;
      }
    };
    assertEquals(outcome(() => 1 + random.below(900)), outcome(() => tar.length), `seed ${seed}`);
  }
});

/** A random layer and what a walk must see of it. */
function randomTar(random: Random): { tar: Bytes; expected: Seen[] } {
  const parts: Bytes[] = [];
  const expected: Seen[] = [];
  for (let i = random.below(12); i >= 0; i--) {
    const types = ["file", "file", "file", "hardlink", "symlink", "directory", "fifo"] as const;
    const type = types[random.below(types.length)]!;
    const isLink = type === "hardlink" || type === "symlink";
    const name = random.name(random.once(3) ? 300 : 60), target = isLink ? random.name(random.once(3) ? 300 : 60) : "";
    const body = type === "file" ? random.bytes(random.below(random.once(4) ? 20_000 : 800)) : text("");
    const xattrs = random.once(3) ? [["user.x", random.bytes(random.below(3000))] as const] : [];
    const ids = { uid: random.below(random.once(4) ? 2 ** 32 - 1 : 70_000), gid: random.below(70_000) };
    const format = random.once(2) ? "gnu" : "pax";
    parts.push(
      tarHeader({ name, type, mode: random.below(0o10000), ...ids, size: body.length, link: target, xattrs }, {
        format,
      }),
      body,
      tarPadding(body.length),
    );
    const mode = parseInt(latin1(parts.at(-3)!.slice(-512).subarray(100, 107)), 8);
    const seen = { type: { file: "0", hardlink: "1", symlink: "2", directory: "5", fifo: "6" }[type], mode, ...ids };
    expected.push({
      ...seen,
      name: latin1(text(name)),
      link: latin1(text(target)),
      body: latin1(body),
      pax: Object.fromEntries(xattrs.map(([key, value]) => [`SCHILY.xattr.${key}`, latin1(value)])),
    });
  }
  return { tar: concat([...parts, tarEnd]), expected };
}

Deno.test("TarWalk reads random archives the same in any pieces", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const { tar, expected } = randomTar(random);
    for (
      const [next, inline] of [[() => tar.length, 1 << 20], [() => 1 + random.below(2000), 600], [() => 1, 0]] as const
    ) {
      if (inline === 0 && seed > 20) continue;
      const { seen, walk } = walkTar(tar, next, inline);
      const stripped = seen.map((entry) => ({
        ...entry,
        pax: Object.fromEntries(Object.entries(entry.pax).filter(([key]) => key.startsWith("SCHILY"))),
      }));
      assertEquals(stripped, expected, `seed ${seed}`);
      assertEquals(walk.clean, true);
    }
  }
});
