/**
 * A check that `--ignore-env` is there, for the packages which read the environment while they are loaded (mqtt,
 * aedes): they would end with a trace, or ask about one variable after another. Imported before such a package,
 * it ends the process with one sentence.
 *
 * @module
 */

if (Deno.permissions.querySync({ name: "env", variable: "READABLE_STREAM" }).state === "prompt") {
  const name = Deno.mainModule.split("/").at(-1);
  console.error(`${name}: cannot load its npm package: Deno was not given --ignore-env`);
  console.error("Start it with deno run, and --ignore-env before the script's name.");
  Deno.exit(1);
}
