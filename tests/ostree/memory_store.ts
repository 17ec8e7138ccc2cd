/** A store that keeps metadata objects in a map: for trees, which need no repository. */
import "../libraries.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import type { ObjectStore } from "../../lib/ostree/store.ts";
import type { Bytes } from "../../lib/sys/libc.ts";

/** The part of a store that trees use. */
export function memoryStore(): ObjectStore & { readonly objects: Map<string, Bytes> } {
  const objects = new Map<string, Bytes>();
  const put = (type: string, bytes: Bytes) => {
    const checksum = sha256(bytes);
    objects.set(`${checksum.toHex()}.${type}`, bytes.slice());
    return checksum;
  };
  const part: Partial<ObjectStore> = {
    metadata: (type, bytes) => put(type, bytes),
    metadataStream: (type) => {
      const out: number[] = [];
      return {
        bytes: (source, start, length) => void out.push(...source.subarray(start, start + length)),
        number: (value, width) => {
          for (let i = 0; i < width; i++, value = Math.floor(value / 256)) out.push(value & 255);
        },
        end: () => put(type, new Uint8Array(out)),
      };
    },
    read: (type, checksum) => objects.get(`${checksum}.${type}`)!,
  };
  return Object.assign(part as ObjectStore, { objects });
}
