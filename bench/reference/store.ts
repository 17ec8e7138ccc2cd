/** Writes objects as the reference does: each small file by one call of libostree, which hashes it and compares the checksum. */
import { ApiStore } from "../../lib/ostree/api_store.ts";
import { given, glib, openLibrary, type Owned, variant } from "../../lib/ostree/glib.ts";
import type { FileMeta } from "../../lib/ostree/objects.ts";
import { type Bytes, cstr } from "../../lib/sys/libc.ts";

const symbols = {
  /** char *ostree_repo_write_regfile_inline(repo, expected, uid, gid, mode, xattrs, const guint8 *buf, gsize len, GCancellable *, GError **) */
  ostree_repo_write_regfile_inline: {
    parameters: ["pointer", "buffer", "u32", "u32", "u32", "pointer", "buffer", "usize", "pointer", "buffer"],
    result: "pointer",
  },
} as const;

/** What the reference takes for small (ostree-ext `tar/import.rs`); larger files go through a content writer. */
export const SMALL_FILE_BYTES = 127 * 1024;

/** See the module's comment; symlinks and metadata go the way of our own API writer, which is no slower. */
export class InlineStore extends ApiStore {
  readonly #symbols = openLibrary("libostree-1.so.1", symbols);
  readonly #noXattrs: Owned = variant("a(ayay)", new Uint8Array(0));

  override file(window: Bytes, body: number, meta: FileMeta, want?: Bytes): Bytes {
    const { uid, gid, mode, size } = meta;
    const expected = want ? cstr(want.toHex()) : null;
    const xattrs = this.#noXattrs.pointer;
    const bytes = window.subarray(body, body + size);
    const checksum = given((error) =>
      this.#symbols.ostree_repo_write_regfile_inline(
        this.repo.handle,
        expected,
        uid,
        gid,
        mode,
        xattrs,
        bytes,
        BigInt(size),
        null,
        error,
      )
    );
    glib().g_free(checksum);
    this.written++;
    return want!;
  }
}
