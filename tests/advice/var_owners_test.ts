import { assertEquals } from "@std/assert";
import { findVarOwners } from "../../lib/advice/var_owners.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { mayMount } from "../may_mount.ts";
import { directory, rootOf, symlink, text } from "../root_files.ts";

const signal = new AbortController().signal;
const ignore = !await mayMount();

Deno.test({
  name: "findVarOwners() counts what belongs to a user and to a group, links among them not followed (F2)",
  ignore,
  fn: async () => {
    await using elsewhere = await rootOf({ file: text("") });
    await using tmp = await rootOf({
      "lib/web": directory,
      "lib/web/1": text(""),
      "lib/web/2": text(""),
      "lib/web/3": text(""),
      "lib/other": text(""),
      out: symlink(elsewhere.path),
    });
    for (const path of ["lib/web", "lib/web/1", "lib/web/2", "lib/web/3"]) {
      Deno.chownSync(`${tmp.path}/${path}`, 980, 33);
    }
    Deno.chownSync(`${tmp.path}/lib/other`, 0, 980);
    Deno.chownSync(`${elsewhere.path}/file`, 980, 980);
    using root = Root.open(tmp.path);
    const wanted = [{ form: "passwd", before: 980 }, { form: "group", before: 33 }, {
      form: "group",
      before: 980,
    }] as const;
    const owners = await findVarOwners(root, wanted, { signal });
    assertEquals([owners.of("passwd", 980), owners.of("group", 33), owners.of("group", 980), owners.complete], [
      { count: 4, examples: ["lib/web", "lib/web/1", "lib/web/2"] },
      { count: 4, examples: ["lib/web", "lib/web/1", "lib/web/2"] },
      { count: 1, examples: ["lib/other"] },
      true,
    ]);
    const few = await findVarOwners(root, wanted, { signal, namesLimit: 3 });
    assertEquals([few.of("passwd", 980), few.complete], [{ count: 1, examples: ["lib/web"] }, false]);
  },
});

Deno.test({
  name: "findVarOwners() enters no other file system (F2)",
  ignore,
  fn: async () => {
    await using tmp = await rootOf({ mounted: directory, own: text("") });
    const script = `
      mount -t tmpfs tmpfs "$1/mounted" && touch "$1/mounted/x" && chown 980 "$1/mounted/x" "$1/own" && exec "$0" eval --quiet "$2"`;
    const code = `
      import { Root } from ${JSON.stringify(new URL("../../lib/rootfs/root.ts", import.meta.url).href)};
      import { findVarOwners } from ${JSON.stringify(new URL("../../lib/advice/var_owners.ts", import.meta.url).href)};
      using root = Root.open(${JSON.stringify(tmp.path)});
      const owners = await findVarOwners(root, [{ form: "passwd", before: 980 }], { signal: new AbortController().signal });
      console.log(JSON.stringify(owners.of("passwd", 980)));`;
    const { stdout } = await new Deno.Command("unshare", {
      args: ["--mount", "sh", "-euc", script, Deno.execPath(), tmp.path, code],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), '{"count":1,"examples":["own"]}\n');
  },
});
