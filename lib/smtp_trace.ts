/**
 * What a server writes before a mail that it stores: from whom it had it, and when.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.4 RFC 5321, 4.4}
 * @module
 */

import { mailDate } from "./mail_compose.ts";

/** How a mail came. */
export interface Arrival {
  /** The sender of the envelope; empty for a report that nobody is to answer. */
  from: string;
  to: string[];
  /** How the client called itself: anything at all. */
  hello: string;
  /** Its address, which is known. */
  client: string;
  /** The server's own name. */
  name: string;
  /** ESMTPS over TLS. */
  protocol: "SMTP" | "ESMTP" | "ESMTPS";
  date?: Date;
}

/**
 * Gives `Return-Path` and `Received` as lines.
 *
 * @example
 * ```ts
 * import { traceOf } from "./smtp_trace.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const trace = traceOf({
 *   from: "alice@example.org",
 *   to: ["bob@example.org"],
 *   hello: "client.example",
 *   client: "127.0.0.1",
 *   name: "localhost",
 *   protocol: "ESMTP",
 *   date: new Date(0),
 * });
 * assertEquals(
 *   trace,
 *   "Return-Path: <alice@example.org>\r\n" +
 *     "Received: from client.example ([127.0.0.1])\r\n" +
 *     "\tby localhost with ESMTP\r\n" +
 *     "\tfor <bob@example.org>; Thu, 01 Jan 1970 00:00:00 +0000\r\n",
 * );
 * ```
 */
export function traceOf(arrival: Arrival): string {
  const { from, to, hello, client, name, protocol, date = new Date() } = arrival;
  // who says hello may say anything
  const called = /^[\w.:[\]-]{1,255}$/.test(hello) ? hello : "unknown";
  const address = client.includes(":") ? `IPv6:${client}` : client;
  // several would tell each of them who else has got it
  const single = to.length === 1 ? `\r\n\tfor <${to[0]}>` : "";
  return `Return-Path: <${from}>\r\n` +
    `Received: from ${called} ([${address}])\r\n` +
    `\tby ${name} with ${protocol}${single}; ${mailDate(date)}\r\n`;
}
