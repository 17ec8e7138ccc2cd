/** A sink that keeps what a tar walk brings, and ways to feed one. */
import { type TarEntry, type TarSink, TarWalk } from "../../lib/codec/tar.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import { concat } from "../image.ts";

/** A copy of an entry, easy to compare. */
export interface Seen {
  type: string;
  name: string;
  link: string;
  mode: number;
  uid: number;
  gid: number;
  body: string;
  pax: Record<string, string>;
}

/** Text of any bytes, one character each. */
export function latin1(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

/** Keeps all entries with their bodies; large bodies come in pieces. */
export class Collector implements TarSink {
  readonly seen: Seen[] = [];
  /** Whole bodies, for comparing without text. */
  readonly streamed: number[] = [];
  #pieces: Bytes[] = [];

  file(window: Bytes, body: number, entry: TarEntry): void {
    this.#keep(entry, window.subarray(body, body + entry.size));
  }
  begin(): void {
    this.#pieces = [];
  }
  data(piece: Bytes): void {
    this.#pieces.push(piece.slice());
  }
  end(entry: TarEntry): void {
    this.streamed.push(entry.size);
    this.#keep(entry, concat(this.#pieces));
  }
  other(entry: TarEntry): void {
    this.#keep(entry, new Uint8Array(0));
  }

  #keep(entry: TarEntry, body: Bytes): void {
    if (body.length !== entry.size) throw new Error(`${body.length} bytes of ${entry.size}`);
    this.seen.push({
      type: String.fromCharCode(entry.type),
      name: latin1(entry.nameBuffer.subarray(entry.nameStart, entry.nameEnd)),
      link: latin1(entry.linkBuffer.subarray(entry.linkStart, entry.linkEnd)),
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      body: latin1(body),
      pax: Object.fromEntries([...entry.pax ?? []].map(([key, value]) => [key, latin1(value)])),
    });
  }
}

/** What a walk made of an archive. */
export interface Walked {
  seen: Seen[];
  streamed: number[];
  walk: TarWalk;
}

/**
 * Feeds an archive in pieces through a window that is overwritten between calls; `next` gives the size of each piece.
 * @throws what the walk throws, and an Error where it would never come to an end
 */
export function walkTar(tar: Bytes, next: () => number = () => tar.length || 1, inlineBytes = 4096): Walked {
  const sink = new Collector();
  const walk = new TarWalk(sink, inlineBytes);
  let rest: Bytes = new Uint8Array(0);
  for (let at = 0; at < tar.length;) {
    const piece = tar.subarray(at, at + next());
    at += piece.length;
    const window = new Uint8Array(7 + rest.length + piece.length);
    window.set(rest, 7);
    window.set(piece, 7 + rest.length);
    const position = walk.feed(window, 7, window.length);
    if (window.length - position > inlineBytes + 1024) throw new Error("The walk leaves more than it may");
    rest = window.slice(position);
    window.fill(0xee);
  }
  return { seen: sink.seen, streamed: sink.streamed, walk };
}
