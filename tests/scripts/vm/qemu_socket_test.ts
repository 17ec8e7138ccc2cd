import { assertEquals, assertRejects } from "@std/assert";
import { CommandRefused, QemuSocket } from "../../../scripts/vm/qemu_socket.ts";
import { tempDir } from "../../temp.ts";

/** A peer on a socket that answers each line with what `answer` makes of it. */
async function peer(
  path: string,
  answer: (line: string) => string,
  greeting = "",
): Promise<{ lines: string[] } & AsyncDisposable> {
  const listener = Deno.listen({ transport: "unix", path });
  const lines: string[] = [];
  const serve = async () => {
    const connection = await listener.accept();
    const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    await connection.write(latin1(greeting));
    let text = "";
    for await (const chunk of connection.readable) {
      text += String.fromCharCode(...chunk);
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        lines.push(text.slice(0, end));
        await connection.write(latin1(answer(text.slice(0, end))));
      }
    }
  };
  const served = serve();
  return await Promise.resolve({
    lines,
    async [Symbol.asyncDispose]() {
      await served.catch(() => {});
      listener.close();
    },
  });
}

const idOf = (line: string): number => JSON.parse(line.replace("\xff", "")).arguments.id;

Deno.test("QemuSocket.connectAgent() skips what was left in the channel", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/agent`;
  const answer = (line: string) =>
    `{"error": {"desc": "JSON parse error"}}\n{"return": 7}\n{"return": \xff{"return": ${idOf(line)}}\n`;
  await using server = await peer(path, answer);
  using _agent = await QemuSocket.connectAgent(path);
  assertEquals(server.lines.length, 1);
  assertEquals(server.lines[0]!.startsWith(`\xff{"execute":"guest-sync-delimited"`), true);
});

Deno.test("QemuSocket.connectMonitor() passes over the greeting, and request() over events", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/monitor`;
  const answer = (line: string) => `{"event": "STOP"}\n{"return": ${line.includes("qmp") ? "{}" : '"ünї"'}}\n`;
  await using _server = await peer(path, (line) => unescape(encodeURIComponent(answer(line))), `{"QMP": {}}\n`);
  using monitor = await QemuSocket.connectMonitor(path);
  assertEquals(await Promise.all([monitor.request("a"), monitor.request("b")]), ["ünї", "ünї"]);
});

Deno.test("QemuSocket.request() tells why a command was refused, and goes on", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/monitor`;
  const answer = (line: string) => line.includes("bad") ? `{"error": {"desc": "no such file"}}\n` : `{"return": 1}\n`;
  await using _server = await peer(path, answer);
  using socket = await QemuSocket.connect(path);
  await assertRejects(() => socket.request("bad"), CommandRefused, "bad: no such file");
  assertEquals(await socket.request("good"), 1);
});

Deno.test("QemuSocket.request() gives up after its time, and closes the connection", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/monitor`;
  await using _server = await peer(path, () => "");
  using socket = await QemuSocket.connect(path);
  await assertRejects(() => socket.request("x", {}, 50), Deno.errors.TimedOut, "No answer to x within 50 ms");
  await assertRejects(() => socket.request("y"), Error);
});

Deno.test("QemuSocket.connect() fails where nobody listens", async () => {
  await using tmp = await tempDir();
  await assertRejects(() => QemuSocket.connect(`${tmp.path}/none`), Deno.errors.NotFound);
});
