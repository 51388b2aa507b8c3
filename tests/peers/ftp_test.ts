/**
 * Our FTP client with pyftpdlib and vsftpd; curl and Python's ftplib with our server.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { chance } from "../lib/helpers.ts";
import { Commands } from "../../lib/ftp_commands.ts";
import { freePort, HOSTS, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

/** There is no program of this package, only the module. */
const PYFTPDLIB = "../lib/python3/dist-packages/pyftpdlib/__init__.py";
/** In /usr/bin, unlike vsftpd itself; both come with the same package. */
const VSFTPD = "vsftpdwho";

const SIZES = { "nothing": 0, "one": 1, "block": 65_536, "much": 20_000_000 };
const NAMES = { "a name with spaces": 1_000, "größe – 大きさ.txt": 1_001, "-dash": 1_002 };
const SEED = 20_240_611;

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

async function sha256(file: string): Promise<string> {
  const bytes = await Deno.readFile(file);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A folder with `served`, which a server gives, and `kept`, where a client puts what it fetches. */
async function stage() {
  const folder = temporaryFolder();
  const served = `${folder.path}/served`, kept = `${folder.path}/kept`;
  await Deno.mkdir(`${served}/folder`, { recursive: true });
  await Deno.mkdir(kept);
  await Deno.mkdir(`${folder.path}/empty`);
  for (const [name, size] of Object.entries({ ...SIZES, ...NAMES })) {
    await Deno.writeFile(`${served}/${name}`, randomBytes(size));
  }
  await Deno.writeTextFile(`${served}/text`, "first\nsecond\n");
  await Deno.writeTextFile(`${served}/folder/inside`, "inside\n");
  // umask may be narrow, and vsftpd serves what everybody may read
  await Deno.chmod(folder.path, 0o755);
  return { ...folder, served, kept };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Our client, as a process with narrow flags; with a user it has the user's password. */
async function ftp(port: number, words: string[], at: Stage, user?: string, ...options: string[]) {
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${at.kept}`, `--allow-write=${at.kept}`];
  if (user) {
    flags.push("--allow-env=FTP_PASSWORD");
    options.push("--user", user);
  }
  const start = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("remote/ftp_client")];
  await using client = new Process([...start, ...options, "--", `127.0.0.1:${port}`, ...words], {
    env: { FTP_PASSWORD: "secret word" },
  });
  const code = await client.end();
  return { code, stdout: client.stdout.text, stderr: client.stderr.text };
}

/** Fetches a file into `kept/file`. */
function get(port: number, name: string, at: Stage, user?: string, ...options: string[]) {
  return ftp(port, ["get", name], at, user, "--output", `${at.kept}/file`, ...options);
}

/** Everything that our client can do with a server of somebody else. */
async function useServer(port: number, at: Stage, user?: string): Promise<void> {
  const listing = await ftp(port, ["ls"], at, user);
  assertEquals(listing.code, 0, listing.stderr);
  for (const name of [...Object.keys({ ...SIZES, ...NAMES }), "folder"]) {
    assertMatch(listing.stdout, new RegExp(` ${name}$`, "m"));
  }
  assertMatch(listing.stderr, /^C: PASS \*\*\*$/m);
  assert(!listing.stderr.includes("secret word"), "the password is shown");
  assertMatch(listing.stderr, /^C: EPSV$/m);
  assertMatch(listing.stderr, /^S: 221 /m);

  const names = await ftp(port, ["nlst", "folder"], at, user);
  assertMatch(names.stdout, /^(folder\/)?inside\n$/);

  for (const [name, size] of Object.entries({ ...SIZES, ...NAMES })) {
    const got = await get(port, name, at, user);
    assertEquals(got.code, 0, got.stderr);
    assertEquals(got.stdout, `${size} bytes in ${at.kept}/file\n`);
    assertEquals(await sha256(`${at.kept}/file`), await sha256(`${at.served}/${name}`));
  }

  // what an interruption at any place leaves
  const random = chance(SEED);
  const cuts: [name: keyof typeof SIZES, offset: number][] = [
    ...[1, 4_096, 4_097, SIZES.block].map((offset) => ["block", offset] as ["block", number]),
    ["much", random(SIZES.much)],
    ["much", random(SIZES.much)],
    ["much", SIZES.much],
  ];
  for (const [name, offset] of cuts) {
    const whole = await Deno.readFile(`${at.served}/${name}`);
    await Deno.writeFile(`${at.kept}/file.part`, whole.subarray(0, offset));
    const got = await get(port, name, at, user, "--resume");
    assertEquals(got.code, 0, got.stderr);
    if (offset > 4_096) assertStringIncludes(got.stderr, `C: REST ${offset - 4_096}\n`);
    assertEquals(
      await sha256(`${at.kept}/file`),
      await sha256(`${at.served}/${name}`),
      `${offset}`,
    );
  }

  const missing = await get(port, "not there", at, user);
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /the server refuses RETR not there: 550 .*\nThere is no such file/);
  assertEquals(Array.from(Deno.readDirSync(at.kept), (entry) => entry.name), ["file"]);
}

peerTest("ftp_client fetches and resumes from pyftpdlib", ["python3", PYFTPDLIB], async () => {
  using at = await stage();
  const port = freePort();
  const words = ["-i", "127.0.0.1", "-p", String(port), "-d", at.served];
  await using server = new Process(
    ["/usr/bin/python3", "-m", "pyftpdlib", ...words, "-u", "ann", "-P", "secret word"],
  );
  await server.stderr.line(/starting FTP server/);
  await useServer(port, at, "ann");
  const machine = await ftp(port, ["mlsd"], at, "ann");
  assertMatch(machine.stdout, /size=20000000;.* much$/m);
  const denied = await ftp(port, ["ls"], at);
  assertEquals(denied.code, 1);
  assertMatch(denied.stderr, /the server refuses the login of anonymous: 530/);
});

peerTest("ftp_client fetches and resumes from vsftpd", [VSFTPD], async () => {
  using at = await stage();
  const port = freePort();
  const config = `${at.path}/vsftpd.conf`;
  await Deno.writeTextFile(
    config,
    [
      "listen=YES",
      "listen_address=127.0.0.1",
      `listen_port=${port}`,
      "background=NO",
      "anonymous_enable=YES",
      `anon_root=${at.served}`,
      "run_as_launching_user=YES",
      `secure_chroot_dir=${at.path}/empty`,
      "xferlog_enable=NO",
      "seccomp_sandbox=NO",
      "",
    ].join("\n"),
  );
  await using _server = new Process(["/usr/sbin/vsftpd", config]);
  await listens(port);
  await useServer(port, at);
});

/** vsftpd says nothing when it listens. */
async function listens(port: number): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || tries === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Our server over a folder, with nothing but the right to read that folder. */
async function ourServer(at: Stage, host = "127.0.0.1") {
  await Deno.writeTextFile(`${at.path}/outside`, "not for you\n");
  await Deno.symlink(`${at.path}/outside`, `${at.served}/out`);
  const port = freePort();
  const name = host.includes(":") ? `[${host}]` : host;
  const flags = [`--allow-net=${name}:0,${name}:${port}`, `--allow-read=${at.served}`];
  const start = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("remote/ftp_server")];
  const options = ["--host", host, "--port", String(port), "--root", at.served];
  const process = new Process([...start, ...options]);
  await process.stdout.line(/^listening on/);
  return { port, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

async function curl(...words: string[]) {
  await using process = new Process(["/usr/bin/curl", "-sS", "--max-time", "60", ...words]);
  const code = await process.end();
  return {
    code,
    bytes: process.stdout.bytes,
    text: process.stdout.text,
    stderr: process.stderr.text,
  };
}

peerTest("ftp_server serves curl", ["curl"], async () => {
  using at = await stage();
  await using server = await ourServer(at);
  const url = `ftp://127.0.0.1:${server.port}/`;
  const listing = await curl(url);
  for (const name of Object.keys({ ...SIZES, ...NAMES })) {
    assertMatch(listing.text, new RegExp(` ${name}\r?$`, "m"));
  }
  assert(!listing.text.includes(" out"), "a link that leads out is listed");
  for (const name of Object.keys({ ...SIZES, ...NAMES })) {
    const file = `${at.kept}/file`;
    await Deno.writeFile(file, new Uint8Array()); // curl writes none when nothing comes
    const got = await curl("-o", file, url + encodeURIComponent(name));
    assertEquals(got.code, 0, got.stderr);
    assertEquals(await sha256(file), await sha256(`${at.served}/${name}`), name);
  }
  const whole = await Deno.readFile(`${at.served}/much`);
  const offset = chance(SEED)(SIZES.much);
  await Deno.writeFile(`${at.kept}/file`, whole.subarray(0, offset));
  const resumed = await curl("-C", "-", "-o", `${at.kept}/file`, `${url}much`);
  assertEquals(resumed.code, 0, resumed.stderr);
  assertEquals(await sha256(`${at.kept}/file`), await sha256(`${at.served}/much`));
  const range = await curl("-r", "1000-1999", `${url}much`);
  assertEquals(range.bytes, whole.slice(1_000, 2_000));
  const old = await curl("--disable-epsv", `${url}folder/inside`);
  assertEquals(old.text, "inside\n");
  const ascii = await curl("--use-ascii", `${url}text`);
  assertEquals(ascii.text, "first\nsecond\n"); // it takes away each CR itself
  const names = await curl("--list-only", `${url}folder/`);
  assertEquals(names.text, "inside\n");

  const refused: [string[], number][] = [
    [["--ftp-port", "-", `${url}text`], 30], // PORT and EPRT
    [[`${url}out`], 78], // no such file
    [["--path-as-is", `${url}%2f..%2f..%2fetc/passwd`], 9], // no such folder
    [["-T", `${at.kept}/file`, `${url}new`], 25], // upload
    [["-u", "root:toor", url], 67], // login
  ];
  for (const [words, code] of refused) {
    const result = await curl(...words);
    assertEquals(result.code, code, `${words}: ${result.stderr}`);
    assertEquals(result.text, "");
  }
});

const { hostname: six, ignore } = HOSTS.find(({ suffix }) => suffix !== "")!;

peerTest("ftp_server and ftp_client use EPSV over IPv6, as curl does", ["curl"], async () => {
  using at = await stage();
  await using server = await ourServer(at, six);
  const text = await curl("-v", `ftp://[${six}]:${server.port}/text`);
  assertEquals(text.text, "first\nsecond\n", text.stderr);
  assertMatch(text.stderr, /< 229 /);
  const old = await curl("-v", "-Q", "PASV", `ftp://[${six}]:${server.port}/text`);
  assertMatch(old.stderr, /< 522 /);
  const start = [Deno.execPath(), "run", "--no-prompt", `--allow-net=[${six}]`];
  await using client = new Process([
    ...start,
    pathOf("remote/ftp_client"),
    `[${six}]:${server.port}`,
    "nlst",
    "folder",
  ]);
  assertEquals(await client.end(), 0, client.stderr.text);
  assertEquals(client.stdout.text, "inside\n");
}, { ignore });

peerTest("ftp_server serves curl with PASV over IPv4 when its socket is for both", [
  "curl",
], async () => {
  using at = await stage();
  await using server = await ourServer(at, "::");
  for (const way of ["--disable-epsv", "-v"]) {
    const text = await curl(way, `ftp://127.0.0.1:${server.port}/text`);
    assertEquals(text.text, "first\nsecond\n", text.stderr);
  }
}, { ignore });

peerTest("ftp_server serves Python's ftplib", ["python3"], async () => {
  using at = await stage();
  await using server = await ourServer(at);
  await using client = new Process(python("ftplib_client.py", "127.0.0.1", server.port));
  assertEquals(await client.end(), 0, client.stderr.text);
  const said = JSON.parse(client.stdout.text);
  const names = [...Object.keys({ ...SIZES, ...NAMES }), "text", "folder"];
  assertEquals(said.nlst.toSorted(), names.toSorted());
  assertEquals(Object.keys(said.mlsd).toSorted(), names.toSorted());
  assertEquals(said.list.length, names.length);
  for (const name of Object.keys({ ...SIZES, ...NAMES })) {
    assertEquals(said.sha256[name], await sha256(`${at.served}/${name}`), name);
  }
  assertEquals(said.facts, { size: "65536" });
  assertEquals(said["all facts"], ["modify", "size", "type"]);
  assertEquals([said.pwd, said.rest, said.text], ["/", 536, ["first", "second"]]);
  assertEquals([said.cwd[1], said.cwd[2], said.cwd[4]], ["/folder", ["inside"], "/"]);
  assertMatch(said.refused.PORT, /^502 /);
  for (const what of ["dots", "link", "STOR", "DELE"]) {
    assertMatch(said.refused[what], /^550 /, what);
  }
  assertMatch(said.quit, /^221/);
  assertEquals(await server.process.stop("SIGINT"), 0);
});

peerTest(
  "ftp_server breaks off a transfer at once when a client says ABOR",
  ["python3"],
  async () => {
    using at = await stage();
    await using server = await ourServer(at);
    await using client = new Process(python("ftplib_abort.py", "127.0.0.1", server.port, "much"));
    assertEquals(await client.end(), 0, client.stderr.text);
    const said = Object.entries(JSON.parse(client.stdout.text));
    assertEquals(said.length, 7);
    for (const [way, outcome] of said) {
      const expected = { codes: ["426", "226"], quick: true, nlst: true, quit: "221" };
      assertEquals(outcome, expected, way);
    }
    assertEquals(await server.process.stop("SIGINT"), 0);
  },
);

peerTest("Commands reads an urgent ABOR when all of it has come before", ["python3"], async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const program = "import socket, sys\n" +
    `with socket.create_connection(("127.0.0.1", ${listener.addr.port})) as client:\n` +
    '    client.send(b"\\xff\\xf4")\n' +
    '    client.send(b"\\xff\\xf2", socket.MSG_OOB)\n' +
    '    client.send(b"ABOR\\r\\n")\n' +
    '    print("sent", flush=True)\n' +
    "    sys.stdin.read()\n";
  await using client = new Process(["python3", "-c", program]);
  await client.stdout.line(/^sent$/);
  using connection = await listener.accept();
  const commands = new Commands(connection, { limit: 100, timeout: 10_000 });
  assertEquals(new TextDecoder().decode((await commands.next())!), "ABOR\r");
  await client.send();
  assertEquals(await client.end(), 0, client.stderr.text);
});
