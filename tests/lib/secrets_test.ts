import { assertEquals, assertStringIncludes } from "@std/assert";

const SECRETS = new URL("../../lib/secrets.ts", import.meta.url).href;
const PROGRAM = `import { password } from "${SECRETS}";
try { console.log(JSON.stringify(await password("LESSON_SECRET", "Password:"))); }
catch (error) { console.log(error.name + ": " + error.message); }`;

/** Asks for a password in a process without a terminal. */
async function asked(
  flags: string[],
  secret?: string,
  program = PROGRAM,
): Promise<{ stdout: string; all: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, "-"],
    env: { NO_COLOR: "1", ...(secret === undefined ? {} : { LESSON_SECRET: secret }) },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([program]).stream().pipeTo(child.stdin);
  const { stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout).trim(), all: text(stdout) + text(stderr) };
}

const GRANT = "--allow-env=LESSON_SECRET";

for (
  const [when, flags, secret, expected] of [
    ["the variable is set and granted", [GRANT], "hush", '"hush"'],
    ["the variable is set to nothing", [GRANT], "", '""'],
    ["other variables are ignored", ["--ignore-env", GRANT], "hush", '"hush"'],
    ["it is not granted and there is no terminal", [], "hush", "UsageError"],
    ["variables are ignored and there is no terminal", ["--ignore-env"], "hush", "UsageError"],
    ["it is not set and there is no terminal", [GRANT], undefined, "UsageError"],
  ] as [string, string[], string | undefined, string][]
) {
  Deno.test(`password ${expected === "UsageError" ? "tells what to do" : "gives the variable"} when ${when}`, async () => {
    const { stdout, all } = await asked(flags, secret);
    if (expected !== "UsageError") return assertEquals(stdout, expected);
    assertStringIncludes(stdout, "UsageError: there is no terminal to ask for the password");
    assertStringIncludes(stdout, "set LESSON_SECRET, and grant --allow-env=LESSON_SECRET");
    assertEquals(all.includes("hush"), false);
  });
}

Deno.test("passwordToGive refuses an empty password, which would let anybody in", async () => {
  const program = PROGRAM.replaceAll("password }", "passwordToGive }")
    .replace('password("LESSON_SECRET", "Password:")', 'passwordToGive("LESSON_SECRET", "ada")');
  const { stdout } = await asked([GRANT], "", program);
  assertEquals(
    stdout,
    "UsageError: an empty password for ada would let anybody in: set LESSON_SECRET",
  );
  assertEquals((await asked([GRANT], "hush", program)).stdout, '"hush"');
});
