/** A text as one word of a POSIX shell, always in quotes. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
