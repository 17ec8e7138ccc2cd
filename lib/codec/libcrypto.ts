/** SHA-256 of OpenSSL 3: hardware instructions, a small fixed state, no garbage. Opened on first use; may be absent. */
import type { Bytes } from "../sys/libc.ts";

/** The calls of one SHA-256 state; `context` has {@linkcode CONTEXT_BYTES} bytes. */
export interface Libcrypto {
  init(context: Bytes): void;
  update(context: Bytes, data: Bytes): void;
  final(digest: Bytes, context: Bytes): void;
}

/** Size of SHA256_CTX (openssl/sha.h): 112 bytes on every Linux. */
export const CONTEXT_BYTES = 112;

let opened: Libcrypto | undefined;
let tried = false;

/** The library, or undefined where it is absent or does not hash "abc" as FIPS 180-2 says. */
export function libcrypto(): Libcrypto | undefined {
  if (!tried) {
    tried = true;
    const library = open();
    if (library !== undefined && passes(library)) opened = library;
  }
  return opened;
}

function open(): Libcrypto | undefined {
  try {
    const { symbols } = Deno.dlopen("libcrypto.so.3", {
      /** int SHA256_Init(SHA256_CTX *c) */
      SHA256_Init: { parameters: ["buffer"], result: "i32" },
      /** int SHA256_Update(SHA256_CTX *c, const void *data, size_t len) */
      SHA256_Update: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
      /** int SHA256_Final(unsigned char *md, SHA256_CTX *c) */
      SHA256_Final: { parameters: ["buffer", "buffer"], result: "i32" },
    });
    return {
      init: (context) => void symbols.SHA256_Init(context),
      // BigInt: a 64-bit parameter given a number takes V8's slow path.
      update: (context, data) => void symbols.SHA256_Update(context, data, BigInt(data.length)),
      final: (digest, context) => void symbols.SHA256_Final(digest, context),
    };
  } catch {
    return undefined; // absent, or without these (deprecated) names: node:crypto serves as well
  }
}

function passes(library: Libcrypto): boolean {
  const context = new Uint8Array(CONTEXT_BYTES), digest = new Uint8Array(32);
  library.init(context);
  library.update(context, new Uint8Array([0x61, 0x62]));
  library.update(context, new Uint8Array([0x63]));
  library.final(digest, context);
  return digest.toHex() === "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}
