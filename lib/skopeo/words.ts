/** What skopeo says when it fails, and what a person can do about it. skopeo has no error codes, so its words are all there is. */

/** The message of the last `level=fatal` (or error) line, without the log's dressing; other text as it is. */
export function skopeoWords(stderr: string): string {
  const logged = [...stderr.matchAll(/level=(?:fatal|error) msg=("(?:[^"\\]|\\.)*"|\S+)/g)].at(-1)?.[1];
  if (logged === undefined) return stderr.trim();
  return logged.startsWith('"') ? unquote(logged) : logged;
}

/** A text that Go quoted; JSON has the same escapes but for \x and \U, which stay as they are. */
function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted.slice(1, -1).replaceAll('\\"', '"');
  }
}

/** First match wins: the special stands before the general. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /is rejected by policy|rejected by policy|signature was required|signature.*not accepted|Source image rejected|cryptographic signature/i,
    "Check the signature of the image, and the rules of containers-policy.json for it",
  ],
  [/is blocked in|registry .* blocked/i, 'Check the "blocked" entries of registries.conf'],
  [
    /no image found in (manifest list|image index)|no matching manifest/i,
    "Choose an image that is built for this machine's architecture",
  ],
  [
    /unauthorized|authentication required|access to the resource is denied|requested access|\bdenied\b|status:? 40[13]\b|invalid username\/password/i,
    'Log in to the registry ("skopeo login") and give the file with --authfile, or put it at /etc/ostree/auth.json',
  ],
  [
    /server gave HTTP response to HTTPS client/i,
    "Mark the registry as insecure in registries.conf if it is meant to speak plain http",
  ],
  [/x509|certificate|tls:/i, "Check the registry's certificate, and the clock of this machine"],
  [
    /manifest unknown|name unknown|name invalid|repository name not known|not found|status:? 404\b|status code 404|\(Not Found\)/i,
    "Check the name and the tag of the image",
  ],
  [/toomanyrequests|too many requests|status:? 429\b|\b429\b/i, "Wait a while or log in: the registry limits pulls"],
  [
    /status:? 5\d\d\b|\b50[0234] |internal server error|bad gateway|service unavailable/i,
    "The registry itself fails: try again later, or ask who runs it",
  ],
  [/no space left on device/i, "Free some space (oci-archive: images are unpacked below /var/tmp)"],
  [
    /corrupted blob|digest.*mismatch|does not match (expected )?digest|size mismatch|expected \d+ bytes/i,
    "What arrived is not what the manifest promises: try again, and check proxies and mirrors on the way",
  ],
  [
    /no such host|dial tcp|connection refused|connection reset|i\/o timeout|deadline exceeded|network is unreachable|\bEOF\b|broken pipe|proxyconnect/i,
    "Check the network, the proxy settings and that the registry is up",
  ],
  [/no such file or directory|does not exist|permission denied/i, "Check the path, and that it can be read"],
  [
    /invalid reference format|unsupported.*reference|invalid image name/i,
    "Check how the image is written; `bootc switch` takes a transport by --transport, not before the name",
  ],
];

/** One sentence for {@linkcode UserError}, or undefined where the words name nothing that is known. */
export function hintFor(words: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(words))?.[1];
}
