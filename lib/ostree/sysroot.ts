/**
 * A system root: deployments and their order. Whoever changes it holds {@linkcode Sysroot.lock}; reading needs no lock.
 *
 * libostree reads the environment variable `OSTREE_SYSROOT_DEBUG` when a system root is opened (tests make deployments mutable with it).
 */
import type { Context } from "../sys/context.ts";
import { cstr } from "../sys/libc.ts";
import { UserError } from "../sys/errors.ts";
import { isLockedByFile, removeLockFile, touchLockFile } from "./finalization_lock.ts";
import { type Deployment, readDeployment, sameDeployment } from "./deployment.ts";
import {
  cancellable,
  checked,
  checkedAsync,
  gio,
  glib,
  type Handle,
  keyFile,
  OutPointer,
  Owned,
  ownedObject,
  pointersOf,
  referenced,
  StringVector,
} from "./glib.ts";
import { ostree } from "./libostree.ts";
import { checksumArgument, staterootArgument } from "./names.ts";
import type { Origin } from "./origin.ts";
import { type PruneResult, Repo } from "./repo.ts";
import { type LockOptions, waitForLock } from "./sysroot_lock.ts";

/** Whether this libostree knows soft reboots (since 2025.3). */
export function knowsSoftReboot(): boolean {
  // Not asked of the function that prepares one: Deno 2.7 gives a function for a missing symbol that is nonblocking.
  return ostree().ostree_sysroot_deployment_can_soft_reboot !== null;
}

/** How a system root is opened. */
export interface SysrootOptions {
  /**
   * This whole process runs in a mount namespace of its own (`unshare -m`), so libostree may make a read-only /sysroot and /boot writable in
   * it without anybody else seeing that.
   */
  readonly mountNamespaceInUse?: boolean;
}

/** A new deployment. */
export interface TreeRequest {
  readonly stateroot: string;
  /** The commit to deploy. */
  readonly checksum: string;
  readonly origin: Origin;
  /** Whose /etc is merged and, without `kernelArguments`, whose arguments are taken over. */
  readonly mergeDeployment?: Deployment | undefined;
  readonly kernelArguments?: readonly string[] | undefined;
  /** Given, libostree stops at its next step; what is half done is removed by the next cleanup. */
  readonly signal?: AbortSignal | undefined;
}

/** A new staged deployment. */
export interface StageRequest extends TreeRequest {
  /** Keep it from being finalized at shutdown until {@linkcode Sysroot.setFinalizationLocked} says otherwise. */
  readonly locked?: boolean;
}

/** Option structs grow between versions: zeroed, and larger than any so far. */
const OPTIONS_BYTES = 256;

/** A system root that is open. */
export class Sysroot implements Disposable {
  readonly #sysroot: Owned;
  #locked = false;

  private constructor(sysroot: Owned, readonly path: string) {
    this.#sysroot = sysroot;
  }

  /**
   * Opens the system root at a path and reads its deployments. "/" on a host that runs from ostree is the booted one.
   * @throws {UserError} when there is none
   */
  static open(path: string, options: SysrootOptions = {}): Sysroot {
    using file = ownedObject(gio().g_file_new_for_path(cstr(path)));
    const sysroot = ownedObject(ostree().ostree_sysroot_new(file.pointer));
    if (options.mountNamespaceInUse) ostree().ostree_sysroot_set_mount_namespace_in_use(sysroot.pointer);
    try {
      checked((error) => ostree().ostree_sysroot_load(sysroot.pointer, null, error));
    } catch (cause) {
      sysroot[Symbol.dispose]();
      throw new UserError(`Cannot read the system root "${path}"`, {
        cause,
        hint: "It must have an ostree repository in ostree/repo; check the path, and that you are root",
      });
    }
    return new Sysroot(sysroot, path);
  }

