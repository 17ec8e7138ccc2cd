/** What the library may know of the world. Commands get it from `main.ts`, tests make one on a temporary sysroot. */
export interface Context {
  /** Given on SIGINT or SIGTERM, or by a test: long work stops at its next step and cleans up. */
  readonly signal: AbortSignal;
  /** The caller's environment; nothing else reads it. */
  readonly env: Readonly<Record<string, string>>;
  /** The clock. */
  readonly now: () => Date;
  /** Programs that are started, by name or path; a test puts a script here to force a fault. */
  readonly tools: Tools;
  /** For one-line remarks to a person on the way (waiting for a lock, a warning); never an answer. */
  readonly note: (line: string) => void;
}

/** The programs that may be started. */
export interface Tools {
  readonly skopeo: string;
  readonly ostree: string;
  readonly systemctl: string;
  readonly systemdRun: string;
  readonly unshare: string;
  readonly journalctl: string;
}

/** The tools as `PATH` finds them. */
export const systemTools: Tools = {
  skopeo: "skopeo",
  ostree: "ostree",
  systemctl: "systemctl",
  systemdRun: "systemd-run",
  unshare: "unshare",
  journalctl: "journalctl",
};

/** A context of no one: no signal, no notes, the given environment. Start for tests and scripts. */
export function plainContext(env: Readonly<Record<string, string>>): Context {
  return {
    signal: new AbortController().signal,
    env,
    now: () => new Date(),
    tools: systemTools,
    note: () => {},
  };
}
