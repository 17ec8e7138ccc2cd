/** Answers that go to a file which the command line names. */
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import { AT_FDCWD, type Bytes, cstr, LibcError, O_WRONLY, openat, writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";

/** Writes a whole file; what was in it is gone. A device or pipe (`/dev/stdout`) will do. @throws {UserError} naming the file */
export async function writeOutputFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    throw new UserError(`Cannot write "${path}"`, { cause });
  }
}

/** An open file that takes an answer in pieces. */
export interface OutputStream {
  readonly fd: number;
  /** @throws {UserError} naming the file */
  write(bytes: Bytes): void;
}

/**
 * Lets `produce` write a long answer. The file has its name only once it is whole and on disk ({@linkcode replaceFile}): a failure leaves
 * what was there. A device or pipe takes the pieces as they come.
 * @throws {UserError} naming the file, and whatever `produce` throws
 */
export async function streamOutputFile(
  path: string,
  produce: (stream: OutputStream) => Promise<void>,
): Promise<void> {
  const failed = (cause: unknown) => new UserError(`Cannot write "${path}"`, { cause });
  const fill = (fd: number) =>
    produce({
      fd,
      write(bytes) {
        try {
          writeAll(fd, bytes);
        } catch (cause) {
          throw failed(cause);
        }
      },
    });
  try {
    const target = await targetOf(path);
    if (target.stream) return await fillStream(target.path, fill);
    await replaceFile(target.path, fill);
  } catch (cause) {
    throw cause instanceof LibcError ? failed(cause) : cause;
  }
}

/** Where a path leads, links followed, and whether a device, FIFO or socket is there, which nothing may replace. */
async function targetOf(path: string): Promise<{ path: string; stream: boolean }> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new UserError(`Cannot write "${path}": it is a directory`);
    // A pipe behind /dev/stdout has no path of its own.
    return isFile ? { path: await Deno.realPath(path), stream: false } : { path, stream: true };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path, stream: false };
    throw error instanceof UserError ? error : new UserError(`Cannot write "${path}"`, { cause: error });
  }
}

async function fillStream(path: string, fill: (fd: number) => Promise<void>): Promise<void> {
  using file = new Descriptor(openat(AT_FDCWD, cstr(path), O_WRONLY));
  await fill(file.fd);
}
