/** What ostree and what we say of the deployments of a system, in one form, so that they can be compared. */
import type { BootEntry, Host } from "../../lib/host/spec.ts";

/** A deployment: "booted default CHECKSUM.SERIAL"; instead of booted also staged, pending, rollback or other. */
export type Seen = `${string} ${string} ${string}.${number}`;

/** Deployments as `ostree admin status` lists them, in its order. */
export function parseAdminStatus(text: string): Seen[] {
  const lines = text.matchAll(/^([* ]) (\S+) ([0-9a-f]{64})\.(\d+)(?: \((\w+)\))?$/gm);
  return [...lines].map(([, mark, stateroot, checksum, serial, note]): Seen =>
    `${mark === "*" ? "booted" : note ?? "other"} ${stateroot} ${checksum}.${Number(serial)}`
  );
}

/** Deployments of `bootc status --json`, in the order and with the words that ostree has. */
export function deploymentsOf(json: string): Seen[] {
  const { staged, booted, rollback, rollbackQueued }: Host["status"] = JSON.parse(json).status;
  const see = (role: string, entry: BootEntry | null): Seen[] => {
    const ostree = entry?.ostree;
    return ostree ? [`${role} ${ostree.stateroot} ${ostree.checksum}.${ostree.deploySerial}`] : [];
  };
  const others: Seen[] = rollbackQueued
    ? [...see("pending", rollback), ...see("booted", booted)]
    : [...see("booted", booted), ...see("rollback", rollback)];
  return [...see("staged", staged), ...others];
}
