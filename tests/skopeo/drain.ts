/** Reading a blob as an importer does. */
import type { BlobPipe } from "../../lib/skopeo/proxy.ts";
import { tryRead, waitReadable } from "../../lib/sys/libc.ts";

/** Up to `size` bytes or the end; then closes and awaits skopeo's verdict. */
export async function drain(pipe: BlobPipe, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const verdict = pipe.finish();
  const all = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const n = tryRead(pipe.fd, all.subarray(length));
    if (n === 0) break;
    if (n < 0) await waitReadable(pipe.fd);
    else length += n;
  }
  pipe.close();
  await verdict;
  return all.subarray(0, length);
}
