/** Text from files that a person or another program wrote. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/** @throws {SyntaxError} when it is no UTF-8 */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SyntaxError("The text is not UTF-8");
  }
}
