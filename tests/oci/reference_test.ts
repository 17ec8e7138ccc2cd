import { assertEquals, assertThrows } from "@std/assert";
import {
  canonicalize,
  formatImageReference,
  formatOstreeImageReference,
  parseAnyImageReference,
  parseImageReference,
  parseOstreeImageReference,
  parseTransport,
  skopeoReference,
  type Transport,
  withTag,
} from "../../lib/oci/reference.ts";

const DIGEST = "sha256:5db6d8b5f34d3cbdaa1e82ed0152a5ac980076d19317d4269db149cbde057bb2";

for (
  const [text, transport, name, printed] of [
    ["registry:quay.io/exampleos/blah", "registry", "quay.io/exampleos/blah", "docker://quay.io/exampleos/blah"],
    ["docker://quay.io/exampleos/blah", "registry", "quay.io/exampleos/blah", "docker://quay.io/exampleos/blah"],
    ["docker://localhost:5000/os:1", "registry", "localhost:5000/os:1", "docker://localhost:5000/os:1"],
    [`docker://q/b@${DIGEST}`, "registry", `q/b@${DIGEST}`, `docker://q/b@${DIGEST}`],
    ["oci:/a b/c:tag", "oci", "/a b/c:tag", "oci:/a b/c:tag"],
    [
      "oci-archive:/path/to/foo.ociarchive",
      "oci-archive",
      "/path/to/foo.ociarchive",
      "oci-archive:/path/to/foo.ociarchive",
    ],
    ["docker-archive:/x.tar", "docker-archive", "/x.tar", "docker-archive:/x.tar"],
    [
      "containers-storage:localhost/bootc",
      "containers-storage",
      "localhost/bootc",
      "containers-storage:localhost/bootc",
    ],
    ["dir:/d", "dir", "/d", "dir:/d"],
    ["docker-daemon:os:latest", "docker-daemon", "os:latest", "docker-daemon:os:latest"],
  ] as const
) {
  Deno.test(`parseImageReference() reads ${text}`, () => {
    const reference = parseImageReference(text);
    assertEquals(reference, { transport, name });
    assertEquals(formatImageReference(reference), printed);
    assertEquals(parseImageReference(printed), reference);
  });
}

for (
  const [text, message] of [
    ["", 'Missing ":" in image reference ""'],
    ["quay.io/x", 'Missing ":" in image reference "quay.io/x"'],
    ["foo://", 'Unknown transport "foo" in image reference "foo://"'],
    ["foo:bar", 'Unknown transport "foo" in image reference "foo:bar"'],
    ["docker:blah", 'Missing "//" behind "docker:" in image reference "docker:blah"'],
    ["docker://", 'Empty name in image reference "docker://"'],
    ["registry:", 'Empty name in image reference "registry:"'],
    ["oci:", 'Empty name in image reference "oci:"'],
    ["toString:x", 'Unknown transport "toString" in image reference "toString:x"'],
    ["oci:/a\nb", 'Control character in image reference "oci:/a\\nb"'],
    [
      "ostree-unverified-registry:q/b",
      'Unknown transport "ostree-unverified-registry" in image reference "ostree-unverified-registry:q/b"',
    ],
  ] as const
) {
  Deno.test(`parseImageReference() rejects ${JSON.stringify(text)}`, () => {
    assertEquals(assertThrows(() => parseImageReference(text), SyntaxError).message, message);
  });
}

const q = { transport: "registry", name: "q/b" } as const;
for (
  const [text, value, printed] of [
    ["ostree-image-signed:docker://q/b", { signature: { kind: "containerPolicy" }, image: q }, undefined],
    [
      "ostree-image-signed:registry:q/b",
      { signature: { kind: "containerPolicy" }, image: q },
      "ostree-image-signed:docker://q/b",
    ],
    [
      "ostree-unverified-image:docker://q/b",
      { signature: { kind: "unverified" }, image: q },
      "ostree-unverified-registry:q/b",
    ],
    ["ostree-unverified-registry:q/b", { signature: { kind: "unverified" }, image: q }, undefined],
    ["ostree-unverified-image:oci:/a:t", {
      signature: { kind: "unverified" },
      image: { transport: "oci", name: "/a:t" },
    }, undefined],
    [
      "ostree-remote-registry:myremote:quay.io/exampleos/blah",
      {
        signature: { kind: "ostreeRemote", remote: "myremote" },
        image: { transport: "registry", name: "quay.io/exampleos/blah" },
      },
      "ostree-remote-image:myremote:docker://quay.io/exampleos/blah",
    ],
    [
      "ostree-remote-image:r:oci:/a",
      { signature: { kind: "ostreeRemote", remote: "r" }, image: { transport: "oci", name: "/a" } },
      undefined,
    ],
    [
      "ostree-unverified-registry:localhost:5000/os:1",
      { signature: { kind: "unverified" }, image: { transport: "registry", name: "localhost:5000/os:1" } },
      undefined,
    ],
  ] as const
) {
  Deno.test(`parseOstreeImageReference() reads ${text}`, () => {
    assertEquals(parseOstreeImageReference(text), value);
    assertEquals(formatOstreeImageReference(value), printed ?? text);
    assertEquals(parseOstreeImageReference(printed ?? text), value);
  });
}

