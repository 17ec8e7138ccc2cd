/** An open file that is closed at the end of its block. */
import { close } from "./libc.ts";

/** Owns a descriptor. */
export class Descriptor implements Disposable {
  constructor(readonly fd: number) {}

  [Symbol.dispose](): void {
    close(this.fd);
  }
}
