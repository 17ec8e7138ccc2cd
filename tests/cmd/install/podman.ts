/**
 * Containers of podman, for installations out of the image that runs: its own storage, its own /run/.containerenv. What a sandbox without
 * CAP_SYS_RESOURCE, or with control groups of two versions, refuses is taken out of the way: limits of resources, which nothing here looks at.
 */
import { mayMount } from "../../may_mount.ts";
import { hasProgram } from "../../has_program.ts";
import { capture, run } from "../../../lib/sys/run.ts";
import { ctx } from "./disk.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname.replace(/\/$/, "");
const DENO_DIR = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;

/** Hands on to crun what podman asks for, without limits. */
const RUNTIME = `#!/bin/sh -e
for word; do
  [ "$last" != --bundle ] || ${Deno.execPath()} eval '
    const path = Deno.args[0] + "/config.json";
    const config = JSON.parse(Deno.readTextFileSync(path));
    delete config.process.rlimits;
    delete config.process.oomScoreAdj;
    delete config.linux.resources;
    Deno.writeTextFileSync(path, JSON.stringify(config));
  ' "$word"
  last=$word
done
exec crun "$@"
`;

/**
 * In a mount namespace of its own, since crun refuses control groups of both versions; and in one of processes, so that nothing of podman is
 * left when it ends, and holds what is mounted.
 */
const OUTSIDE = `umount -R /sys/fs/cgroup || :
mount -t cgroup2 none /sys/fs/cgroup
"$@"
`;

const NAMESPACES = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

const STORAGE_CONF = `[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

/** What a container did. */
export interface ContainerOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A storage with images. */
export interface Podman {
  /** Puts `oci:DIR` into it under a name. */
  load(reference: string, name: string): Promise<void>;
  /** Runs `bootc WORDS...` in a container of an image, with the host's /usr in place of the image's. */
  bootc(image: string, options: readonly string[], words: readonly string[]): Promise<ContainerOutput>;
}

/** A storage in a directory, which has to be empty. */
export async function podman(directory: string): Promise<Podman> {
  const [root, runRoot, runtime] = [`${directory}/storage`, `${directory}/run`, `${directory}/crun`];
  await Deno.mkdir(root, { recursive: true });
  await Deno.writeTextFile(runtime, RUNTIME, { mode: 0o755 });
  await Deno.writeTextFile(`${directory}/storage.conf`, STORAGE_CONF);
  const named = Deno.env.get("BOOTC");
  const executable = named === undefined ? undefined : new URL(named, `file://${PROJECT}/`).pathname;
  // deno-fmt-ignore
  const program = executable ? ["/run/bootc-test"] : [
    "/run/deno", "run", "--quiet", "--no-check", "--allow-all", "--config=/run/project/deno.json", "/run/project/main.ts",
  ];
  return {
    load: (reference, name) =>
      run(ctx, [
        "skopeo",
        "copy",
        "--quiet",
        "--insecure-policy",
        reference,
        `containers-storage:[vfs@${root}+${runRoot}]${name}`,
      ]),
    async bootc(image, options, words) {
      const binds = {
        "/usr": "/usr:ro",
        "/dev": "/dev",
        [root]: "/var/lib/containers/storage",
        [`${directory}/storage.conf`]: "/etc/containers/storage.conf",
        [PROJECT]: "/run/project",
        [DENO_DIR]: "/run/deno-dir",
        [Deno.execPath()]: "/run/deno",
        ...(executable && { [executable]: "/run/bootc-test" }),
      };
      // deno-fmt-ignore
      const args = [
        ...NAMESPACES, "--", "sh", "-ec", OUTSIDE, "sh",
        "podman", "--root", root, "--runroot", runRoot, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
        "--runtime", runtime,
        "run", "--rm", "--network=host", "--privileged", "--env", "DENO_DIR=/run/deno-dir", "--env", "DENO_NO_UPDATE_CHECK=1",
        ...Object.entries(binds).flatMap(([outside, inside]) => ["--volume", `${outside}:${inside}`]),
        ...options,
        image, ...program, ...words,
      ];
      const command = new Deno.Command("unshare", { args, stdin: "null" });
      const { code, stdout, stderr } = await command.output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
  };
}

/** Whether a container can be run here at all. */
export async function canRunContainers(): Promise<boolean> {
  if (!await mayMount() || !await hasProgram("podman") || !await hasProgram("crun")) return false;
  try {
    await capture(ctx, ["unshare", ...NAMESPACES, "--", "sh", "-ec", OUTSIDE, "sh", "true"]);
    return true;
  } catch {
    return false;
  }
}
