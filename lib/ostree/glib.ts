/**
 * The part of GLib that libostree's interface is made of: errors, texts, bytes, variants, arrays, hash tables, key files.
 *
 * Private to lib/ostree: pointers live here and in the files that call libostree, never beyond. What a function borrows stays the
 * callee's; what it takes is given up here; an {@linkcode Owned} is ours until its block ends.
 */
import { type Bytes, cstr, keepLibrary } from "../sys/libc.ts";
import { Interrupted, UserError } from "../sys/errors.ts";

/** A pointer that may be NULL. */
export type Pointer = Deno.PointerValue;
/** A pointer that is there. */
export type Handle = Deno.PointerObject;

const glibSymbols = {
  /** void g_free(gpointer mem) */
  g_free: { parameters: ["pointer"], result: "void" },
  /** void g_error_free(GError *error) */
  g_error_free: { parameters: ["pointer"], result: "void" },
  /** const gchar *g_quark_to_string(GQuark quark); static storage */
  g_quark_to_string: { parameters: ["u32"], result: "pointer" },
  /** GBytes *g_bytes_new(gconstpointer data, gsize size); copies */
  g_bytes_new: { parameters: ["buffer", "usize"], result: "pointer" },
  /** void g_bytes_unref(GBytes *bytes) */
  g_bytes_unref: { parameters: ["pointer"], result: "void" },
  /** GVariant *g_variant_new_from_bytes(const GVariantType *type, GBytes *bytes, gboolean trusted); a floating reference */
  g_variant_new_from_bytes: { parameters: ["buffer", "pointer", "i32"], result: "pointer" },
  /** GVariant *g_variant_ref_sink(GVariant *value) */
  g_variant_ref_sink: { parameters: ["pointer"], result: "pointer" },
  /** void g_variant_unref(GVariant *value) */
  g_variant_unref: { parameters: ["pointer"], result: "void" },
  /** gconstpointer g_variant_get_data(GVariant *value); borrowed */
  g_variant_get_data: { parameters: ["pointer"], result: "pointer" },
  /** gsize g_variant_get_size(GVariant *value) */
  g_variant_get_size: { parameters: ["pointer"], result: "usize" },
  /** void g_ptr_array_unref(GPtrArray *array) */
  g_ptr_array_unref: { parameters: ["pointer"], result: "void" },
  /** void g_ptr_array_set_size(GPtrArray *array, gint length); frees what is cut off */
  g_ptr_array_set_size: { parameters: ["pointer", "i32"], result: "void" },
  /** void g_ptr_array_add(GPtrArray *array, gpointer data) */
  g_ptr_array_add: { parameters: ["pointer", "pointer"], result: "void" },
  /** void g_hash_table_iter_init(GHashTableIter *iter, GHashTable *table); 40 bytes on LP64 */
  g_hash_table_iter_init: { parameters: ["buffer", "pointer"], result: "void" },
  /** gboolean g_hash_table_iter_next(GHashTableIter *iter, gpointer *key, gpointer *value); borrowed */
  g_hash_table_iter_next: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  /** void g_hash_table_unref(GHashTable *table) */
  g_hash_table_unref: { parameters: ["pointer"], result: "void" },
  /** GKeyFile *g_key_file_new(void) */
  g_key_file_new: { parameters: [], result: "pointer" },
  /** void g_key_file_unref(GKeyFile *file) */
  g_key_file_unref: { parameters: ["pointer"], result: "void" },
  /** gboolean g_key_file_load_from_data(GKeyFile *file, const gchar *data, gsize length, GKeyFileFlags flags, GError **error) */
  g_key_file_load_from_data: { parameters: ["pointer", "buffer", "usize", "u32", "buffer"], result: "i32" },
  /** gchar *g_key_file_to_data(GKeyFile *file, gsize *length, GError **error); ours to free */
  g_key_file_to_data: { parameters: ["pointer", "buffer", "buffer"], result: "pointer" },
  /** gchar *g_key_file_get_string(GKeyFile *file, const gchar *group, const gchar *key, GError **error); ours to free */
  g_key_file_get_string: { parameters: ["pointer", "buffer", "buffer", "buffer"], result: "pointer" },
} as const;

