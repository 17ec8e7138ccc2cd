/** What the kernel's list of mounts says of a host. Source: proc_pid_mountinfo(5), ostree `ostree-sysroot-deploy.c` (admin unlock). */
import type { UsrOverlay } from "./spec.ts";

interface Mount {
  readonly point: string;
  /** Of this mount: a bind mount may be read-only on a writable file system. */
  readonly options: readonly string[];
  readonly type: string;
  /** Of the file system itself. */
  readonly superOptions: readonly string[];
}

/** `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
function parseMount(line: string): Mount | undefined {
  const [left, right] = line.split(" - ", 2).map((half) => half.split(" "));
  const point = left?.[4], options = left?.[5], type = right?.[0], superOptions = right?.[2];
  if (point === undefined || options === undefined || type === undefined || superOptions === undefined) {
    return undefined;
  }
  return { point: unescapePath(point), options: options.split(","), type, superOptions: superOptions.split(",") };
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => parseMount(line) ?? []);
}

/**
 * The overlay that `usr-overlay` or `ostree admin unlock` laid over /usr, from the text of /proc/self/mountinfo. A hotfix keeps its
 * upper layer inside the deployment, every other overlay is gone with the next boot.
 */
export function usrOverlayOf(mountinfo: string): UsrOverlay | null {
  const mount = parseMounts(mountinfo).findLast(({ point }) => point === "/usr"); // the topmost
  // With composefs the root is an overlay too, but one without an upper layer.
  const upper = mount?.superOptions.find((option) => option.startsWith("upperdir="));
  if (mount?.type !== "overlay" || upper === undefined) return null;
  return {
    accessMode: mount.options.includes("ro") ? "readOnly" : "readWrite",
    persistence: upper.includes(".usr-ovl-upper") ? "persistent" : "transient",
  };
}

/**
 * Whether the file system below an absolute path (links resolved) cannot be written at all. Not what statvfs says: /sysroot of each
 * host is a read-only mount of a writable file system.
 */
export function readOnlyMedium(mountinfo: string, path: string): boolean {
  const covers = ({ point }: Mount) => point === "/" || path === point || path.startsWith(`${point}/`);
  const mounts = parseMounts(mountinfo).filter(covers);
  const longest = Math.max(0, ...mounts.map(({ point }) => point.length));
  return mounts.findLast(({ point }) => point.length === longest)?.superOptions.includes("ro") ?? false;
}

/**
 * Whether an overlay without an upper layer, such as a composefs, is mounted at an absolute path: nothing makes that writable. What the mount
 * itself says does not count, since systemd runs generators where every mount is read-only.
 */
export function readOnlyOverlay(mountinfo: string, path: string): boolean {
  const mount = parseMounts(mountinfo).findLast(({ point }) => point === path);
  return mount?.type === "overlay" && mount.superOptions.includes("ro");
}

/** Type of the file system that is mounted at exactly this absolute path; undefined for none. */
export function fileSystemAt(mountinfo: string, path: string): string | undefined {
  return parseMounts(mountinfo).findLast(({ point }) => point === path)?.type;
}
