import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { copyArgv, proxyArgv, type ProxyOptions, temporaryOf } from "../../lib/skopeo/argv.ts";
import { findRegistryAuth } from "../../lib/skopeo/auth.ts";
import { fileBelow } from "../../lib/skopeo/below.ts";
import { readDefaultPolicy, requireSignaturePolicy, resolvePolicyPath } from "../../lib/skopeo/policy.ts";
import { isAtLeast, parseSkopeoVersion, skopeoVersion } from "../../lib/skopeo/version.ts";
import { hintFor, skopeoWords } from "../../lib/skopeo/words.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { ToolError, UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";

for (
  const [options, expected] of [
    [{}, "skopeo experimental-image-proxy --sockfd 3"],
    [{ policyPath: "/p" }, "skopeo --policy /p experimental-image-proxy --sockfd 3"],
    [{ temporaryDirectory: "/t" }, "skopeo --tmpdir /t experimental-image-proxy --sockfd 3"],
    [{ userAgentPrefix: "bootc/1" }, "skopeo --user-agent-prefix bootc/1 experimental-image-proxy --sockfd 3"],
    [{ authfile: "/a" }, "skopeo experimental-image-proxy --sockfd 3 --authfile /a"],
    [{ authAnonymous: true }, "skopeo experimental-image-proxy --sockfd 3 --no-creds"],
    [{ authAnonymous: true, authfile: "/a" }, "skopeo experimental-image-proxy --sockfd 3 --no-creds"],
    [{ certDir: "/c" }, "skopeo experimental-image-proxy --sockfd 3 --cert-dir /c"],
    [{ insecureSkipTlsVerification: true }, "skopeo experimental-image-proxy --sockfd 3 --tls-verify=false"],
    [{ insecureSkipTlsVerification: false }, "skopeo experimental-image-proxy --sockfd 3"],
  ] satisfies [ProxyOptions, string][]
) {
  Deno.test(`proxyArgv() of ${JSON.stringify(options)}`, () => {
    assertEquals(proxyArgv("skopeo", options).join(" "), expected);
  });
}

for (const [env, expected] of [[{ TMPDIR: "/t" }, "/t"], [{ TMPDIR: "" }, undefined], [{}, undefined]] as const) {
  Deno.test(`temporaryOf() of ${JSON.stringify(env)}`, () => {
    assertEquals(temporaryOf(plainContext(env)).temporaryDirectory, expected);
  });
}

Deno.test("copyArgv() gives the source's options and the policy", () => {
  const copy = { image: { transport: "registry", name: "q/b:1" }, directory: "/tmp/d" } as const;
  const options = { policyPath: "/p", authfile: "/a", certDir: "/c", insecureSkipTlsVerification: true };
  assertEquals(
    copyArgv("skopeo", copy, options).join(" "),
    "skopeo --policy /p copy --quiet --remove-signatures --src-authfile /a --src-cert-dir /c --src-tls-verify=false -- docker://q/b:1 dir:/tmp/d",
  );
});

for (
  const [stderr, words] of [
    ["plain words\n", "plain words"],
    ['time="2026-01-01" level=fatal msg="initializing source: \\"x\\" is bad"\n', 'initializing source: "x" is bad'],
    ['time="1" level=warning msg="w"\ntime="2" level=fatal msg=EOF\n', "EOF"],
    ['Error: x\ntime="2" level=fatal msg="a \\x00 \\"b\\""', 'a \\x00 "b"'],
    ["", ""],
  ] as const
) {
  Deno.test(`skopeoWords() of ${JSON.stringify(stderr)}`, () => assertEquals(skopeoWords(stderr), words));
}

for (
  const [words, start] of [
    ["Source image rejected: Running image docker://x is rejected by policy.", "Check the signature"],
    ["A signature was required, but no signature exists", "Check the signature"],
    ["registry q.invalid is blocked in /etc/containers/registries.conf", 'Check the "blocked"'],
    ['no image found in image index for architecture amd64, variant "", OS linux', "Choose an image"],
    ["unable to retrieve auth token: invalid username/password: unauthorized", "Log in"],
    ["Requesting bear token: invalid status code from registry 403 (Forbidden): denied", "Log in"],
    ["http: server gave HTTP response to HTTPS client", "Mark the registry"],
    ["x509: certificate signed by unknown authority", "Check the registry's certificate"],
    ["reading manifest 1 in x/os: manifest unknown", "Check the name and the tag"],
    ["toomanyrequests: You have reached your pull rate limit", "Wait a while"],
    ["received unexpected HTTP status: 502 Bad Gateway", "The registry itself fails"],
    ["write /var/tmp/x: no space left on device", "Free some space"],
    ["corrupted blob, expecting sha256:a, got sha256:b", "What arrived"],
    ["dial tcp: lookup x.invalid: no such host", "Check the network"],
    ["read tcp 1->2: connection reset by peer", "Check the network"],
    ["unexpected EOF", "Check the network"],
    ["open /x/index.json: no such file or directory", "Check the path"],
    ["invalid reference format: repository name must be lowercase", "Check how the image"],
    ["something nobody ever saw", undefined],
  ] as const
) {
  Deno.test(`hintFor() ${words}`, () => {
    assertEquals(hintFor(words)?.slice(0, start?.length), start);
  });
}

