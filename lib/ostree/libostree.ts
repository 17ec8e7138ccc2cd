/**
 * libostree 2022.7 and newer: its functions with their C prototypes, opened on first use. Private to lib/ostree.
 *
 * A gboolean is an `i32`. Where a function runs on a pool thread (`nonblocking`), errno means nothing and its buffers must be its own.
 * "Ours" stands where the caller must give a result up.
 */
import { openLibrary } from "./glib.ts";

const symbols = {
  /** gboolean ostree_check_version(guint required_year, guint required_release) */
  ostree_check_version: { parameters: ["u32", "u32"], result: "i32" },
  // ---- repository (ostree-repo.h)
  /** OstreeRepo *ostree_repo_open_at(int dfd, const char *path, GCancellable *cancellable, GError **error); ours */
  ostree_repo_open_at: { parameters: ["i32", "buffer", "pointer", "buffer"], result: "pointer" },
  /** OstreeRepoMode ostree_repo_get_mode(OstreeRepo *self) */
  ostree_repo_get_mode: { parameters: ["pointer"], result: "i32" },
  /** int ostree_repo_get_dfd(OstreeRepo *self); borrowed */
  ostree_repo_get_dfd: { parameters: ["pointer"], result: "i32" },
  /** OstreeRepo *ostree_repo_get_parent(OstreeRepo *self); borrowed */
  ostree_repo_get_parent: { parameters: ["pointer"], result: "pointer" },
  /** GKeyFile *ostree_repo_get_config(OstreeRepo *self); borrowed */
  ostree_repo_get_config: { parameters: ["pointer"], result: "pointer" },
  /** gboolean ostree_repo_get_min_free_space_bytes(OstreeRepo *self, guint64 *out_reserved_bytes, GError **error) */
  ostree_repo_get_min_free_space_bytes: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_prepare_transaction(OstreeRepo *self, gboolean *out_resume, GCancellable *, GError **error) */
  ostree_repo_prepare_transaction: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_commit_transaction(OstreeRepo *self, OstreeRepoTransactionStats *out, GCancellable *, GError **error) */
  ostree_repo_commit_transaction: {
    parameters: ["pointer", "buffer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_repo_abort_transaction(OstreeRepo *self, GCancellable *, GError **error) */
  ostree_repo_abort_transaction: { parameters: ["pointer", "pointer", "buffer"], result: "i32" },
  /** void ostree_repo_transaction_set_ref(OstreeRepo *self, const char *remote, const char *ref, const char *checksum) */
  ostree_repo_transaction_set_ref: { parameters: ["pointer", "buffer", "buffer", "buffer"], result: "void" },
  /** gboolean ostree_repo_set_ref_immediate(OstreeRepo *self, remote, ref, checksum, GCancellable *, GError **error) */
  ostree_repo_set_ref_immediate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_resolve_rev(OstreeRepo *self, const char *refspec, gboolean allow_noent, char **out_rev, GError **) */
  ostree_repo_resolve_rev: { parameters: ["pointer", "buffer", "i32", "buffer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_list_refs_ext(OstreeRepo *self, prefix, GHashTable **out, flags, GCancellable *, GError **); ours */
  ostree_repo_list_refs_ext: {
    parameters: ["pointer", "buffer", "buffer", "u32", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_mark_commit_partial(OstreeRepo *self, const char *checksum, gboolean is_partial, GError **error) */
  ostree_repo_mark_commit_partial: { parameters: ["pointer", "buffer", "i32", "buffer"], result: "i32" },
  /** gboolean ostree_repo_load_commit(OstreeRepo *self, checksum, GVariant **out, OstreeRepoCommitState *state, GError **) */
  ostree_repo_load_commit: { parameters: ["pointer", "buffer", "buffer", "buffer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_has_object(OstreeRepo *self, type, checksum, gboolean *out, GCancellable *, GError **error) */
  ostree_repo_has_object: {
    parameters: ["pointer", "i32", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_load_file(self, checksum, GInputStream **, GFileInfo **, GVariant **xattrs, GCancellable *, GError **); ours */
  ostree_repo_load_file: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_load_variant(OstreeRepo *self, type, const char *sha256, GVariant **out, GError **error); ours */
  ostree_repo_load_variant: { parameters: ["pointer", "i32", "buffer", "buffer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_write_metadata(OstreeRepo *self, type, expected, GVariant *, guchar **csum, GCancellable *, GError **) */
  ostree_repo_write_metadata: {
    parameters: ["pointer", "i32", "buffer", "pointer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_write_content_trusted(OstreeRepo *self, checksum, GInputStream *, guint64 length, GCancellable *, GError **) */
  ostree_repo_write_content_trusted: {
    parameters: ["pointer", "buffer", "pointer", "u64", "pointer", "buffer"],
    result: "i32",
  },
  /** OstreeContentWriter *ostree_repo_write_regfile(self, expected, uid, gid, mode, guint64 len, GVariant *xattrs, GError **); ours */
  ostree_repo_write_regfile: {
    parameters: ["pointer", "buffer", "u32", "u32", "u32", "u64", "pointer", "buffer"],
    result: "pointer",
  },
  /** char *ostree_content_writer_finish(OstreeContentWriter *self, GCancellable *, GError **error); ours */
  ostree_content_writer_finish: { parameters: ["pointer", "pointer", "buffer"], result: "pointer" },
  /** char *ostree_repo_write_symlink(self, expected, uid, gid, GVariant *xattrs, target, GCancellable *, GError **error); ours */
  ostree_repo_write_symlink: {
    parameters: ["pointer", "buffer", "u32", "u32", "pointer", "buffer", "pointer", "buffer"],
    result: "pointer",
  },
  /** gboolean ostree_repo_read_commit_detached_metadata(self, checksum, GVariant **out, GCancellable *, GError **error); ours */
  ostree_repo_read_commit_detached_metadata: {
    parameters: ["pointer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_write_commit_detached_metadata(self, checksum, GVariant *metadata, GCancellable *, GError **error) */
  ostree_repo_write_commit_detached_metadata: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_repo_lock_push(OstreeRepo *self, OstreeRepoLockType lock_type, GCancellable *, GError **error); since 2021.3 */
  ostree_repo_lock_push: { parameters: ["pointer", "i32", "pointer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_lock_pop(OstreeRepo *self, OstreeRepoLockType lock_type, GCancellable *, GError **error); since 2021.3 */
  ostree_repo_lock_pop: { parameters: ["pointer", "i32", "pointer", "buffer"], result: "i32" },
  /** gboolean ostree_repo_prune(self, flags, gint depth, gint *total, gint *pruned, guint64 *size, GCancellable *, GError **error) */
  ostree_repo_prune: {
    parameters: ["pointer", "u32", "i32", "buffer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_repo_pull_with_options(self, remote_or_url, GVariant *options, progress, GCancellable *, GError **error) */
  ostree_repo_pull_with_options: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },

  // ---- SELinux policy (ostree-sepolicy.h)
  /** OstreeSePolicy *ostree_sepolicy_new_at(int rootfs_dfd, GCancellable *, GError **error); ours */
  ostree_sepolicy_new_at: { parameters: ["i32", "pointer", "buffer"], result: "pointer" },
  /** OstreeSePolicy *ostree_sepolicy_new_from_commit(OstreeRepo *repo, const char *rev, GCancellable *, GError **error); ours */
  ostree_sepolicy_new_from_commit: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "pointer" },
  /** const char *ostree_sepolicy_get_name(OstreeSePolicy *self); borrowed, NULL without a policy */
  ostree_sepolicy_get_name: { parameters: ["pointer"], result: "pointer" },
  /** const char *ostree_sepolicy_get_csum(OstreeSePolicy *self); borrowed */
  ostree_sepolicy_get_csum: { parameters: ["pointer"], result: "pointer" },
  /** gboolean ostree_sepolicy_get_label(self, relpath, guint32 unix_mode, char **out_label, GCancellable *, GError **error); ours */
  ostree_sepolicy_get_label: {
    parameters: ["pointer", "buffer", "u32", "buffer", "pointer", "buffer"],
    result: "i32",
  },

  // ---- system root (ostree-sysroot.h)
  /** OstreeSysroot *ostree_sysroot_new(GFile *path); ours */
  ostree_sysroot_new: { parameters: ["pointer"], result: "pointer" },
  /** void ostree_sysroot_set_mount_namespace_in_use(OstreeSysroot *self) */
  ostree_sysroot_set_mount_namespace_in_use: { parameters: ["pointer"], result: "void" },
  /** gboolean ostree_sysroot_load(OstreeSysroot *self, GCancellable *, GError **error) */
  ostree_sysroot_load: { parameters: ["pointer", "pointer", "buffer"], result: "i32" },
  /** gboolean ostree_sysroot_load_if_changed(OstreeSysroot *self, gboolean *out_changed, GCancellable *, GError **error) */
  ostree_sysroot_load_if_changed: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  /** OstreeRepo *ostree_sysroot_repo(OstreeSysroot *self); borrowed */
  ostree_sysroot_repo: { parameters: ["pointer"], result: "pointer" },
  /** gboolean ostree_sysroot_try_lock(OstreeSysroot *self, gboolean *out_acquired, GError **error) */
  ostree_sysroot_try_lock: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  /** void ostree_sysroot_unlock(OstreeSysroot *self) */
  ostree_sysroot_unlock: { parameters: ["pointer"], result: "void" },
  /** gboolean ostree_sysroot_init_osname(OstreeSysroot *self, const char *osname, GCancellable *, GError **error) */
  ostree_sysroot_init_osname: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  /** GPtrArray *ostree_sysroot_get_deployments(OstreeSysroot *self); a copy that holds references, ours */
  ostree_sysroot_get_deployments: { parameters: ["pointer"], result: "pointer" },
  /** OstreeDeployment *ostree_sysroot_get_booted_deployment(OstreeSysroot *self); borrowed */
  ostree_sysroot_get_booted_deployment: { parameters: ["pointer"], result: "pointer" },
  /** char *ostree_sysroot_get_deployment_dirpath(OstreeSysroot *self, OstreeDeployment *deployment); relative, ours */
  ostree_sysroot_get_deployment_dirpath: { parameters: ["pointer", "pointer"], result: "pointer" },
  /** gboolean ostree_sysroot_deploy_tree(self, osname, revision, GKeyFile *origin, merge, char **kargs, OstreeDeployment **out, ...); ours */
  ostree_sysroot_deploy_tree: {
    parameters: ["pointer", "buffer", "buffer", "pointer", "pointer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_sysroot_stage_tree_with_options(self, osname, revision, origin, merge, OstreeSysrootDeployTreeOpts *, out, ...); ours */
  ostree_sysroot_stage_tree_with_options: {
    parameters: ["pointer", "buffer", "buffer", "pointer", "pointer", "buffer", "buffer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_sysroot_simple_write_deployment(self, osname, new, merge, flags, GCancellable *, GError **error) */
  ostree_sysroot_simple_write_deployment: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "u32", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_sysroot_write_deployments_with_options(self, GPtrArray *, OstreeSysrootWriteDeploymentsOpts *, GCancellable *, GError **) */
  ostree_sysroot_write_deployments_with_options: {
    parameters: ["pointer", "pointer", "buffer", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** gboolean ostree_sysroot_deployment_set_pinned(OstreeSysroot *self, OstreeDeployment *, gboolean is_pinned, GError **error) */
  ostree_sysroot_deployment_set_pinned: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  /** gboolean ostree_sysroot_deployment_set_kargs_in_place(self, deployment, char *kargs_str, GCancellable *, GError **error) */
  ostree_sysroot_deployment_set_kargs_in_place: {
    parameters: ["pointer", "pointer", "buffer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_sysroot_write_origin_file(self, deployment, GKeyFile *new_origin, GCancellable *, GError **error) */
  ostree_sysroot_write_origin_file: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "buffer"],
    result: "i32",
  },
  /** gboolean ostree_sysroot_prepare_cleanup(OstreeSysroot *self, GCancellable *, GError **error) */
  ostree_sysroot_prepare_cleanup: { parameters: ["pointer", "pointer", "buffer"], result: "i32", nonblocking: true },
  /** gboolean ostree_sysroot_change_finalization(OstreeSysroot *self, OstreeDeployment *, GError **error); since 2023.8 */
  ostree_sysroot_change_finalization: { parameters: ["pointer", "pointer", "buffer"], result: "i32", optional: true },

  /** gboolean ostree_sysroot_deployment_can_soft_reboot(OstreeSysroot *self, OstreeDeployment *); since 2025.3 */
  ostree_sysroot_deployment_can_soft_reboot: { parameters: ["pointer", "pointer"], result: "i32", optional: true },
  /**
   * gboolean ostree_sysroot_deployment_set_soft_reboot(OstreeSysroot *self, OstreeDeployment *, gboolean allow_kernel_skew, GCancellable *,
   * GError **error); since 2025.3
   */
  ostree_sysroot_deployment_set_soft_reboot: {
    parameters: ["pointer", "pointer", "i32", "pointer", "buffer"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },

  // ---- deployment (ostree-deployment.h, ostree-bootconfig-parser.h); texts are borrowed
  /** const char *ostree_deployment_get_osname(OstreeDeployment *self) */
  ostree_deployment_get_osname: { parameters: ["pointer"], result: "pointer" },
  /** const char *ostree_deployment_get_csum(OstreeDeployment *self) */
  ostree_deployment_get_csum: { parameters: ["pointer"], result: "pointer" },
  /** int ostree_deployment_get_deployserial(OstreeDeployment *self) */
  ostree_deployment_get_deployserial: { parameters: ["pointer"], result: "i32" },
  /** const char *ostree_deployment_get_bootcsum(OstreeDeployment *self); NULL while staged */
  ostree_deployment_get_bootcsum: { parameters: ["pointer"], result: "pointer" },
  /** OstreeBootconfigParser *ostree_deployment_get_bootconfig(OstreeDeployment *self); borrowed */
  ostree_deployment_get_bootconfig: { parameters: ["pointer"], result: "pointer" },
  /** const char *ostree_bootconfig_parser_get(OstreeBootconfigParser *self, const char *key) */
  ostree_bootconfig_parser_get: { parameters: ["pointer", "buffer"], result: "pointer" },
  /** GKeyFile *ostree_deployment_get_origin(OstreeDeployment *self); borrowed */
  ostree_deployment_get_origin: { parameters: ["pointer"], result: "pointer" },
  /** gboolean ostree_deployment_is_pinned(OstreeDeployment *self) */
  ostree_deployment_is_pinned: { parameters: ["pointer"], result: "i32" },
  /** gboolean ostree_deployment_is_staged(OstreeDeployment *self) */
  ostree_deployment_is_staged: { parameters: ["pointer"], result: "i32" },
  /** gboolean ostree_deployment_is_finalization_locked(OstreeDeployment *self); since 2023.8 */
  ostree_deployment_is_finalization_locked: { parameters: ["pointer"], result: "i32", optional: true },
  /** OstreeDeploymentUnlockedState ostree_deployment_get_unlocked(OstreeDeployment *self) */
  ostree_deployment_get_unlocked: { parameters: ["pointer"], result: "i32" },
} as const;

type Symbols = Deno.DynamicLibrary<typeof symbols>["symbols"];
let library: Symbols | undefined;

/**
 * libostree's functions. The first call loads the library (10 to 27 ms), so that commands without it never pay.
 * @throws {UserError} when it is not installed
 */
export function ostree(): Symbols {
  return library ??= openLibrary("libostree-1.so.1", symbols);
}

/** Whether libostree is this release or a later one. */
export function libostreeIsAtLeast(year: number, release: number): boolean {
  return ostree().ostree_check_version(year, release) !== 0;
}
