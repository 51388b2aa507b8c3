/**
 * A Slack that misbehaves on purpose, and the forwarders that must get along with it.
 *
 * @module
 */

import { SocketReader } from "../../lib/reader.ts";
import { parseLesson } from "../../lib/lesson.ts";
import { Process } from "../peers/process.ts";

/** What Slack does with a message. */
export type Fault =
  | "ok"
  | "429"
  | "503"
  | "not ok"
  | "garbage"
  | "echo"
  | "hang"
  | "drop"
  | "half";

/** The token of all tests: no output may have it. */
export const SECRET = "xoxb-31415-do-not-show-me";

/** A stand-in that speaks HTTP by hand, since a server of Deno's never answers badly. */
export class FakeSlack implements AsyncDisposable {
  /** What it has taken, in order. */
  readonly taken: string[] = [];
  readonly #faults: Fault[];
  readonly #always: Fault;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  #finished: Promise<void>;

  /**
   * @param faults what it does with the first messages
   * @param options.always what it does with the others
   */
  constructor(faults: Fault[] = [], options: { port?: number; always?: Fault } = {}) {
    this.#faults = [...faults];
    this.#always = options.always ?? "ok";
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
    this.#finished = this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get api(): string {
    return `http://127.0.0.1:${this.port}/api`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await this.#finished;
  }

  async #serve(): Promise<void> {
    const conversations: Promise<void>[] = [];
    try {
      for (;;) conversations.push(this.#converse(await this.#listener.accept()));
    } catch {
      // closed
    }
    await Promise.all(conversations);
  }

  async #converse(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    try {
      const reader = new SocketReader(connection);
      const head = new TextDecoder().decode((await reader.readUntil("\r\n\r\n"))!);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const body = new TextDecoder().decode((await reader.readExactly(length))!);
      const fault = head.includes("chat.postMessage") ? this.#faults.shift() ?? this.#always : "ok";
      if (fault === "ok" && length > 2) this.taken.push(JSON.parse(body).text);
      if (fault === "hang") await reader.readAll({ timeout: 60_000 });
      const answer = new TextEncoder().encode(ANSWERS[fault](head));
      for (let sent = 0; sent < answer.length;) {
        sent += await connection.write(answer.subarray(sent));
      }
    } catch {
      // the client, or the test, has closed it
    } finally {
      this.#open.delete(connection);
      try {
        connection.close();
      } catch {
        // it is closed
      }
    }
  }
}

function http(status: string, body: string, headers = ""): string {
  const length = new TextEncoder().encode(body).length;
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${length}\r\nconnection: close\r\n\r\n${body}`;
}

const ANSWERS: Record<Fault, (head: string) => string> = {
  "ok": () => http("200 OK", '{"ok":true,"ts":"1.000001"}'),
  "429": () => http("429 Too Many", '{"ok":false,"error":"ratelimited"}', "retry-after: 1\r\n"),
  "503": () => http("503 Unavailable", "<html><h1>503</h1></html>", "content-type: text/html\r\n"),
  "not ok": () => http("200 OK", '{"ok":false,"error":"internal_error"}'),
  "garbage": () => http("200 OK", '{"ok":tr\0\x1b[2J'),
  // an error page that repeats the request, as some proxies have it
  "echo": (head) => http("502 Bad Gateway", `<html>${head}</html>`),
  "hang": () => "",
  "drop": () => "",
  "half": () => http("200 OK", '{"ok":true,"ts":"1.000001"}').slice(0, -10),
};

/** Starts a script of the chapter, its flags moved to the test's own ports and folder. */
export function startSlackScript(
  name: string,
  replace: [from: string, to: string][],
  words: string[],
): Process {
  const root = new URL("../../", import.meta.url).pathname;
  const path = `${root}scripts/slack/${name}.ts`;
  const { flags } = parseLesson(`scripts/slack/${name}.ts`, Deno.readTextFileSync(path)).runs[0]!;
  const moved = flags.map((flag) =>
    replace.reduce((text, [from, to]) => text.replaceAll(from, to), flag)
  );
  return new Process([Deno.execPath(), "run", "--no-prompt", ...moved, path, ...words], {
    env: { SLACK_TOKEN: SECRET },
  });
}

/** A `tcp_to_slack.ts` that listens. */
export async function startForwarder(
  slack: { port: number },
  spool: string,
  ...words: string[]
): Promise<Process & { port: number }> {
  const process = startSlackScript("tcp_to_slack", [
    ["127.0.0.1:5008", "127.0.0.1:0"],
    ["127.0.0.1:5010", `127.0.0.1:${slack.port}`],
    ["/tmp/tcp_to_slack", spool],
  ], [
    "--port=0",
    `--api=http://127.0.0.1:${slack.port}/api`,
    `--spool=${spool}`,
    "--pace=5",
    ...words,
  ]);
  const [, port] = await process.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/);
  return Object.assign(process, { port: Number(port) });
}

/**
 * A client that sends lines and waits for the thanks for each; gives those that it was thanked for.
 *
 * @param onThanks is told how many so far
 */
export async function sendLines(
  port: number,
  lines: string[],
  onThanks: (count: number) => void = () => {},
): Promise<string[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const reader = new SocketReader(connection);
  const thanked: string[] = [];
  try {
    for (const line of lines) {
      await connection.write(new TextEncoder().encode(`${line}\n`));
      const answer = await reader.readLine();
      if (answer === null) break;
      if (answer === "Thank you for reaching us") onThanks(thanked.push(line));
    }
  } catch {
    // the forwarder was killed
  }
  return thanked;
}
