/** SHA-256 with a state that is made once and used for many values. */
import type { Bytes } from "../sys/libc.ts";
import { CONTEXT_BYTES, type Libcrypto, libcrypto } from "./libcrypto.ts";

/** What hashes: OpenSSL where it is there, node:crypto otherwise. */
interface Engine {
  reset(): void;
  update(bytes: Bytes): void;
  digest(into: Bytes): void;
}

class OpensslEngine implements Engine {
  readonly #context = new Uint8Array(CONTEXT_BYTES);
  constructor(readonly library: Libcrypto) {}
  reset() {
    this.library.init(this.#context);
  }
  update(bytes: Bytes) {
    this.library.update(this.#context, bytes);
  }
  digest(into: Bytes) {
    this.library.final(into, this.#context);
  }
}

/** The part of node:crypto that is used. */
interface NodeHash {
  update(bytes: Bytes): void;
  digest(): Uint8Array;
}
interface NodeCrypto {
  createHash(algorithm: "sha256"): NodeHash;
}

/**
 * node:crypto, loaded by name and only where it is wanted; an import would also ask for the types of Node, which are no dependency of
 * ours.
 */
function nodeCrypto(): NodeCrypto {
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: "node:crypto"): NodeCrypto } };
  return process.getBuiltinModule("node:crypto");
}

class NodeEngine implements Engine {
  readonly #crypto = nodeCrypto();
  #hash = this.#crypto.createHash("sha256");
  reset() {
    this.#hash = this.#crypto.createHash("sha256");
  }
  update(bytes: Bytes) {
    this.#hash.update(bytes);
  }
  digest(into: Bytes) {
    into.set(this.#hash.digest());
  }
}

/** A running SHA-256; ready when made, and again after each {@linkcode Sha256.digest}. */
export class Sha256 {
  readonly #engine: Engine;
  readonly #digest = new Uint8Array(32);

  /** `engine` is for tests: "node" leaves OpenSSL out. */
  constructor(options: { engine?: "node" } = {}) {
    const library = options.engine === "node" ? undefined : libcrypto();
    this.#engine = library === undefined ? new NodeEngine() : new OpensslEngine(library);
    this.#engine.reset();
  }

  /** Forgets what was hashed so far. */
  reset(): this {
    this.#engine.reset();
    return this;
  }

  update(bytes: Bytes): void {
    this.#engine.update(bytes);
  }

  /** The 32 bytes, in a buffer that the next `digest()` of this object overwrites; starts anew. */
  digest(): Bytes {
    this.#engine.digest(this.#digest);
    this.#engine.reset();
    return this.#digest;
  }
}

let shared: Sha256 | undefined;

/** The hash of one value, in fresh memory. */
export function sha256(bytes: Bytes): Bytes {
  shared ??= new Sha256();
  shared.reset().update(bytes);
  return shared.digest().slice();
}