const gioSymbols = {
  /** gpointer g_object_ref(gpointer object) */
  g_object_ref: { parameters: ["pointer"], result: "pointer" },
  /** void g_object_unref(gpointer object) */
  g_object_unref: { parameters: ["pointer"], result: "void" },
  /** GFile *g_file_new_for_path(const char *path) */
  g_file_new_for_path: { parameters: ["buffer"], result: "pointer" },
  /** GFileInputStream *g_file_read(GFile *file, GCancellable *cancellable, GError **error); ours */
  g_file_read: { parameters: ["pointer", "pointer", "buffer"], result: "pointer" },
  /** GInputStream *g_memory_input_stream_new(void) */
  g_memory_input_stream_new: { parameters: [], result: "pointer" },
  /** void g_memory_input_stream_add_data(stream, const void *data, gssize len, GDestroyNotify destroy); borrows the data */
  g_memory_input_stream_add_data: { parameters: ["pointer", "buffer", "isize", "pointer"], result: "void" },
  /** gboolean g_output_stream_write_all(stream, buffer, gsize count, gsize *written, GCancellable *cancellable, GError **error) */
  g_output_stream_write_all: {
    parameters: ["pointer", "buffer", "usize", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gssize g_input_stream_read(stream, void *buffer, gsize count, GCancellable *cancellable, GError **error); 0 at the end */
  g_input_stream_read: { parameters: ["pointer", "buffer", "usize", "pointer", "buffer"], result: "isize" },
  /** guint32 g_file_info_get_attribute_uint32(GFileInfo *info, const char *attribute); 0 where it has none */
  g_file_info_get_attribute_uint32: { parameters: ["pointer", "buffer"], result: "u32" },
  /** goffset g_file_info_get_size(GFileInfo *info) */
  g_file_info_get_size: { parameters: ["pointer"], result: "i64" },
  /** const char *g_file_info_get_symlink_target(GFileInfo *info); borrowed, NULL for what is no symlink */
  g_file_info_get_symlink_target: { parameters: ["pointer"], result: "pointer" },
  /** GCancellable *g_cancellable_new(void) */
  g_cancellable_new: { parameters: [], result: "pointer" },
  /** void g_cancellable_cancel(GCancellable *cancellable) */
  g_cancellable_cancel: { parameters: ["pointer"], result: "void" },
} as const;

/**
 * Opens a shared library by its soname.
 * @throws {UserError} when it is not installed or too old to have a symbol
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  soname: string,
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  try {
    keepLibrary(soname);
    return Deno.dlopen(soname, symbols).symbols;
  } catch (cause) {
    throw new UserError(`Cannot load "${soname}"`, {
      cause,
      hint: "Install the package that has it (ostree-libs, or libostree-1-1)",
    });
  }
}

let glibLibrary: Deno.DynamicLibrary<typeof glibSymbols>["symbols"] | undefined;
let gioLibrary: Deno.DynamicLibrary<typeof gioSymbols>["symbols"] | undefined;

/** GLib, opened on first use. */
export function glib(): Deno.DynamicLibrary<typeof glibSymbols>["symbols"] {
  return glibLibrary ??= openLibrary("libglib-2.0.so.0", glibSymbols);
}

/** GIO, and GObject with it (dlsym finds a library's own dependencies). */
export function gio(): Deno.DynamicLibrary<typeof gioSymbols>["symbols"] {
  return gioLibrary ??= openLibrary("libgio-2.0.so.0", gioSymbols);
}

/** The domain of GIOErrorEnum. */
const IO_ERRORS = "g-io-error-quark";

/** A failed GLib call: `domain` is the quark's name, `code` a number of that domain. */
export class GlibError extends Error {
  override name = "GlibError";
  constructor(readonly domain: string, readonly code: number, message: string) {
    super(message);
  }
  /** G_IO_ERROR_NOT_FOUND: what was asked for does not exist. */
  get notFound(): boolean {
    return this.domain === IO_ERRORS && this.code === 1;
  }
}

/** Room for one pointer that a C function writes. A call that runs on a pool thread needs one of its own. */
export class OutPointer {
  readonly buffer = new BigUint64Array(1);
  get value(): Pointer {
    return Deno.UnsafePointer.create(this.buffer[0]!);
  }
}

/** The `GError **` of one call. */
export class ErrorSlot extends OutPointer {
  /** The error as ours; GLib's is freed. A cancelled call is {@linkcode Interrupted}: only our signals cancel. */
  take(): GlibError | Interrupted {
    const pointer = this.value;
    if (pointer === null) return new GlibError("none", 0, "A GLib call failed without saying why");
    const view = new Deno.UnsafePointerView(pointer);
    const domain = text(glib().g_quark_to_string(view.getUint32(0)));
    const error = new GlibError(domain, view.getInt32(4), text(view.getPointer(8)));
    glib().g_error_free(pointer);
    this.buffer[0] = 0n;
    const CANCELLED = 19;
    return domain === IO_ERRORS && error.code === CANCELLED ? new Interrupted() : error;
  }
}

/** Makes a call that gives a gboolean. @throws {GlibError} when it is FALSE */
export function checked(call: (error: BigUint64Array<ArrayBuffer>) => number): void {
  const slot = new ErrorSlot();
  if (call(slot.buffer) === 0) throw slot.take();
}

/** Like {@linkcode checked}, on a pool thread. @throws {GlibError} */
export async function checkedAsync(call: (error: BigUint64Array<ArrayBuffer>) => Promise<number>): Promise<void> {
  const slot = new ErrorSlot();
  if (await call(slot.buffer) === 0) throw slot.take();
}

/** Makes a call that gives a pointer, and gives the pointer. @throws {GlibError} when it is NULL */
export function given(call: (error: BigUint64Array<ArrayBuffer>) => Pointer): Handle {
  const slot = new ErrorSlot();
  const pointer = call(slot.buffer);
  if (pointer === null) throw slot.take();
  return pointer;
}

/** A pointer that is ours until the block ends. */
export class Owned implements Disposable {
  #release: ((pointer: Handle) => void) | undefined;
  constructor(readonly pointer: Handle, release: (pointer: Handle) => void) {
    this.#release = release;
  }
  [Symbol.dispose](): void {
    this.#release?.(this.pointer);
    this.#release = undefined;
  }
}

function required(pointer: Pointer): Handle {
  if (pointer === null) throw new TypeError("A NULL pointer where GLib promises none");
  return pointer;
}

/** Takes a GObject reference that the callee gave us. */
export function ownedObject(pointer: Pointer): Owned {
  return new Owned(required(pointer), (p) => gio().g_object_unref(p));
}

/** Adds a reference of our own to a borrowed GObject. */
export function referenced(pointer: Handle): Owned {
  return ownedObject(gio().g_object_ref(pointer));
}

/** Copies a borrowed C string; "" for NULL. */
export function text(pointer: Pointer): string {
  return pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();
}

/** Copies a C string that is ours, and frees it; undefined for NULL. */
export function takeText(pointer: Pointer): string | undefined {
  if (pointer === null) return undefined;
  const copy = text(pointer);
  glib().g_free(pointer);
  return copy;
}

/** Copies the 32 bytes of a checksum that are ours, and frees them; as 64 hexadecimal digits. */
export function takeChecksum(pointer: Pointer): string {
  const bytes = new Uint8Array(32);
  new Deno.UnsafePointerView(required(pointer)).copyInto(bytes);
  glib().g_free(pointer);
  return bytes.toHex();
}

/** A variant with a copy of these bytes; they may be of any form, GLib reads what is not normal as defaults. */
export function variant(type: string, bytes: Bytes): Owned {
  const g = glib();
  const data = g.g_bytes_new(bytes, BigInt(bytes.length));
  const value = g.g_variant_ref_sink(g.g_variant_new_from_bytes(cstr(type), data, 0));
  g.g_bytes_unref(data);
  return new Owned(required(value), (p) => glib().g_variant_unref(p));
}

/** The serialised bytes of a variant that the callee gave us; it is given up. */
export function takeVariant(pointer: Pointer): Bytes {
  using value = new Owned(required(pointer), (p) => glib().g_variant_unref(p));
  const bytes = new Uint8Array(Number(glib().g_variant_get_size(value.pointer)));
  // A variant of no bytes has no address.
  if (bytes.length > 0) new Deno.UnsafePointerView(required(glib().g_variant_get_data(value.pointer))).copyInto(bytes);
  return bytes;
}

/** The elements of a borrowed `GPtrArray { gpointer *pdata; guint len; }`, borrowed as well. */
export function pointersOf(array: Handle): Handle[] {
  const view = new Deno.UnsafePointerView(array);
  const length = view.getUint32(8);
  if (length === 0) return [];
  const elements = new Deno.UnsafePointerView(required(view.getPointer(0)));
  return Array.from({ length }, (_, i) => required(elements.getPointer(i * 8)));
}

/** Copies a table of strings that is ours, and frees it. */
export function takeStringTable(pointer: Pointer): Map<string, string> {
  const g = glib();
  const table = required(pointer);
  const iterator = new Uint8Array(64);
  const key = new OutPointer(), value = new OutPointer();
  const result = new Map<string, string>();
  g.g_hash_table_iter_init(iterator, table);
  while (g.g_hash_table_iter_next(iterator, key.buffer, value.buffer) !== 0) {
    result.set(text(key.value), text(value.value));
  }
  g.g_hash_table_unref(table);
  return result;
}

/** A NULL-terminated `char **`. Keep it referenced until the call returns: only then do its texts stay where they are. */
export class StringVector {
  readonly #texts: Bytes[];
  readonly buffer: BigUint64Array<ArrayBuffer>;
  constructor(texts: readonly string[]) {
    this.#texts = texts.map(cstr);
    this.buffer = new BigUint64Array(this.#texts.length + 1);
    this.#texts.forEach((bytes, i) => this.buffer[i] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  }
  /** Address of the vector, for a field of a struct. */
  get address(): bigint {
    return Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.buffer));
  }
  /** Called after the C function has returned, so that vector and texts are still reachable during it. */
  keepAlive(): number {
    return this.#texts.length + this.buffer.length;
  }
}

const KEEP_COMMENTS_AND_TRANSLATIONS = 3;

/** A `GKeyFile` of this text. @throws {GlibError} when it is none */
export function keyFile(content: string): Owned {
  const g = glib();
  const file = new Owned(required(g.g_key_file_new()), (p) => glib().g_key_file_unref(p));
  const bytes = cstr(content);
  const size = BigInt(bytes.length - 1);
  try {
    checked((error) => g.g_key_file_load_from_data(file.pointer, bytes, size, KEEP_COMMENTS_AND_TRANSLATIONS, error));
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  return file;
}

/** The text of a borrowed `GKeyFile`; "" for NULL. */
export function keyFileText(pointer: Pointer): string {
  return pointer === null ? "" : takeText(glib().g_key_file_to_data(pointer, null, null)) ?? "";
}

/** A value of a borrowed `GKeyFile`, or undefined where group or key is not there. */
export function keyFileValue(pointer: Pointer, group: string, key: string): string | undefined {
  return pointer === null ? undefined : takeText(glib().g_key_file_get_string(pointer, cstr(group), cstr(key), null));
}

/** An input stream over pieces of our memory: keep them referenced and unchanged until the stream is given up. */
export function memoryStream(pieces: readonly Bytes[]): Owned {
  const stream = ownedObject(gio().g_memory_input_stream_new());
  for (const piece of pieces) {
    if (piece.length > 0) {
      gio().g_memory_input_stream_add_data(stream.pointer, piece, BigInt(piece.length), null);
    }
  }
  return stream;
}

/** A `GCancellable` that follows a signal; the call that got it ends with {@linkcode Interrupted}. */
export function cancellable(signal: AbortSignal): Owned {
  const pointer = required(gio().g_cancellable_new());
  const cancel = () => gio().g_cancellable_cancel(pointer);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  return new Owned(pointer, (p) => {
    signal.removeEventListener("abort", cancel);
    gio().g_object_unref(p);
  });
}