for (
  const [text, version] of [
    ["skopeo version 1.9.3\n", [1, 9]],
    ["skopeo version 1.18.0-dev commit: abc\n", [1, 18]],
  ] as const
) {
  Deno.test(`parseSkopeoVersion() of ${text.trim()}`, () => assertEquals(parseSkopeoVersion(text), version));
}

Deno.test("parseSkopeoVersion() rejects other programs", () => {
  assertThrows(
    () => parseSkopeoVersion("hello 1.2\n"),
    ToolError,
    'Cannot read the version of skopeo from "hello 1.2"',
  );
});

Deno.test("isAtLeast() compares numbers, not texts", () => {
  assert(isAtLeast([1, 21], [1, 9]));
  assert(isAtLeast([1, 13], [1, 13]));
  assert(isAtLeast([2, 0], [1, 13]));
  assertFalse(isAtLeast([1, 9], [1, 13]));
  assertFalse(isAtLeast([0, 20], [1, 13]));
});

Deno.test("skopeoVersion() asks once for a context", async () => {
  await using tmp = await tempDir();
  const skopeo = `${tmp.path}/skopeo`;
  await Deno.writeTextFile(skopeo, `#!/bin/sh\necho x >> ${tmp.path}/log\necho skopeo version 1.22.0\n`, {
    mode: 0o755,
  });
  const plain = plainContext(Deno.env.toObject());
  const ctx = { ...plain, tools: { ...plain.tools, skopeo } };
  assertEquals(await Promise.all([skopeoVersion(ctx), skopeoVersion(ctx)]), [[1, 22], [1, 22]]);
  assertEquals(await Deno.readTextFile(`${tmp.path}/log`), "x\n");
});

