/**
 * Every command there is. A line a command: its name, the summary for lists (the same as its spec's), and the file that has it, loaded only
 * when it is run or asked for help.
 */
import type { Program } from "../lib/cli/program.ts";

/** Loads a command that uses libostree, and libostree beside it. */
function withOstree<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  return () => {
    import("../lib/ostree/preload.ts").then(({ preloadOstree }) => preloadOstree());
    return load();
  };
}

export const program: Program = {
  root: {
    summary: "Deploy and update the host from container images",
    description: [
      "A host follows an image. An update is fetched beside the running system, which it does not touch, and entered by the next reboot; " +
      "the deployment before it is kept to go back to.",
    ],
    commands: {
      upgrade: {
        summary: "Fetch the newest image and queue it for the next boot",
        aliases: ["update"],
        load: withOstree(() => import("./upgrade.ts")),
      },
      switch: {
        summary: "Follow another image and queue it for the next boot",
        load: withOstree(() => import("./switch.ts")),
      },
      rollback: { summary: "Boot the previous deployment next", load: withOstree(() => import("./rollback.ts")) },
      edit: { summary: "Change the host's specification in an editor", load: withOstree(() => import("./edit.ts")) },
      status: {
        summary: "Show what the host runs and what it boots next",
        load: withOstree(() => import("./status.ts")),
      },
      "usr-overlay": {
        summary: "Make /usr writable until the next reboot",
        aliases: ["usroverlay"],
        load: withOstree(() => import("./usr_overlay.ts")),
      },
      image: {
        summary: "Look at the images that the host has",
        commands: {
          list: { summary: "List the images that the host has", load: withOstree(() => import("./image/list.ts")) },
        },
      },
      install: {
        summary: "Install an image on a disk or file system",
        commands: {
          "ensure-completion": {
            summary: "Finish an installation that another installer did with ostree",
            load: withOstree(() => import("./install/ensure_completion.ts")),
          },
          finalize: {
            summary: "Bring an installed file system into the state to boot from",
            load: () => import("./install/finalize.ts"),
          },
          "print-configuration": {
            summary: "Print the install configuration as JSON",
            load: () => import("./install/print_configuration.ts"),
          },
          reset: {
            summary: "Stage the host's image as if it were newly installed",
            hidden: true,
            load: withOstree(() => import("./install/reset.ts")),
          },
          "to-disk": {
            summary: "Install an image on a whole disk, which then boots it",
            load: withOstree(() => import("./install/to_disk.ts")),
          },
          "to-existing-root": {
            summary: "Install an image over the system that a root file system has",
            load: withOstree(() => import("./install/to_existing_root.ts")),
          },
          "to-filesystem": {
            summary: "Install an image into an empty file system that is mounted",
            load: withOstree(() => import("./install/to_filesystem.ts")),
          },
        },
      },
      container: {
        summary: "Look at and prepare image roots, inside a container or in a directory",
        commands: {
          export: {
            summary: "Write an image's root as a tar archive",
            load: () => import("./container/export.ts"),
          },
          inspect: {
            summary: "Show the kernel and the kernel arguments of a root file system",
            load: () => import("./container/inspect.ts"),
          },
          lint: {
            summary: "Check a root file system for what goes wrong in a bootable image",
            load: () => import("./container/lint.ts"),
          },
          "split-kernel-and-rootfs": {
            summary: "Move kernel and initramfs out of an image's root",
            load: () => import("./container/split_kernel_and_rootfs.ts"),
          },
        },
      },
      completion: {
        summary: "Print the script that completes command lines in a shell",
        load: () => import("./completion.ts"),
      },
      internals: {
        summary: "Commands for other programs",
        hidden: true,
        commands: {
          "bootc-install-completion": {
            summary: "Add what an image asks for to the boot entry of its first deployment",
            load: withOstree(() => import("./internals/bootc_install_completion.ts")),
          },
          "destructive-cleanup": {
            summary: "Remove the system that this one was installed beside",
            load: () => import("./internals/destructive_cleanup.ts"),
          },
          "fixup-etc-fstab": {
            summary: "Mount / read-only in /etc/fstab",
            load: () => import("./internals/fixup_etc_fstab.ts"),
          },
          "ostree-container": {
            summary: "Work with container images in ostree repositories",
            description: ["The same as `ostree container`, which runs this program by the name ostree-container."],
            commands: {
              unencapsulate: {
                summary: "Import the ostree commit that an image carries",
                aliases: ["import"],
                load: withOstree(() => import("./ostree_container/unencapsulate.ts")),
              },
              info: {
                summary: "Show the digest that an image has at its registry",
                load: () => import("./ostree_container/info.ts"),
              },
              compare: {
                summary: "Compare the layers of two images",
                load: () => import("./ostree_container/compare.ts"),
              },
              image: {
                summary: "Pull, look at, copy, deploy and remove images",
                commands: {
                  list: {
                    summary: "List the images of a repository",
                    load: withOstree(() => import("./ostree_container/image/list.ts")),
                  },
                  pull: {
                    summary: "Pull an image into a repository, or update it there",
                    load: withOstree(() => import("./ostree_container/image/pull.ts")),
                  },
                  history: {
                    summary: "Show the layers of a stored image and how they were made",
                    load: withOstree(() => import("./ostree_container/image/history.ts")),
                  },
                  metadata: {
                    summary: "Print the manifest of a stored image, or its configuration",
                    load: withOstree(() => import("./ostree_container/image/metadata.ts")),
                  },
                  copy: {
                    summary: "Copy a stored image from one repository to another",
                    load: withOstree(() => import("./ostree_container/image/copy.ts")),
                  },
                  remove: {
                    summary: "Remove stored images and the layers that none needs any more",
                    load: withOstree(() => import("./ostree_container/image/remove.ts")),
                  },
                  "prune-layers": {
                    summary: "Remove the layers that no image or deployment needs",
                    load: withOstree(() => import("./ostree_container/image/prune_layers.ts")),
                  },
                  "prune-images": {
                    summary: "Remove the stored images that no deployment follows",
                    load: withOstree(() => import("./ostree_container/image/prune_images.ts")),
                  },
                  deploy: {
                    summary: "Deploy an image into a system root, also as the first one",
                    load: withOstree(() => import("./ostree_container/image/deploy.ts")),
                  },
                  "clear-cached-update": {
                    summary: "Forget the update that the last look at the registry found",
                    load: withOstree(() => import("./ostree_container/image/clear_cached_update.ts")),
                  },
                },
              },
            },
          },
          "print-json-schema": {
            summary: "Print the JSON schema of a format that this program writes",
            load: () => import("./internals/print_json_schema.ts"),
          },
          "publish-rhsm-facts": {
            summary: "Tell the subscription manager which images the host has",
            load: withOstree(() => import("./internals/publish_rhsm_facts.ts")),
          },
          "systemd-generator": {
            summary: "Enable units for this boot, for systemd",
            forgiving: true,
            load: () => import("./internals/systemd_generator.ts"),
          },
        },
      },
    },
  },
  callNames: {
    // libostree runs /usr/libexec/libostree/ext/ostree-container for `ostree container ...`.
    "ostree-container": { words: ["internals", "ostree-container"], shown: "ostree container", repeats: "container" },
    "bootc-systemd-generator": { words: ["internals", "systemd-generator"], shown: "bootc-systemd-generator" },
  },
};
