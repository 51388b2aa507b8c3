/** As little as a script can do: its start-up is that of Deno. */

console.error("ready");
