/**
 * `deno task demo:vm`: a disk made from an image, booted in a virtual machine, which updates itself from a registry, reboots, and goes
 * back; with the machine's screen as text. Everything is gone at the end, also after ^C; the images and the emulator stay in the cache.
 */
import { UserError } from "../lib/sys/errors.ts";
import { shellWords } from "../lib/sys/run.ts";
import { requireMounts } from "./demo/chroot.ts";
import { Narrator } from "./demo/narrator.ts";
import { script } from "./script.ts";
import { installArgv } from "./vm/disk.ts";
import { Machine } from "./vm/machine.ts";
import type { Firmware } from "./vm/machine_argv.ts";
import { startSite } from "./vm/system.ts";

const spec = {
  summary: "Show a host's life from the disk on, in a virtual machine",
  positionals: [],
  flags: { uefi: { help: "Boot by UEFI; by BIOS when not given" } },
} as const;

/** Lines of a screen that tell of a boot: the loader's, the kernel's first, and what systemd reached. */
const TELLING = /GNU GRUB|Linux version|Command line|ostree-prepare-root|OK .*Reached target|reboot: /;
/** The kernel says much more at its start than a reader wants. */
const MOST_LINES = 24;

await script(spec, async (ctx, { uefi }) => {
  if (Deno.build.arch !== "x86_64") throw new UserError("The virtual machine of this demo is one for x86-64");
  if (Deno.uid() !== 0) throw new UserError("The demo makes file systems, for which it has to be root");
  await requireMounts(ctx);
  const narrator = new Narrator(ctx, []);
  const firmware: Firmware = uefi ? "uefi" : "bios";
  console.log(`bootc on Deno: a host from its disk on, in a virtual machine with ${firmware.toUpperCase()}`);

  narrator.heading("A disk, from an image with this program in it");
  await using site = await startSite(ctx, (line) => narrator.say(line));
  const [, ...installWords] = installArgv({ disk: "disk.img", image: "os:v1", follow: site.followed });
  narrator.say(`$ bootc ${shellWords(["install", ...installWords.slice(installWords.indexOf("install") + 1)])}`);
  narrator.say(`The host will follow ${site.followed}, a registry on this machine`);

  narrator.heading("It boots");
  let shown = 0;
  await using machine = await Machine.start(ctx, { disk: site.disk, firmware, snapshot: true });
  const screen = () => {
    const lines = machine.screen().split("\n");
    const telling = lines.slice(shown).filter((line) => TELLING.test(line)).slice(0, MOST_LINES);
    shown = lines.length;
    for (const line of telling) narrator.say(`> ${line.trimEnd().slice(0, 130)}`);
  };
  const guest = async (command: string) => {
    narrator.say(`machine# ${command}`);
    for (const line of (await machine.must(command)).split("\n")) narrator.say(`| ${line}`);
  };
  const look = async () => {
    screen();
    await guest("cat /usr/lib/vm-version /proc/cmdline");
    await guest("bootc status --format=humanreadable");
    await guest("ostree admin status");
  };
  await look();

  narrator.heading("The registry gets a second version, and the machine upgrades itself");
  await site.publish(`oci:${site.images.layout}:v2`);
  await guest("echo 'kept in /etc' > /etc/vm-mine; echo 'kept in /var' > /var/lib/vm-mine");
  await guest("bootc upgrade --quiet");
  await guest("ostree admin status");

  narrator.heading("The reboot is into the second version");
  narrator.say(`${(await machine.reboot()).toFixed(1)} s from "systemctl reboot" to an answer`);
  await look();
  await guest("cat /etc/vm-mine /var/lib/vm-mine");

  narrator.heading("And back");
  await guest("bootc rollback");
  await machine.reboot();
  await look();
  await guest("ostree fsck --quiet 2> /dev/null && echo every object is whole");
  await machine.powerOff();
  console.log(`\nDone in ${narrator.elapsed()}; everything is removed but the images and the emulator in the cache.`);
});
