/** What the image installs that runs as a container: `podman run --privileged --pid=host IMAGE bootc install ...`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bench, canLoop } from "./disk.ts";
import { grubImage } from "./grub_image.ts";
import { contents, oldHost } from "./old_host.ts";
import { canRunContainers, podman } from "./podman.ts";

const ignore = !canLoop || !await canRunContainers();
const NAME = "localhost/os:1";

/** The names that are in a directory of entries, read. */
async function kernelArguments(root: string): Promise<string> {
  const [entry] = [...Deno.readDirSync(`${root}/boot/loader/entries`)];
  return /^options (.*) ostree=/m.exec(await Deno.readTextFile(`${root}/boot/loader/entries/${entry!.name}`))![1]!;
}

Deno.test({
  name: "a container installs its image over the root that it was given, and the host follows the registry (I4, I8)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const engine = await podman(`${b.path}/podman`);
    await engine.load(b.image("image", await grubImage()), NAME);
    const options = ["--pid=host", "--volume", `${host.root}:/target`];
    const { code, stdout, stderr } = await engine.bootc(NAME, options, ["install", "to-existing-root", "--quiet"]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^Installed: ostree-unverified-image:containers-storage:localhost\/os:1 on \/target$/m);
    assertMatch(stdout, /^ {2}Follows: ostree-unverified-registry:localhost\/os:1$/m);
    const [origin] = Object.entries(await contents(`${host.root}/ostree/deploy/default/deploy`))
      .filter(([name]) => name.endsWith(".origin"));
    assertEquals(origin![1], "[origin]\ncontainer-image-reference=ostree-unverified-registry:localhost/os:1\n");
    assertMatch(await kernelArguments(host.root), /^root=UUID=[0-9a-f-]{36} rw$/);
    assertEquals(await Deno.readTextFile(`${host.root}/home/me/letter`), "dear\n");
    assertMatch(await Deno.readTextFile(`${host.esp}/EFI/BOOT/BOOTX64.EFI`), /^search --no-floppy --fs-uuid/);
    // What skopeo put there on the way is gone.
    assertEquals(
      [...Deno.readDirSync(`${host.root}/ostree/repo/tmp`)].map(({ name }) => name).filter((name) =>
        /^container/.test(name)
      ),
      [],
    );
  },
});

Deno.test({
  name: "a container installs its image on a disk in a file (I1)",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const engine = await podman(`${b.path}/podman`);
    await engine.load(b.image("image", await grubImage()), NAME);
    const words = ["install", "to-disk", "--quiet", "--via-loopback", "--filesystem", "ext4", "/work/disk.img"];
    const { code, stdout, stderr } = await engine.bootc(NAME, ["--pid=host", "--volume", `${b.path}:/work`], words);
    assertEquals(code, 0, stderr);
    assert(stdout.endsWith("  Stateroot: default\n  Boot loader: grub-syslinux\n"), stdout);
    assert((await Deno.stat(disk)).blocks! > 0);
  },
});

Deno.test({
  name: "a container with processes of its own installs over nothing (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const before = await contents(host.root);
    const engine = await podman(`${b.path}/podman`);
    await engine.load(b.image("image", await grubImage()), NAME);
    const options = ["--volume", `${host.root}:/target`];
    const { code, stderr } = await engine.bootc(NAME, options, ["install", "to-existing-root"]);
    assertEquals([code, stderr], [1, "error: This command must be run with the podman --pid=host flag\n"]);
    assertEquals(await contents(host.root), before);
  },
});

Deno.test({
  name: "a container says what to give it where it has no root (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    const engine = await podman(`${b.path}/podman`);
    await engine.load(b.image("image", await grubImage()), NAME);
    const { code, stderr } = await engine.bootc(NAME, ["--pid=host"], ["install", "to-existing-root"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Cannot install into "\/target": .*\nhint: Give the host's root to the container: podman run -v \/:\/target/,
    );
  },
});
