/**
 * Carries WS-Management's messages by HTTP: a POST each, Basic authentication, every step limited.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { visible } from "./display.ts";
import { ActionError } from "./errors.ts";
import { Token } from "./token.ts";
import { UsageError } from "./usage.ts";
import { type Message, readReply, requestEnvelope } from "./wsman.ts";
import { notReached, WsmanError } from "./wsman_error.ts";
import { WsmanFault } from "./wsman_fault.ts";
import { type XmlElement, XmlError } from "./xml.ts";

/** Where a WinRM server is, and how to log in there. */
export interface WsmanOptions {
  hostname: string;
  /** 5986 unless told, 5985 for plain HTTP. */
  port?: number;
  user: string;
  password: string;
  /** Certificates as PEM that are trusted besides those that the system trusts. */
  ca?: string;
  /** Sends password and commands readable for everybody on the way. */
  insecureHttp?: boolean;
  /** Is shown every envelope; the login is in none. */
  trace?: (direction: "sent" | "received", envelope: string) => void;
}

/** Larger than any answer that {@linkcode MAX_ENVELOPE} allows. */
const LONGEST_ANSWER = 1024 * 1024;
/** What a server may take longer than it was given, in milliseconds. */
const ALLOWANCE = 10_000;

/**
 * A client of one server.
 *
 * Plain HTTP goes to the server directly, since a proxy that HTTP_PROXY names would be handed the password.
 * HTTPS goes through the proxy of HTTPS_PROXY, which sees nothing of it; NO_PROXY=127.0.0.1 goes past it.
 */
export class WsmanClient implements Disposable {
  readonly url: string;
  readonly #login: Token;
  readonly #http: Deno.HttpClient;
  readonly #trace: NonNullable<WsmanOptions["trace"]>;

  /** @throws {UsageError} for a user name with a colon, or a `ca` without certificates */
  constructor(options: WsmanOptions) {
    const { hostname, user, password, ca, insecureHttp, trace = () => {} } = options;
    const port = options.port ?? (insecureHttp ? 5985 : 5986);
    if (user.includes(":")) {
      throw new UsageError("a user name has no colon in Basic authentication");
    }
    if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
      throw new UsageError("the file of --ca holds no certificate: it has to be PEM");
    }
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.url = `${insecureHttp ? "http" : "https"}://${host}:${port}/wsman`;
    this.#login = new Token(new TextEncoder().encode(`${user}:${password}`).toBase64());
    this.#http = Deno.createHttpClient({
      // what WinRM is known to speak everywhere
      http2: false,
      ...(ca !== undefined && { caCerts: [ca] }),
      ...(insecureHttp && { proxy: { transport: "tcp", hostname, port } }),
    });
    this.#trace = trace;
  }

  /**
   * Sends a message and waits for its answer.
   *
   * @param options.signal gives up, and throws the signal's reason
   * @param options.timeout in milliseconds; 10 s more than the operation timeout unless told
   * @returns the envelope, or `undefined` for an answer without one
   * @throws {WsmanFault} when the server answers a fault
   * @throws {WsmanError} when there is no answer, or none that can be read
   * @throws {ActionError} when Deno was not given `--allow-net` for it
   */
  async post(
    message: Message,
    options: { signal?: AbortSignal; timeout?: number } = {},
  ): Promise<XmlElement | undefined> {
    const { signal } = options;
    const timeout = options.timeout ?? (message.operationTimeout ?? 20) * 1_000 + ALLOWANCE;
    const messageId = `uuid:${crypto.randomUUID()}`;
    const body = requestEnvelope(this.url, messageId, message);
    signal?.throwIfAborted();
    this.#trace("sent", body);
    const late = new AbortController();
    using _deadline = after(timeout, () => late.abort());
    try {
      const response = await fetch(this.url, {
        client: this.#http,
        method: "POST",
        headers: {
          "authorization": `Basic ${this.#login.reveal()}`,
          "content-type": "application/soap+xml;charset=UTF-8",
        },
        body,
        // the login goes to the server that was named and to no other
        redirect: "manual",
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      });
      const text = await textOf(response);
      this.#trace("received", text);
      return this.#understand(response.status, text, messageId);
    } catch (error) {
      if (error instanceof WsmanFault || error instanceof WsmanError) throw error;
      signal?.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw new ActionError(`call ${this.url}`, error);
      const what = `${message.action} was sent to ${this.url}`;
      if (late.signal.aborted) {
        const reason = `${what}: no whole answer came within ${timeout / 1_000} s`;
        throw new WsmanError("timeout", {
          reason,
          next: "Check host and port, or try again later.",
        });
      }
      if (error instanceof XmlError) {
        throw new WsmanError("answer", {
          reason: `${what}, and what came back makes no sense: ${visible(error.message)}`,
        });
      }
      throw notReached(this.url, error);
    }
  }

  #understand(status: number, text: string, messageId: string): XmlElement | undefined {
    if (status === 401) {
      throw new WsmanError("login", {
        reason: `${this.url} refuses the login (HTTP 401)`,
        next: "Check user and password; and Windows has to allow Basic: " +
          String.raw`Set-Item WSMan:\localhost\Service\Auth\Basic $true`,
      });
    }
    if (status === 429) {
      const reason =
        `${this.url} refuses the login: there were too many wrong passwords (HTTP 429)`;
      throw new WsmanError("login", { reason, next: "Wait a minute, then try again." });
    }
    if (status === 200) return text.trim() === "" ? undefined : readReply(text, messageId);
    let more = "";
    try {
      // faults come with 500, and 400 from some
      readReply(text, messageId);
    } catch (error) {
      if (error instanceof WsmanFault) throw error;
      more = text.trim() === "" ? " without a word" : ", and no fault in it";
    }
    throw new WsmanError("answer", {
      reason: `${this.url} answers HTTP ${status}${more}`,
      next: status === 404 ? "Check host and port: there is no WinRM at /wsman." : undefined,
    });
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LONGEST_ANSWER) {
      throw new XmlError(`it is longer than ${LONGEST_ANSWER} bytes`);
    }
  }
  return text + decoder.decode();
}
