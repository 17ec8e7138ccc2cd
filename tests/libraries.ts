/**
 * Opens the shared libraries before any test runs: they stay open for the life of the process, which the leak check of a single test
 * would take for a fault. Imported for its effect by whatever helps tests to use libostree.
 */
import { gio, glib } from "../lib/ostree/glib.ts";
import { decoderFor } from "../lib/codec/inflate.ts";
import { doubleRing } from "../lib/sys/libc.ts";
import { sha256 } from "../lib/codec/sha256.ts";
import { ostree } from "../lib/ostree/libostree.ts";

glib();
gio();
ostree();
sha256(new Uint8Array(1));
const buffers = { input: new Uint8Array(16), output: doubleRing(4096) };
for (const options of [{ isal: true }, { isal: false }]) decoderFor("gzip", buffers, options);
decoderFor("zstd", buffers);
