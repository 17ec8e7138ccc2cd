/** The image that an installation takes when none is named: the one of the container that this program runs in. */
import type { OstreeImageReference } from "../oci/reference.ts";
import { UserError } from "../sys/errors.ts";

/** Where podman says what a container is; only with `--privileged` does it say so much. */
const CONTAINER_ENV = "/run/.containerenv";

/** Reads `KEY="VALUE"` lines; pure. */
export function parseContainerEnv(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").flatMap((line) => {
    const [, key, value] = /^([A-Za-z]+)="?(.*?)"?$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return new Map(lines);
}

/** The image of the container, as the host's container storage has it; undefined outside a container of podman. */
export async function containerImage(path = CONTAINER_ENV): Promise<OstreeImageReference | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const name = parseContainerEnv(text).get("image");
  if (!name) return undefined;
  return { signature: { kind: "unverified" }, image: { transport: "containers-storage", name } };
}

/** What to say where neither is there. */
export function noSource(): UserError {
  return new UserError(
    // deno-lint-ignore house/error-message -- the reference's own words, which scripts look for
    "Either --source-imgref must be defined or this command must be executed inside a podman container.",
    { hint: "Give --source-imgref, or: podman run --privileged --pid=host IMAGE bootc install ..." },
  );
}
