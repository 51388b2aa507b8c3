#!/usr/bin/env -S deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 --allow-read=/tmp/winrm_ca.pem
/**
 * Run a command on Windows: WinRM by hand
 *
 * Windows' way to what SSH does: each step is an HTTP POST of a SOAP envelope, an XML text, to /wsman. Six
 * kinds of them make a command run; --trace shows them. The server never speaks first, so the client asks for
 * output again and again: a fault with the code 2150858793 says "nothing yet", and is no failure.
 *
 * Basic authentication sends the password itself, so it goes over HTTPS, to a server whose certificate is
 * checked. Plain HTTP takes --insecure-http. The password comes from WINRM_PASSWORD or a prompt. Standard
 * input is forwarded, unless it is a terminal; stdout, stderr and the exit code are the command's.
 *
 * @lecture 001 Winrm · Some tools which use pywinrm and paramiko
 * @python  winrm.Session → new WsmanClient, session.run_cmd → createShell, session.run_ps → powershellLine
 * @partner scripts/remote/winrm_server.ts
 * @run     WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 \
 *          --allow-read=/tmp/winrm_ca.pem scripts/remote/winrm_exec.ts --ca /tmp/winrm_ca.pem \
 *          student@127.0.0.1:5986 "echo '1 < 2 & 3'"
 * @expect  1 < 2 & 3
 * @run     WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 \
 *          --allow-read=/tmp/winrm_ca.pem scripts/remote/winrm_exec.ts --ca /tmp/winrm_ca.pem --trace \
 *          student@127.0.0.1:5986 sort
 * @stdin   pear
 * @stdin   apple
 * @expect  apple
 * @expect  pear
 * @log     > *transfer/Create*
 * @log     <*<rsp:ShellId>*</rsp:ShellId>
 * @log     > *shell/Command*
 * @log     >*<rsp:Command>sort</rsp:Command>
 * @log     > *shell/signal/terminate*
 * @log     > *transfer/Delete*
 * @run     WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 \
 *          --allow-read=/tmp/winrm_ca.pem scripts/remote/winrm_exec.ts --ca /tmp/winrm_ca.pem --powershell \
 *          student@127.0.0.1:5986 "echo 'naïve: 5 €'"
 * @expect  naïve: 5 €
 * @argument TARGET                  USER@HOST or USER@HOST:PORT, an IPv6 address in brackets
 * @argument COMMAND                 a command line, quoted as one word
 * @option  --powershell             the command is a script for PowerShell
 * @option  --ca FILE                trust the certificates in this file too
 * @option  --insecure-http          plain HTTP: all on the way can read and change everything
 * @option  --no-stdin               send no input, not even its end
 * @option  --code-page COUNT        how the output is encoded (default: 65001)
 * @option  --timeout SECONDS        how long all of it may take (default: 3600)
 * @option  --poll SECONDS           how long the server may wait for output (default: 20)
 * @option  --trace                  show the envelopes on stderr
 * @see     https://learn.microsoft.com/openspecs/windows_protocols/ms-wsmv
 * @module
 */

import { run } from "../../lib/cli.ts";
import { after } from "../../lib/deadline.ts";
import { visible } from "../../lib/display.ts";
import { readAuthority } from "../../lib/authority_file.ts";
import { pause } from "../../lib/pause.ts";
import { powershellLine } from "../../lib/powershell.ts";
import { password } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import {
  createShell,
  deleteShell,
  receiveOutput,
  signalCommand,
  startCommand,
  WsmanClient,
} from "../../lib/winrm.ts";
import { OutputPrinter } from "../../lib/winrm_output.ts";
import { isEmpty, sayGoodbye, sendAll } from "../../lib/winrm_run.ts";
import { parseWinrmTarget } from "../../lib/winrm_target.ts";
import { indented } from "../../lib/xml_text.ts";

/** What the command line says. */
export interface Options {
  target: string;
  command: string;
  powershell: boolean;
  ca?: string;
  insecureHttp: boolean;
  noStdin: boolean;
  codePage: number;
  timeout: number;
  poll: number;
  trace: boolean;
}

const GOODBYE = { timeout: 4_000 }; // milliseconds for each of the last two messages

/** Runs a command in a shell of its own, and gives its exit code. */
export async function execute(
  client: WsmanClient,
  line: string,
  options: { codePage: number; operationTimeout: number; clixml: boolean; signal: AbortSignal },
  input?: AsyncIterable<Uint8Array>,
): Promise<number> {
  const { codePage, operationTimeout, clixml, signal } = options;
  const stdout = new OutputPrinter(Deno.stdout, { codePage });
  const stderr = new OutputPrinter(Deno.stderr, { codePage, clixml });

  const shellId = await createShell(client, { codePage, signal });
  try {
    const command = await startCommand(client, shellId, line, { signal });
    try {
      // what it reads goes there while what it prints comes back
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      if (input) sendAll(client, command, input, either).catch((error) => failed.abort(error));
      for (;;) {
        const output = await receiveOutput(client, command, { operationTimeout, signal: either });
        if (!output || isEmpty(output)) {
          await pause(100, either);
          continue;
        }
        await stdout.print(output.stdout);
        await stderr.print(output.stderr);
        if (output.done) return output.exitCode!;
      }
    } finally {
      await stdout.end();
      await stderr.end();
      await sayGoodbye(() => signalCommand(client, command, "terminate", GOODBYE));
    }
  } finally {
    // a shell that is left open counts against the user's quota
    await sayGoodbye(() => deleteShell(client, shellId, GOODBYE));
  }
}

/** Shows envelopes: those that go out after `>`, those that come in after `<`. The login is in none. */
function show(direction: "sent" | "received", envelope: string): void {
  for (const line of indented(envelope)) {
    console.error(`${direction === "sent" ? ">" : "<"} ${visible(line)}`);
  }
}

export async function main(options: Options): Promise<void> {
  const { ca, insecureHttp, codePage, poll } = options;
  const target = parseWinrmTarget(options.target);
  const line = options.powershell ? powershellLine(options.command) : options.command;
  if (insecureHttp) {
    console.error("warning: plain HTTP: the password and all else can be read on the way");
  }
  using client = new WsmanClient({
    ...target,
    password: await password("WINRM_PASSWORD", `Password of ${options.target}:`),
    ca: ca && await readAuthority(ca, `read the certificates in ${ca}`),
    insecureHttp,
    trace: options.trace ? show : undefined,
  });
  const stop = new AbortController();
  const giveUp = () => stop.abort(new Error(`it took longer than ${options.timeout} s`));
  using _deadline = after(options.timeout * 1_000, giveUp);
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    stop.abort(new Error("interrupted"));
  };
  using _stopping = onInterrupt(interrupt, { grace: 10_000, code: 130 });
  // a command started at a terminal reads nothing: its input ends at once
  const stdin = Deno.stdin.isTerminal() ? ReadableStream.from([]) : Deno.stdin.readable;
  const run = { codePage, operationTimeout: poll, clixml: options.powershell, signal: stop.signal };
  const code = await execute(client, line, run, options.noStdin ? undefined : stdin).catch(
    (error) => {
      if (interrupted) return 130;
      throw error;
    },
  );
  if (code < 0 || code > 255) console.error(`exit code ${code}, told as 255`);
  // not by itself: standard input may still be open
  Deno.exit(code < 0 || code > 255 ? 255 : code);
}

if (import.meta.main) await run(main);
