/** Whether a name is there. */

/** Whether something has this name, a link that leads nowhere included. @throws when that cannot be told, as where a folder may not be searched */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}
