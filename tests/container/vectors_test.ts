import { assertEquals, assertStringIncludes } from "@std/assert";
import { libostreeIsAtLeast } from "../../lib/ostree/libostree.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { failure, fsck, refRoots, testStore } from "./harness.ts";

const FIXTURES = new URL("../fixtures/vectors/", import.meta.url).pathname;
const OLD = "ostree-ext-0.15.3/libostree-2022.7/skopeo-1.9.3";
const NEW = "bootc-534c76ea/libostree-2026.4/skopeo-1.22";

interface Recording {
  readonly exit: number;
  readonly fsck?: number;
  readonly root?: [string, string];
  readonly refs?: Record<string, [string, string]>;
}

const recordings: Record<string, Record<string, Recording>> = JSON.parse(
  await Deno.readTextFile(`${FIXTURES}expected.json`),
);

/** Which recording is ours: the one of the libostree at hand, or the one whose result is sound. */
function expected(name: string): Recording {
  const versions = recordings[name]!;
  const own = libostreeIsAtLeast(2024, 3) ? NEW : OLD;
  const sound = name === "not-ostree" || name === "xattr-two" ? NEW : own;
  return versions[sound]!;
}

for (const name of Object.keys(recordings)) {
  for (const mode of ["bare", "bare-user"]) {
    Deno.test(`ImagePull.import() makes of "${name}" in a ${mode} repository what the reference made`, async () => {
      await using store = await testStore(mode);
      await run(plainContext(Deno.env.toObject()), [
        "tar",
        "-x",
        "--zstd",
        `--file=${FIXTURES}${name}.tar.zst`,
        `--directory=${store.path}`,
      ]);
      const wanted = expected(name);
      const pulled = store.pull(`oci:${store.path}/${name}`);
      if (wanted.exit !== 0) {
        assertStringIncludes(
          await failure(pulled),
          `Cannot pull "ostree-unverified-image:oci:${store.path}/${name}": Layer "sha256:`,
        );
        assertEquals(refRoots(store.repo), wanted.refs); // what was finished before stays
      } else {
        await pulled;
        assertEquals(withoutPlace(refRoots(store.repo), name), wanted.refs);
      }
      await fsck(store.repo);
    });
  }
}

/** The image's ref has the path in it that the image was pulled from. */
function withoutPlace(refs: Record<string, [string, string]>, name: string): Record<string, [string, string]> {
  const image = /^ostree\/container\/image\/oci_3A_.*$/;
  const renamed = Object.entries(refs).map(([ref, root]) =>
    [image.test(ref) ? `ostree/container/image/oci_3A_${name}` : ref, root] as const
  );
  return Object.fromEntries(renamed);
}