async function put(root: string, path: string, text = "{}"): Promise<void> {
  await Deno.mkdir(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
  await Deno.writeTextFile(`${root}${path}`, text);
}

for (
  const [fact, files, env, expected] of [
    ["CONTAINERS_POLICY_JSON first", ["/custom/p.json", "/etc/containers/policy.json"], {
      CONTAINERS_POLICY_JSON: "/custom/p.json",
    }, "/custom/p.json"],
    [
      "an empty variable as none",
      ["/etc/containers/policy.json"],
      { CONTAINERS_POLICY_JSON: "" },
      "/etc/containers/policy.json",
    ],
    [
      "XDG_CONFIG_HOME before HOME and /etc",
      ["/xdg/containers/policy.json", "/home/.config/containers/policy.json", "/etc/containers/policy.json"],
      { XDG_CONFIG_HOME: "/xdg", HOME: "/home" },
      "/xdg/containers/policy.json",
    ],
    ["/etc where XDG_CONFIG_HOME has none", ["/home/.config/containers/policy.json", "/etc/containers/policy.json"], {
      XDG_CONFIG_HOME: "/xdg",
      HOME: "/home",
    }, "/etc/containers/policy.json"],
    ["HOME without XDG_CONFIG_HOME", ["/home/.config/containers/policy.json", "/etc/containers/policy.json"], {
      HOME: "/home",
    }, "/home/.config/containers/policy.json"],
    [
      "/etc before /usr/share",
      ["/etc/containers/policy.json", "/usr/share/containers/policy.json"],
      {},
      "/etc/containers/policy.json",
    ],
    ["/usr/share last", ["/usr/share/containers/policy.json"], {}, "/usr/share/containers/policy.json"],
    ["nothing where there is none", [], { HOME: "/home" }, undefined],
  ] satisfies [string, string[], Record<string, string>, string | undefined][]
) {
  Deno.test(`P2: resolvePolicyPath() takes ${fact}`, async () => {
    await using tmp = await tempDir();
    for (const file of files) await put(tmp.path, file);
    const found = await resolvePolicyPath(tmp.path, env);
    assertEquals(found, expected === undefined ? undefined : `${tmp.path}${expected}`);
  });
}

Deno.test("P2: resolvePolicyPath() refuses a variable that names no file", async () => {
  await using tmp = await tempDir();
  await put(tmp.path, "/etc/containers/policy.json");
  const error = await assertRejects(() => resolvePolicyPath(tmp.path, { CONTAINERS_POLICY_JSON: "/no" }), UserError);
  assertEquals(error.message, 'Cannot open the signature policy "/no" that CONTAINERS_POLICY_JSON names: no such file');
});

for (
  const [fact, target, expected] of [
    ["follows an absolute link below the root", "/real/policy.json", "/real/policy.json"],
    ["follows a relative link", "../../real/policy.json", "/real/policy.json"],
    ["does not leave the root by ..", "../../../../../../../../real/policy.json", "/real/policy.json"],
    ["passes over a dangling link", "/nonexistent", "/usr/share/containers/policy.json"],
    ["passes over a loop", "/etc/containers/policy.json", "/usr/share/containers/policy.json"],
  ] as const
) {
  Deno.test(`P2: resolvePolicyPath() ${fact}`, async () => {
    await using tmp = await tempDir();
    await put(tmp.path, "/real/policy.json");
    await put(tmp.path, "/usr/share/containers/policy.json");
    await Deno.mkdir(`${tmp.path}/etc/containers`, { recursive: true });
    await Deno.symlink(target, `${tmp.path}/etc/containers/policy.json`);
    assertEquals(await resolvePolicyPath(tmp.path, {}), `${tmp.path}${expected}`);
  });
}

Deno.test("fileBelow() follows a linked directory, and gives no directory", async () => {
  await using tmp = await tempDir();
  await put(tmp.path, "/usr/etc/x");
  await Deno.symlink("/usr/etc", `${tmp.path}/etc`);
  assertEquals(await fileBelow(`${tmp.path}/`, "/etc/x"), `${tmp.path}/usr/etc/x`);
  assertEquals(await fileBelow(tmp.path, "/usr/etc"), undefined);
  assertEquals(await fileBelow(tmp.path, "/usr/etc/x/y"), undefined);
  assertEquals(await fileBelow("/", "/dev/null"), undefined);
});

const ANYTHING = { type: "insecureAcceptAnything" };
for (
  const [policy, expected] of [
    [{ default: [ANYTHING] }, "insecureAcceptAnything"],
    [{ default: [ANYTHING], transports: { "docker-daemon": { "": [ANYTHING] } } }, "insecureAcceptAnything"],
    [{}, "other"],
    [{ default: [] }, "other"],
    [{ default: [{ type: "reject" }], transports: { dir: { "": [ANYTHING] } } }, "other"],
    [{ default: [ANYTHING, { type: "reject" }] }, "other"],
  ] as const
) {
  Deno.test(`readDefaultPolicy() of ${JSON.stringify(policy)}`, async () => {
    await using tmp = await tempDir();
    await put(tmp.path, "/p", JSON.stringify(policy));
    assertEquals(await readDefaultPolicy(`${tmp.path}/p`), expected);
  });
}

Deno.test("readDefaultPolicy() names a file that is no JSON", async () => {
  await using tmp = await tempDir();
  await put(tmp.path, "/p", "{");
  const error = await assertRejects(() => readDefaultPolicy(`${tmp.path}/p`), UserError);
  assertEquals(error.message, `Cannot read the signature policy "${tmp.path}/p"`);
});

Deno.test("P3: requireSignaturePolicy() refuses a default that accepts anything", async () => {
  await using tmp = await tempDir();
  await put(tmp.path, "/etc/containers/policy.json", JSON.stringify({ default: [ANYTHING] }));
  const error = await assertRejects(() => requireSignaturePolicy(tmp.path, {}), UserError);
  assertEquals(error.message, "containers-policy.json specifies a default of `insecureAcceptAnything`; refusing usage");
  await put(tmp.path, "/etc/containers/policy.json", JSON.stringify({ default: [{ type: "reject" }] }));
  assertEquals(await requireSignaturePolicy(tmp.path, {}), `${tmp.path}/etc/containers/policy.json`);
});

Deno.test("requireSignaturePolicy() refuses to go without a policy", async () => {
  await using tmp = await tempDir();
  const error = await assertRejects(() => requireSignaturePolicy(tmp.path, {}), UserError);
  assertEquals(error.message, "No containers-policy.json found, which a signed image needs");
});

const ALL = ["/run/ostree/auth.json", "/etc/ostree/auth.json", "/usr/lib/ostree/auth.json"];
for (
  const [fact, files, env, request, expected] of [
    ["--authfile before everything", ALL, { REGISTRY_AUTH_FILE: "/r" }, { authfile: "/x" }, { authfile: "/x" }],
    ["anonymous when asked", ALL, { REGISTRY_AUTH_FILE: "/r" }, { authAnonymous: true }, { authAnonymous: true }],
    ["REGISTRY_AUTH_FILE before the host's files", ALL, { REGISTRY_AUTH_FILE: "/r" }, {}, { authfile: "/r" }],
    ["/run first", ALL, {}, {}, { authfile: "ROOT/run/ostree/auth.json" }],
    ["/etc second", ALL.slice(1), { REGISTRY_AUTH_FILE: "" }, {}, { authfile: "ROOT/etc/ostree/auth.json" }],
    ["/usr/lib third", ALL.slice(2), {}, {}, { authfile: "ROOT/usr/lib/ostree/auth.json" }],
    ["anonymous at last", [], { HOME: "/home" }, {}, { authAnonymous: true }],
  ] satisfies [string, string[], Record<string, string>, { authfile?: string; authAnonymous?: boolean }, unknown][]
) {
  Deno.test(`U27: findRegistryAuth() takes ${fact}`, async () => {
    await using tmp = await tempDir();
    for (const file of files) await put(tmp.path, file);
    const found = JSON.stringify(await findRegistryAuth(tmp.path, env, request)).replace(tmp.path, "ROOT");
    assertEquals(found, JSON.stringify(expected));
  });
}
