/** The interface of @std/tar 0.1 over our own tar reader and writer, which know PAX, GNU long names and base-256. */
export * from "./tar_stream.ts";
export * from "./untar_stream.ts";
