/** A running host for tests of whole commands: the chroot that looks booted, and images beside it. */
import { Booted, type BootedOutput } from "../booted.ts";
import { type OsImage, osImage } from "../os_image.ts";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";

/** Where the images are seen inside. */
export const IMAGES = "/run/host/images";
/** What {@linkcode TestHost.following} follows. */
export const FOLLOWED = `oci:${IMAGES}/os`;

/** A running host with a plain ostree deployment, and a directory of images beside it. */
export class TestHost implements AsyncDisposable {
  private constructor(readonly system: Booted, readonly images: string, readonly stack: AsyncDisposableStack) {}

  /** A host that follows no image. */
  static async boot(): Promise<TestHost> {
    await using stack = new AsyncDisposableStack();
    const root = stack.use(await sysrootDirectory());
    const images = stack.use(await tempDir());
    const sysroot = await makeSysroot(root.path);
    await makeOsCommit(sysroot.repo);
    await deployWithOstree(sysroot, { kernelArguments: ["root=LABEL=root", "quiet"] });
    const system = stack.use(await Booted.boot(sysroot, { mounts: { [IMAGES]: images.path }, readOnlySysroot: true }));
    return new TestHost(system, images.path, stack.move());
  }

  /** A host that runs version 1 of `oci:IMAGES/os`. */
  static async following(image: OsImage = {}): Promise<TestHost> {
    const host = await TestHost.boot();
    host.image({ version: "1", ...image });
    const { code, stderr } = await host.bootc("switch", "--transport", "oci", `${IMAGES}/os`);
    if (code !== 0) throw new Error(stderr);
    await host.system.reboot();
    return host;
  }

  /** Writes an image beside the host, by default the one that it follows. */
  image(image: OsImage, name = "os") {
    return osImage(`${this.images}/${name}`, image);
  }

  /** Runs `bootc ARGS...` on it. */
  bootc(...args: string[]): Promise<BootedOutput> {
    return this.system.bootc(args);
  }

  /** The status document. */
  async status() {
    return JSON.parse((await this.bootc("status", "--json")).stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
  }
}