  get #handle(): Handle {
    return this.#sysroot.pointer;
  }

  /** Reads the deployments again where something has changed; says whether it has. @throws {GlibError} */
  reload(): boolean {
    const changed = new Int32Array(1);
    checked((error) => ostree().ostree_sysroot_load_if_changed(this.#handle, changed, null, error));
    return changed[0] !== 0;
  }

  /** The system root's repository; the caller disposes of it. */
  repo(): Repo {
    const repo = ostree().ostree_sysroot_repo(this.#handle);
    if (repo === null) throw new TypeError("A loaded system root has no repository");
    return Repo.fromHandle(referenced(repo), `${this.path === "/" ? "" : this.path}/ostree/repo`);
  }

  /** All deployments as last read, the one to boot next first. */
  deployments(): Deployment[] {
    using array = this.#array();
    const booted = ostree().ostree_sysroot_get_booted_deployment(this.#handle);
    const lockFile = isLockedByFile();
    return pointersOf(array.pointer).map((handle) =>
      readDeployment(handle, {
        sysroot: this.#handle,
        sysrootPath: this.path,
        booted: booted !== null && Deno.UnsafePointer.equals(handle, booted),
        lockFile,
      })
    );
  }

  /** The deployment that runs now; undefined for a system root that is not this host's. */
  get booted(): Deployment | undefined {
    return this.deployments().find((deployment) => deployment.booted);
  }

  /** The deployment that the next shutdown finishes, unless it is locked. */
  get staged(): Deployment | undefined {
    return this.deployments().find((deployment) => deployment.staged);
  }

  #array(): Owned {
    const array = ostree().ostree_sysroot_get_deployments(this.#handle);
    return new Owned(array!, (pointer) => glib().g_ptr_array_unref(pointer));
  }

  /** libostree's object behind a reading, borrowed from `array`. @throws {UserError} when it is gone */
  #find(array: Owned, wanted: Deployment): Handle {
    const around = { sysroot: this.#handle, sysrootPath: this.path, booted: false, lockFile: false };
    const found = pointersOf(array.pointer).find((handle) => sameDeployment(readDeployment(handle, around), wanted));
    if (found === undefined) {
      throw new UserError(`The deployment "${wanted.checksum}.${wanted.serial}" of "${wanted.stateroot}" is gone`, {
        hint: "Something else has changed the system meanwhile; try again",
      });
    }
    return found;
  }

  /**
   * Takes the system root's lock, waiting for another process with a note, and reads what that one has changed.
   * @throws {UserError} when the other does not let go in time
   * @throws {Interrupted} when the signal was given
   * @throws {GlibError} when the lock file cannot be written
   */
  async lock(ctx: Context, options: LockOptions = {}): Promise<Disposable> {
    if (this.#locked) throw new TypeError("The system root is locked by ourselves already");
    await waitForLock(ctx, this.path, () => this.#tryLock(), options);
    this.#locked = true;
    using stack = new DisposableStack();
    stack.defer(() => this.#unlock());
    this.reload();
    return stack.move();
  }

  #tryLock(): boolean {
    const acquired = new Int32Array(1);
    checked((error) => ostree().ostree_sysroot_try_lock(this.#handle, acquired, error));
    return acquired[0] !== 0;
  }

  #unlock(): void {
    if (!this.#locked) return;
    this.#locked = false;
    ostree().ostree_sysroot_unlock(this.#handle);
  }

  /** Makes an empty stateroot with its /var. Power cut: directories that the next attempt finds. @throws {GlibError} */
  initStateroot(name: string): void {
    const osname = staterootArgument(name);
    checked((error) => ostree().ostree_sysroot_init_osname(this.#handle, osname, null, error));
  }

  /**
   * Deploys a commit as the one to boot next, at once. Pinned deployments, those of other stateroots, the booted one and the one merged from
   * are kept; what falls out of the list is removed by {@linkcode cleanup}. Commit point: the swap of the boot loader's entries; a power cut
   * before it leaves the old list.
   * @throws {GlibError}
   */
  async deployTree(request: TreeRequest): Promise<void> {
    const NO_CLEAN = 4;
    const osname = staterootArgument(request.stateroot);
    using call = this.#prepare(request);
    await checkedAsync((error) =>
      ostree().ostree_sysroot_deploy_tree(
        this.#handle,
        osname,
        call.checksum,
        call.origin,
        call.merge,
        call.kernelArguments.buffer,
        call.out.buffer,
        call.cancel,
        error,
      )
    );
    call.kernelArguments.keepAlive();
    using deployment = ownedObject(call.out.value);
    await checkedAsync((error) =>
      ostree().ostree_sysroot_simple_write_deployment(
        this.#handle,
        osname,
        deployment.pointer,
        call.merge,
        NO_CLEAN,
        call.cancel,
        error,
      )
    );
  }

  /**
   * Stages a commit: it becomes the one to boot when the host shuts down, and takes /etc as it is then. Replaces a staged one. Only for the
   * booted system root. Commit point: the staged state's rename in /run; a power cut at any time leaves the old deployments.
   * @throws {GlibError} also when the system root is not the booted one
   */
  async stageTree(request: StageRequest): Promise<void> {
    const OVERRIDE_KERNEL_ARGV = 64;
    const osname = staterootArgument(request.stateroot);
    const lockByFile = ostree().ostree_sysroot_change_finalization === null;
    using call = this.#prepare(request);
    const options = new Uint8Array(OPTIONS_BYTES);
    const view = new DataView(options.buffer);
    view.setInt32(0, request.locked ? 1 : 0, true); // `locked`, ignored before 2023.8
    view.setBigUint64(OVERRIDE_KERNEL_ARGV, call.kernelArguments.address, true);
    // Locked before there is anything to lock, unlocked after: a shutdown in between must not apply what it was not asked to.
    if (request.locked && lockByFile) touchLockFile();
    await checkedAsync((error) =>
      ostree().ostree_sysroot_stage_tree_with_options(
        this.#handle,
        osname,
        call.checksum,
        call.origin,
        call.merge,
        options,
        call.out.buffer,
        call.cancel,
        error,
      )
    );
    call.kernelArguments.keepAlive();
    ownedObject(call.out.value)[Symbol.dispose]();
    // https://github.com/ostreedev/ostree/issues/3025: before 2023.8 the lock of a replaced deployment stays behind.
    if (!request.locked) removeLockFile();
  }

  /** The arguments that both ways to deploy share, alive until the block ends. */
  #prepare(request: TreeRequest) {
    using stack = new DisposableStack();
    const array = stack.use(this.#array());
    const inherited = request.mergeDeployment?.kernelArguments ?? [];
    const call = {
      checksum: checksumArgument(request.checksum),
      origin: stack.use(keyFile(request.origin.toString())).pointer,
      merge: request.mergeDeployment === undefined ? null : this.#find(array, request.mergeDeployment),
      kernelArguments: new StringVector(request.kernelArguments ?? inherited),
      out: new OutPointer(),
      cancel: request.signal === undefined ? null : stack.use(cancellable(request.signal)).pointer,
    };
    const kept = stack.move();
    return { ...call, [Symbol.dispose]: () => kept.dispose() };
  }

  /**
   * Sets which deployments there are, in boot order. A staged one stays only in the first place, else it is discarded. Without `postclean`
   * what falls out is removed by {@linkcode cleanup}. Commit point: the swap of the boot loader's entries.
   * @throws {UserError} when one of them is gone
   * @throws {GlibError}
   */
  async writeDeployments(order: readonly Deployment[], options: { postclean?: boolean } = {}): Promise<void> {
    using array = this.#array();
    using stack = new DisposableStack();
    const handles = order.map((deployment) => stack.use(referenced(this.#find(array, deployment))).pointer);
    // The copy that libostree gave has the right element type; it takes a reference of its own for each element.
    glib().g_ptr_array_set_size(array.pointer, 0);
    for (const handle of handles) glib().g_ptr_array_add(array.pointer, gio().g_object_ref(handle));
    const settings = new Uint8Array(OPTIONS_BYTES); // no `do_postclean`
    await checkedAsync((error) =>
      ostree().ostree_sysroot_write_deployments_with_options(this.#handle, array.pointer, settings, null, error)
    );
    this.reload();
    if (options.postclean) await this.cleanup();
  }

  /** Discards the staged deployment, and its finalization lock; without one this does nothing. @throws {GlibError} */
  async undeployStaged(): Promise<void> {
    const deployments = this.deployments();
    const kept = deployments.filter((deployment) => !deployment.staged);
    if (kept.length < deployments.length) await this.writeDeployments(kept);
  }

  /** A pinned deployment stays until it is unpinned. @throws {GlibError} also for a staged one */
  setPinned(deployment: Deployment, pinned: boolean): void {
    using array = this.#array();
    const handle = this.#find(array, deployment);
    checked((error) => ostree().ostree_sysroot_deployment_set_pinned(this.#handle, handle, pinned ? 1 : 0, error));
    this.reload();
  }

  /**
   * Replaces the kernel arguments of a deployment that nobody has booted yet; the boot entry's file alone, not what a backend for one boot
   * loader makes of it. Commit point: the rename of that file. @throws {GlibError}
   */
  setKernelArguments(deployment: Deployment, kernelArguments: readonly string[]): void {
    using array = this.#array();
    const handle = this.#find(array, deployment);
    const line = cstr(kernelArguments.join(" "));
    checked((error) => ostree().ostree_sysroot_deployment_set_kargs_in_place(this.#handle, handle, line, null, error));
    this.reload();
  }

  /** Replaces a deployment's origin file (a rename). @throws {GlibError} */
  writeOrigin(deployment: Deployment, origin: Origin): void {
    using array = this.#array();
    using file = keyFile(origin.toString());
    const handle = this.#find(array, deployment);
    checked((error) => ostree().ostree_sysroot_write_origin_file(this.#handle, handle, file.pointer, null, error));
    this.reload();
  }

  /**
   * Prepares a restart of user space alone into a deployment: mounts it at /run/nextroot, for everybody on the host. A staged deployment other
   * than this one is discarded. Commit point: that mount; a reboot of the machine goes where the boot entries lead.
   * @throws {UserError} where this libostree cannot, or the deployment is gone
   * @throws {GlibError} also where the deployment has another kernel
   */
  async prepareSoftReboot(deployment: Deployment): Promise<void> {
    const prepare = ostree().ostree_sysroot_deployment_set_soft_reboot;
    if (prepare === null || !knowsSoftReboot()) throw new UserError("This libostree cannot prepare a soft reboot");
    using array = this.#array();
    const handle = this.#find(array, deployment);
    await checkedAsync((error) => prepare(this.#handle, handle, 0, null, error));
    this.reload();
  }

  /**
   * Says whether the staged deployment waits (true), or is applied at shutdown (false).
   * @throws {UserError} when nothing is staged
   */
  setFinalizationLocked(locked: boolean): void {
    using array = this.#array();
    const staged = pointersOf(array.pointer).find((handle) => ostree().ostree_deployment_is_staged(handle) !== 0);
    if (staged === undefined) throw new UserError("No staged deployment found");
    const change = ostree().ostree_sysroot_change_finalization;
    const now = ostree().ostree_deployment_is_finalization_locked;
    if (change === null || now === null) {
      if (locked) touchLockFile();
    } else if ((now(staged) !== 0) !== locked) {
      checked((error) => change(this.#handle, staged, error));
    }
    if (!locked) removeLockFile();
    checked((error) => ostree().ostree_sysroot_load(this.#handle, null, error));
  }

  /**
   * Removes what no deployment needs: old deployments' directories, kernels, and (undefined without `pruneRepo`) objects of the repository
   * that no ref needs either. Safe to repeat. libostree's own cleanup is not called, since it prints to stdout (2022.7).
   * @throws {GlibError}
   */
  async cleanup(options: { pruneRepo?: boolean; signal?: AbortSignal } = {}): Promise<PruneResult | undefined> {
    using cancel = options.signal && cancellable(options.signal);
    const stop = cancel?.pointer ?? null;
    await checkedAsync((error) => ostree().ostree_sysroot_prepare_cleanup(this.#handle, stop, error));
    if (options.pruneRepo === false) return undefined;
    using repo = this.repo();
    // The deployments have refs of their own by now.
    return await repo.prune({ depth: 0, ...(options.signal && { signal: options.signal }) });
  }

  [Symbol.dispose](): void {
    this.#unlock();
    this.#sysroot[Symbol.dispose]();
  }
}