for (
  const [text, message] of [
    ["oci:x", "Invalid ostree image reference scheme: oci"],
    ["", 'Missing ":" in ostree image reference ""'],
    ["ostree-unverified-registry:", 'Empty name in image reference "registry:"'],
    ["ostree-image-signed:foo:bar", 'Unknown transport "foo" in image reference "foo:bar"'],
    ["ostree-remote-registry:x", 'Missing remote in ostree image reference "ostree-remote-registry:x"'],
    ["ostree-remote-image::oci:/a", 'Missing remote in ostree image reference "ostree-remote-image::oci:/a"'],
  ] as const
) {
  Deno.test(`parseOstreeImageReference() rejects ${JSON.stringify(text)}`, () => {
    assertEquals(assertThrows(() => parseOstreeImageReference(text), SyntaxError).message, message);
  });
}

for (const text of ["docker://q/b", "ostree-unverified-registry:q/b"]) {
  Deno.test(`parseAnyImageReference() takes ${text} as unverified`, () => {
    assertEquals(parseAnyImageReference(text), { signature: { kind: "unverified" }, image: q });
  });
}

for (
  const [transport, name, tag, expected] of [
    ["registry", "quay.io/example/myapp:v1.0", "v1.1", "quay.io/example/myapp:v1.1"],
    ["registry", `quay.io/example/myapp:v1.0@${DIGEST}`, "v2.0", "quay.io/example/myapp:v2.0"],
    ["registry", `quay.io/example/myapp@${DIGEST}`, "v2.0", "quay.io/example/myapp:v2.0"],
    ["registry", "localhost:5000/os", "v1", "localhost:5000/os:v1"],
    ["registry", "localhost:5000/os:0", "v1", "localhost:5000/os:v1"],
    ["registry", "busybox", "v1", "busybox:v1"],
    ["containers-storage", "localhost/myapp:v1.0", "v1.1", "localhost/myapp:v1.1"],
    ["containers-storage", `localhost/myapp:v1.0@${DIGEST}`, "v2.0", "localhost/myapp:v2.0"],
    ["containers-storage", "localhost/myapp", "v1.0", "localhost/myapp:v1.0"],
    ["oci", "/a@b/c:old", "new", "/a@b/c:new"],
    ["oci", "/a:b/c", "new", "/a:b/c:new"],
  ] as const
) {
  Deno.test(`withTag() gives ${transport} ${name} the tag ${tag}`, () => {
    assertEquals(withTag({ transport, name }, tag), { transport, name: expected });
  });
}

for (const tag of ["", ".x", "-x", "a b", "a/b", "a:b", "x".repeat(129)]) {
  Deno.test(`withTag() rejects the tag ${JSON.stringify(tag)}`, () => {
    assertThrows(() => withTag(q, tag), SyntaxError, `Invalid tag ${JSON.stringify(tag)}`);
  });
}

Deno.test("withTag() rejects a transport without tags", () => {
  assertThrows(() => withTag({ transport: "dir", name: "/d" }, "x"), SyntaxError, 'Transport "dir" has no tags');
});

for (
  const [transport, name, expected] of [
    ["registry", "quay.io/example/someimage:latest", "quay.io/example/someimage:latest"],
    ["registry", `quay.io/example/someimage@${DIGEST}`, `quay.io/example/someimage@${DIGEST}`],
    ["registry", `quay.io/example/someimage:latest@${DIGEST}`, `quay.io/example/someimage@${DIGEST}`],
    ["registry", `localhost/someimage:latest@${DIGEST}`, `localhost/someimage@${DIGEST}`],
    ["registry", `localhost:5000/someimage@${DIGEST}`, `localhost:5000/someimage@${DIGEST}`],
    ["registry", `localhost:5000/someimage:t@${DIGEST}`, `localhost:5000/someimage@${DIGEST}`],
    ["oci", `path/to/image:sometag@${DIGEST}`, `path/to/image:sometag@${DIGEST}`],
  ] as const
) {
  Deno.test(`canonicalize() of ${transport} ${name}`, () => {
    assertEquals(canonicalize({ transport, name }), { transport, name: expected });
  });
}

Deno.test("skopeoReference() drops a tag beside a digest", () => {
  assertEquals(skopeoReference({ transport: "registry", name: `q/b:1@${DIGEST}` }), `docker://q/b@${DIGEST}`);
});

Deno.test("parseTransport() knows exactly its words", () => {
  const all: Transport[] = [
    "registry",
    "oci",
    "oci-archive",
    "docker-archive",
    "containers-storage",
    "dir",
    "docker-daemon",
  ];
  assertEquals(all.map(parseTransport), all);
  assertThrows(() => parseTransport("docker"), SyntaxError, 'Unknown transport "docker"');
});
