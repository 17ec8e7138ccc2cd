import { assert, assertEquals, assertMatch } from "@std/assert";
import { Descriptor } from "../../../lib/sys/descriptor.ts";
import { AT_FDCWD, cstr, O_DIRECTORY, O_RDONLY, openat } from "../../../lib/sys/libc.ts";
import { readXattrsAt } from "../../../lib/sys/libc_xattr.ts";
import { osImage } from "../../os_image.ts";
import { CONTEXTS, tinyPolicy } from "../../tiny_policy.ts";
import { type Bench, bench, canLoop } from "./disk.ts";
import { grubImage } from "./grub_image.ts";
import { oldHost } from "./old_host.ts";

const ignore = !canLoop;

/** An image with a policy, and a GRUB. */
async function labelledImage(b: Bench): Promise<string> {
  const contexts = `${CONTEXTS}/	-d	system_u:object_r:root_t:s0\n/boot(/.*)?	system_u:object_r:boot_t:s0\n`;
  const policy = tinyPolicy({ etc: "etc", contexts }) as Record<string, string>;
  const image = `${b.path}/image`;
  await Deno.mkdir(image);
  osImage(image, await grubImage({ files: policy }));
  return `oci:${image}`;
}

function labelOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  using directory = new Descriptor(openat(AT_FDCWD, cstr(path.slice(0, slash)), O_RDONLY | O_DIRECTORY));
  const found = readXattrsAt(directory.fd, cstr(path.slice(slash + 1))).find(([name]) =>
    new TextDecoder().decode(name) === "security.selinux"
  );
  return found && new TextDecoder().decode(found[1]).replace(/\0$/, "").split(":")[2];
}

async function deploymentOf(root: string): Promise<string> {
  const directory = `${root}/ostree/deploy/default/deploy`;
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name, isDirectory }) => isDirectory ? [name] : []);
  return `${directory}/${names.flat()[0]}`;
}

async function options(root: string): Promise<string> {
  const [entry] = [...Deno.readDirSync(`${root}/boot/loader/entries`)];
  return /^options (.*)$/m.exec(await Deno.readTextFile(`${root}/boot/loader/entries/${entry!.name}`))![1]!;
}

async function aleph(root: string) {
  return JSON.parse(await Deno.readTextFile(`${root}/.bootc-aleph.json`));
}

Deno.test({
  name: "install labels what it writes by the image's policy",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    await Deno.writeTextFile(`${b.path}/keys`, "ssh-ed25519 AAAA admin\n");
    // deno-fmt-ignore
    const { code, stderr } = await b.install(
      "to-existing-root", "--quiet", "--root-ssh-authorized-keys", `${b.path}/keys`, "--source-imgref",
      await labelledImage(b), host.root,
    );
    assertEquals([code, stderr], [0, ""]);
    const etc = `${await deploymentOf(host.root)}/etc`;
    const labels = Object.fromEntries(
      // deno-fmt-ignore
      [
        host.root, `${host.root}/.bootc-aleph.json`, `${host.root}/ostree`, `${host.root}/boot`, `${host.root}/boot/loader`,
        `${host.root}/boot/bootc/grub/grub.cfg`, `${etc}/tmpfiles.d`, `${etc}/tmpfiles.d/bootc-root-ssh.conf`,
      ].map((path) => [path.replace(etc, "etc").replace(host.root, ""), labelOf(path)]),
    );
    assertEquals(labels, {
      "": "root_t",
      "/.bootc-aleph.json": "default_t",
      "/ostree": "usr_t",
      "/boot": "boot_t",
      "/boot/loader": "boot_t",
      "/boot/bootc/grub/grub.cfg": "boot_t",
      "etc/tmpfiles.d": "etc_t",
      "etc/tmpfiles.d/bootc-root-ssh.conf": "etc_t",
    });
    // Another mount is another file system: vfat could hold none.
    assertEquals(labelOf(`${host.esp}/EFI/BOOT/BOOTX64.EFI`), undefined);
    const enabled = await Deno.stat("/sys/fs/selinux/enforce").then(() => true, () => false);
    assertEquals((await aleph(host.root)).selinux, enabled ? "enabled" : "host-disabled");
    assert(!(await options(host.root)).includes("selinux"));
  },
});

Deno.test({
  name: "install --disable-selinux starts the host without, and labels nothing",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const image = await labelledImage(b);
    const words = ["to-existing-root", "--quiet", "--disable-selinux", "--source-imgref", image, host.root];
    const { code, stderr } = await b.install(...words);
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await aleph(host.root)).selinux, "force-target-disabled");
    assertMatch(await options(host.root), / rw selinux=0 /);
    assertEquals(labelOf(`${host.root}/.bootc-aleph.json`), undefined);
  },
});

Deno.test({
  name: "install --disable-selinux does nothing for an image without a policy",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const image = b.image("image", await grubImage());
    const words = ["to-existing-root", "--quiet", "--disable-selinux", "--source-imgref", image, host.root];
    assertEquals((await b.install(...words)).code, 0);
    assertEquals((await aleph(host.root)).selinux, "disabled");
    assert(!(await options(host.root)).includes("selinux"));
  },
});
