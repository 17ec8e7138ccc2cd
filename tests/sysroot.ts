/** System roots in a directory, made by the real ostree, with trees small enough to deploy in a blink. */
import { ostreeCommit, ostreeText } from "./ostree_cli.ts";
import { type TempDir, tempDir } from "./temp.ts";

// libostree reads it when a system root is opened; without it a deployment is immutable and the temporary directory stays for ever.
Deno.env.set("OSTREE_SYSROOT_DEBUG", "mutable-deployments");

/** A temporary directory for a system root: in memory, since libostree syncs the whole file system several times a deployment. */
export function sysrootDirectory(): Promise<TempDir> {
  return tempDir("/dev/shm");
}

/** A system root that nothing runs from. */
export interface TestSysroot {
  readonly path: string;
  readonly repo: string;
  readonly stateroot: string;
}

/** The content of one path of a tree; bytes and text are files. */
export type TreeEntry = string | Uint8Array | { readonly link: string };

/** What a test's tree is made of. */
export interface OsTree {
  /** Also the content of kernel and initial RAM disk, so that another version has another boot checksum. */
  readonly kernelVersion?: string;
  /** Laid over the minimal tree, by path without a leading slash. */
  readonly files?: Readonly<Record<string, TreeEntry>>;
}

/** A tree and how it is committed. */
export interface OsCommit extends OsTree {
  /** "os" without it. */
  readonly ref?: string;
  /** String values of the commit's metadata, such as `version`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Makes an empty system root with one stateroot and a repository that does not wait for the disk. */
export async function makeSysroot(path: string, stateroot = "default"): Promise<TestSysroot> {
  await Deno.mkdir(path, { recursive: true });
  const repo = `${path}/ostree/repo`;
  await ostreeText("admin", "init-fs", "--modern", path);
  await ostreeText("admin", "os-init", `--sysroot=${path}`, stateroot);
  const settings = { "core.fsync": "false", "core.min-free-space-percent": "0", "sysroot.bootloader": "none" };
  for (const [key, value] of Object.entries(settings)) await ostreeText("config", `--repo=${repo}`, "set", key, value);
  return { path, repo, stateroot };
}

const USR_MERGE = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64" };

/** What every tree has: enough for ostree to deploy it, and to run the host's programs over it (`booted.ts`). */
function minimalTree(kernelVersion: string): Record<string, TreeEntry> {
  const links = Object.entries({ ...USR_MERGE, ostree: "sysroot/ostree", home: "var/home", root: "var/roothome" });
  return {
    ...Object.fromEntries(links.map(([name, link]) => [name, { link }])),
    [`usr/lib/modules/${kernelVersion}/vmlinuz`]: `kernel ${kernelVersion}\n`,
    [`usr/lib/modules/${kernelVersion}/initramfs.img`]: `initramfs ${kernelVersion}\n`,
    "usr/lib/os-release": 'NAME="Test OS"\nID=testos\nVERSION_ID=1\nPRETTY_NAME="Test OS 1"\n',
    "usr/etc/os-release": { link: "../usr/lib/os-release" },
    "usr/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "usr/etc/group": "root:x:0:\n",
    "usr/etc/hostname-of-image": "image\n",
    "usr/etc/machine-id": "",
    "usr/etc/containers/policy.json": '{"default":[{"type":"insecureAcceptAnything"}]}\n',
  };
}

const EMPTY_DIRECTORIES = ["boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var", "usr/bin", "usr/sbin"];

/** Puts a tree together below `path`. */
export async function writeOsTree(path: string, tree: OsTree = {}): Promise<void> {
  const entries = { ...minimalTree(tree.kernelVersion ?? "6.1.0-test"), ...tree.files };
  await Deno.mkdir(path, { recursive: true });
  await Deno.chmod(path, 0o755);
  for (const name of EMPTY_DIRECTORIES) await Deno.mkdir(`${path}/${name}`, { recursive: true });
  for (const [name, content] of Object.entries(entries)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(`${path}/${name}`, content);
    else if (content instanceof Uint8Array) await Deno.writeFile(`${path}/${name}`, content);
    else await Deno.symlink(content.link, `${path}/${name}`);
  }
}

/** Commits a tree and gives its checksum. */
export async function makeOsCommit(repo: string, commit: OsCommit = {}): Promise<string> {
  await using tree = await sysrootDirectory();
  await writeOsTree(tree.path, commit);
  return await ostreeCommit(repo, {
    ref: commit.ref ?? "os",
    tree: tree.path,
    ...(commit.metadata === undefined ? {} : { metadata: commit.metadata }),
  });
}

/** How the ostree command deploys. */
export interface DeployRequest {
  /** "os" without it. */
  readonly ref?: string;
  readonly kernelArguments?: readonly string[];
  /** Keep whatever is deployed. */
  readonly retain?: boolean;
  /** Path of an origin; that of what is deployed now when not given. */
  readonly originFile?: string;
}

/** Deploys a ref with the ostree command. */
export async function deployWithOstree(sysroot: TestSysroot, request: DeployRequest = {}): Promise<void> {
  const kernelArguments = request.kernelArguments ?? ["root=LABEL=root", "rw"];
  await ostreeText(
    "admin",
    "deploy",
    `--sysroot=${sysroot.path}`,
    `--os=${sysroot.stateroot}`,
    ...(request.retain ? ["--retain"] : []),
    ...(request.originFile === undefined ? [] : [`--origin-file=${request.originFile}`]),
    ...kernelArguments.map((argument) => `--karg=${argument}`),
    request.ref ?? "os",
  );
}

/** A deployment as `ostree admin status` lists it. */
export interface ListedDeployment {
  readonly stateroot: string;
  readonly checksum: string;
  readonly serial: number;
  /** Everything the line says behind the name: "(staged)", "(rollback)", ... */
  readonly marks: string;
  readonly booted: boolean;
}

/** Reads the list that `ostree admin status` prints. */
export function parseAdminStatus(text: string): ListedDeployment[] {
  const lines = [...text.matchAll(/^(\*| ) (\S+) ([0-9a-f]{64})\.(\d+)(.*)$/gm)];
  return lines.map(([, star, stateroot, checksum, serial, marks]) => ({
    stateroot: stateroot!,
    checksum: checksum!,
    serial: Number(serial),
    marks: marks!.trim(),
    booted: star === "*",
  }));
}

/** The deployments of a system root as the ostree command sees them, the one to boot next first. */
export async function listDeployments(sysroot: TestSysroot): Promise<ListedDeployment[]> {
  return parseAdminStatus(await ostreeText("admin", "status", `--sysroot=${sysroot.path}`));
}
