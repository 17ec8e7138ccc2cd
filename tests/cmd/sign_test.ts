import { assertEquals, assertStringIncludes } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { hasProgram } from "../has_program.ts";
import { osImage } from "../os_image.ts";
import { startRegistry, type TestRegistry } from "../registry.ts";
import { makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { bootcWith } from "./bootc.ts";

/** Writes the configuration of docs/sign.md, with two keys, of which the policy takes the first. */
async function signer(directory: string, registry: TestRegistry) {
  const home = registry.env["HOME"]!;
  const ctx = plainContext({ ...registry.env, GNUPGHOME: `${directory}/gpg` });
  await Deno.mkdir(`${directory}/gpg`, { mode: 0o700 });
  for (const who of ["release", "other"]) {
    // deno-fmt-ignore
    await run(ctx, [
      "gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback",
      "--quick-generate-key", `${who}@example.com`, "ed25519", "sign", "never",
    ]);
  }
  await run(ctx, ["gpg", "--batch", "--quiet", "--output", `${directory}/key.gpg`, "--export", "release@example.com"]);
  const lookaside = `file://${directory}/lookaside`;
  const places = { docker: { [registry.address]: { lookaside, "lookaside-staging": lookaside } } };
  await Deno.mkdir(`${home}/.config/containers/registries.d`);
  await Deno.writeTextFile(`${home}/.config/containers/registries.d/os.yaml`, JSON.stringify(places));
  const rule = { type: "signedBy", keyType: "GPGKeys", keyPath: `${directory}/key.gpg` };
  const policy = {
    default: [{ type: "reject" }],
    transports: { docker: { [`${registry.address}/os`]: [rule] } },
  };
  await Deno.writeTextFile(`${directory}/policy.json`, JSON.stringify(policy));
  /** Pushes an image of its own as `os:TAG`, signed by a key or by none. */
  const push = async (tag: string, who?: string) => {
    osImage(`${directory}/${tag}`, { files: { "usr/share/tag": tag } });
    const sign = who === undefined ? [] : ["--sign-by", `${who}@example.com`];
    const image = `docker://${registry.address}/os:${tag}`;
    await run(ctx, ["skopeo", "--insecure-policy", "copy", "--quiet", ...sign, `oci:${directory}/${tag}`, image]);
  };
  return { push, env: { ...registry.env, CONTAINERS_POLICY_JSON: `${directory}/policy.json` } };
}

const rows: [fact: string, tag: string, who: string | undefined, refusal: string | undefined][] = [
  ["takes an image that the policy's key signed", "signed", "release", undefined],
  ["refuses one that another key signed", "foreign", "other", "Invalid GPG signature"],
  ["refuses one that nobody signed", "bare", undefined, "A signature was required, but no signature exists"],
];

const hasGpg = await hasProgram("gpg");
for (const [fact, tag, who, refusal] of rows) {
  Deno.test({
    name: `P1: bootc switch --enforce-container-sigpolicy ${fact}`,
    ignore: !hasGpg,
    async fn() {
      await using tmp = await tempDir();
      await using root = await sysrootDirectory();
      await using registry = await startRegistry();
      const { push, env } = await signer(tmp.path, registry);
      await push(tag, who);
      await push("first");
      await makeSysroot(root.path);
      const image = `${registry.address}/os`;
      // deno-fmt-ignore
      const first = await bootcWith({ env: registry.env },
        "internals", "ostree-container", "image", "deploy", "--sysroot", root.path, "--imgref", `docker://${image}:first`,
      );
      assertEquals(first.code, 0, first.stderr);
      // deno-fmt-ignore
      const { code, stderr } = await bootcWith({ env },
        "switch", "--quiet", "--enforce-container-sigpolicy", "--sysroot", root.path, `${image}:${tag}`,
      );
      assertEquals(code, refusal === undefined ? 0 : 1, stderr);
      if (refusal !== undefined) assertStringIncludes(stderr, refusal);
      const { stdout } = await bootcWith({ env }, "status", "--json", "--sysroot", root.path);
      const { image: followed, signature } = JSON.parse(stdout).spec.image;
      assertEquals(
        { followed, signature },
        refusal === undefined
          ? { followed: `${image}:${tag}`, signature: "containerPolicy" }
          : { followed: `${image}:first`, signature: undefined },
      );
    },
  });
}
