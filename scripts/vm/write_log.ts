/**
 * A disk that loses, when its power goes, what it was not told to flush: QEMU's `blklogwrites` writes down all that the guest writes, and
 * what came before the last flush is then put on the disk, nothing else.
 *
 * Source of the format: Linux, Documentation/admin-guide/device-mapper/log-writes.rst; all numbers are little-endian.
 */

/** What a log says of one write, in sectors. */
interface Entry {
  readonly sector: number;
  readonly sectors: number;
  readonly flags: number;
}

const MAGIC = 0x6a736677736872n;
const FLUSH = 1, DISCARD = 4;
const ENTRY_BYTES = 32;

function readAt(file: Deno.FsFile, at: number, length: number): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  for (let done = 0; done < length;) {
    const n = file.readSync(bytes.subarray(done));
    if (n === null) throw new SyntaxError(`The write log ends at byte ${at + done}`);
    done += n;
  }
  return new DataView(bytes.buffer);
}

function writeAt(file: Deno.FsFile, at: number, bytes: Uint8Array): void {
  file.seekSync(at, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** What came of {@linkcode replay}. */
export interface Replayed {
  /** Writes that are on the disk now. */
  readonly kept: number;
  /** Writes after the last flush. */
  readonly lost: number;
}

/**
 * Does to a disk what the log has up to its last flush. The log's head counts the entries as of that flush, and a discard leaves what is
 * there, as a disk may.
 * @throws {SyntaxError} when the log is none, or cut short
 */
export function replay(logPath: string, diskPath: string): Replayed {
  using log = Deno.openSync(logPath);
  const { size } = log.statSync();
  // Nothing was ever flushed.
  if (size < 28) return { kept: 0, lost: 0 };
  const head = readAt(log, 0, 28);
  if (head.getBigUint64(0, true) === 0n) return { kept: 0, lost: 0 };
  if (head.getBigUint64(0, true) !== MAGIC) throw new SyntaxError(`"${logPath}" is no write log`);
  const entries = Number(head.getBigUint64(16, true));
  const sectorBytes = head.getUint32(24, true);
  using disk = Deno.openSync(diskPath, { write: true });
  let [kept, waiting]: [number, Entry[]] = [0, []];
  const places = new Map<Entry, number>();
  let at = sectorBytes;
  for (let i = 0; i < entries; i++) {
    const view = readAt(log, at, ENTRY_BYTES);
    const [sector, sectors, flags] = [0, 8, 16].map((offset) => Number(view.getBigUint64(offset, true)));
    const entry = { sector: sector!, sectors: sectors!, flags: flags! };
    at += sectorBytes;
    if (entry.flags & FLUSH) {
      for (const write of waiting) {
        const bytes = readAt(log, places.get(write)!, write.sectors * sectorBytes);
        writeAt(disk, write.sector * sectorBytes, new Uint8Array(bytes.buffer));
      }
      kept += waiting.length;
      waiting = [];
      places.clear();
    } else if (!(entry.flags & DISCARD)) {
      if (entry.sectors === 0) throw new SyntaxError(`Entry ${i} of the write log is empty`);
      waiting.push(entry);
      places.set(entry, at);
      at += entry.sectors * sectorBytes;
    }
  }
  return { kept, lost: waiting.length + countAfter(log, at, sectorBytes) };
}

/** Writes behind what the head counts. The power went while they were written down, so that the last ones may be of any kind. */
function countAfter(log: Deno.FsFile, start: number, sectorBytes: number): number {
  const { size } = log.statSync();
  let count = 0;
  for (let at = start; at + ENTRY_BYTES <= size; count++) {
    const sectors = Number(readAt(log, at, ENTRY_BYTES).getBigUint64(8, true));
    if (sectors === 0) break;
    at += (1 + sectors) * sectorBytes;
  }
  return count;
}
