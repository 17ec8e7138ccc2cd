/** What `upgrade`, `switch` and `edit` warn of before an update is queued, in the chroot that looks booted. */
import { assertEquals } from "@std/assert";
import { mayMount } from "../may_mount.ts";
import { osImage } from "../os_image.ts";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { bootc } from "./bootc.ts";
import { IMAGES, TestHost } from "./test_host.ts";

const ignore = !await mayMount();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);
const ROOT = "root:x:0:0:root:/root:/bin/sh\n";
const web = (uid: number) => ({ "etc/passwd": `${ROOT}web:x:${uid}:${uid}::/var/lib/web:/bin/sh\n` });
/** The lines of advice among others. */
const advice = (stderr: string) => stderr.split("\n").filter((line) => /^(?:warning|hint): /.test(line));

const DRIFT = [
  'warning: The update changes the uid of user "web" from 980 to 990, and 2 files in /var keep 980: /var/lib/web, /var/lib/web/db',
  "hint: When it runs: find /var -xdev -uid 980 -exec chown --no-dereference 990 {} +",
];

test("bootc upgrade, switch and edit warn of a user whose files in /var keep the old uid, before they stage (F2)", async () => {
  await using host = await TestHost.following({ files: web(980) });
  await host.system.write("/var/lib/web/db", "rows\n");
  await host.system.run(["chown", "-R", "980", "/var/lib/web"]);
  host.image({ version: "2", files: web(990) });
  const upgraded = await host.bootc("upgrade");
  assertEquals([upgraded.code, advice(upgraded.stderr)], [0, DRIFT]);
  const again = await host.bootc("upgrade");
  assertEquals([again.code, advice(again.stderr)], [0, []]);

  host.image({ version: "3", files: web(990) }, "other");
  const switched = await host.bootc("switch", "--transport", "oci", `${IMAGES}/other`);
  assertEquals([switched.code, advice(switched.stderr)], [0, DRIFT]);

  const document = (await host.bootc("status", "--format=yaml")).stdout;
  await host.system.write("/tmp/host.yaml", document.replace(`image: ${IMAGES}/other`, `image: ${IMAGES}/os`));
  const edited = await host.bootc("edit", "-f", "/tmp/host.yaml");
  assertEquals([edited.code, advice(edited.stderr)], [0, DRIFT]);

  await host.system.reboot();
  assertEquals(await host.system.text("stat", "-c", "%u", "/var/lib/web/db"), "980\n");
  assertEquals(await host.system.read("/etc/passwd"), web(990)["etc/passwd"]);
});

test("bootc upgrade knows that a changed /etc/passwd stays (F2)", async () => {
  await using host = await TestHost.following({ files: web(980) });
  await host.system.write("/var/lib/web", "");
  await host.system.run(["chown", "980", "/var/lib/web"]);
  await host.system.run(["sh", "-c", "echo me:x:1000:1000::/:/bin/sh >> /etc/passwd"]);
  host.image({ version: "2", files: web(990) });
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals([code, advice(stderr)], [0, [
    'warning: The update expects uid 990 for user "web", and this host keeps 980, since its /etc/passwd was changed here: ' +
    "what the image gives to 990 in /usr is not theirs",
  ]]);
});

test("bootc upgrade warns of content in /var that the host will not see, once (F1)", async () => {
  await using host = await TestHost.following({ files: { "var/lib/old/1": "" } });
  await host.system.write("/var/lib/known/1", "");
  host.image({
    version: "2",
    files: {
      "var/lib/old/1": "",
      "var/lib/known/1": "",
      "var/lib/new/1": "",
      "var/lib/made/1": "",
      "usr/lib/tmpfiles.d/made.conf": "C /var/lib/made - - - - /usr/share/made\n",
    },
  });
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals([code, advice(stderr)], [0, [
    "warning: The update has new content in /var that this host will not see: /var/lib/new",
    "hint: An image's /var is copied at the first deployment alone; let the image's tmpfiles.d make it, or make it here",
  ]]);
  assertEquals(advice((await host.bootc("upgrade")).stderr), []);
  await host.system.reboot();
  assertEquals(await host.system.read("/var/lib/new/1"), undefined);
  const later = await host.bootc("upgrade");
  assertEquals([later.code, advice(later.stderr)], [0, []]);
});

Deno.test("bootc upgrade --sysroot looks at that system's /var and /etc (F1, F2)", { ignore }, async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const image = `${images.path}/os`;
  osImage(image, { version: "1", files: web(980) });
  assertEquals((await bootc("switch", "--sysroot", root.path, "--transport", "oci", image)).code, 0);
  const own = `${root.path}/ostree/deploy/default/var/lib/web`;
  await Deno.mkdir(own, { recursive: true });
  await Deno.chown(own, 980, 0);
  osImage(image, { version: "2", files: { ...web(990), "var/lib/new/1": "" } });
  const { code, stderr } = await bootc("upgrade", "--sysroot", root.path);
  assertEquals([code, advice(stderr)], [0, [
    'warning: The update changes the uid of user "web" from 980 to 990, and 1 file in /var keeps 980: /var/lib/web',
    DRIFT[1]!,
    "warning: The update has new content in /var that this host will not see: /var/lib/new",
    "hint: An image's /var is copied at the first deployment alone; let the image's tmpfiles.d make it, or make it here",
  ]]);
});

test("bootc upgrade goes on where an account file cannot be read (F2)", async () => {
  await using host = await TestHost.following({ files: web(980) });
  await host.system.run(["truncate", "--size=5M", "/etc/passwd"]);
  host.image({ version: "2", files: web(990) });
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals([code, advice(stderr)], [0, [
    "warning: Cannot tell all that the update changes for /var: File /etc/passwd has 5242880 bytes, more than the 4194304 expected",
  ]]);
});
