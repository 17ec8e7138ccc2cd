/** What a generator leaves for systemd. */
import type { GeneratedUnit } from "./generator.ts";

/**
 * Makes the units in the directory that systemd gives, each whole under its name or not there: all of them, or none where one fails. What
 * had a name is replaced. Nothing is synced, as the directory lasts only until the next boot.
 */
export async function writeUnits(directory: string, units: readonly GeneratedUnit[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const unit of units) {
      await makeParent(directory, unit.path, made);
      await place(unit, `${directory}/${unit.path}`, made);
    }
  } catch (error) {
    for (const path of made.reverse()) await removeOurs(path);
    throw error;
  }
}

/** No unit is more than one directory deep. */
async function makeParent(directory: string, path: string, made: string[]): Promise<void> {
  const [parent, name] = path.split("/");
  if (name === undefined) return;
  try {
    await Deno.mkdir(`${directory}/${parent}`, { mode: 0o755 });
    made.push(`${directory}/${parent}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

async function place(unit: GeneratedUnit, path: string, made: string[]): Promise<void> {
  const aside = `${path}.bootc-tmp`; // systemd knows no such suffix
  await removeIfThere(aside);
  made.push(aside);
  if (unit.kind === "link") await Deno.symlink(unit.target, aside);
  else await Deno.writeTextFile(aside, unit.content, { createNew: true, mode: 0o644 });
  await Deno.rename(aside, path);
  made.push(path);
}

/** Other generators run at the same time, and may have put something into a directory that we made. */
async function removeOurs(path: string): Promise<void> {
  try {
    await removeIfThere(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
