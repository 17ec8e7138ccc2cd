/** Another process for `sysroot_test.ts`: takes the lock of the system root given, says so, and deploys "os" when its stdin ends. */
import { Origin } from "../../lib/ostree/origin.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";
import { plainContext } from "../../lib/sys/context.ts";

using sysroot = Sysroot.open(Deno.args[0]!);
using _lock = await sysroot.lock(plainContext({}));
await Deno.stdout.write(new TextEncoder().encode("locked\n"));
await Deno.stdin.read(new Uint8Array(1));
using repo = sysroot.repo();
const checksum = repo.resolve("os")!;
await sysroot.deployTree({ stateroot: "default", checksum, origin: Origin.parse(""), kernelArguments: ["rw"] });
