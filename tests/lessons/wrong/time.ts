/**
 * Time servers, right ones in many formats, and some with the mistakes that students make.
 *
 * @module
 */

import { writeAll } from "../../../lib/write_all.ts";
import { atOnce, type Way } from "./serving.ts";

/** Answers reqtime in a format, with or without an end of line, in one piece or several. */
export function answering(
  format: (now: Date) => string,
  isQuestion = (text: string) => text.trim(),
): Way {
  return atOnce(async (connection) => {
    const buffer = new Uint8Array(64);
    for (let text = ""; text.length < 64;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, count));
      if (isQuestion(text) === "reqtime") return await writeAll(connection, format(new Date()));
      if (!"reqtime\r\n".startsWith(text)) return await writeAll(connection, "send reqtime");
    }
  });
}

const two = (value: number) => String(value).padStart(2, "0");
/** The parts of a time in the local zone. */
const parts = (now: Date) =>
  [now.getHours(), now.getMinutes(), now.getSeconds()].map(two) as [string, string, string];
/** Gives one part after the other. */
const one = (all: string[]) => () => all.shift()!;
const date = (now: Date) => `${two(now.getDate())}.${two(now.getMonth() + 1)}.${now.getFullYear()}`;
const chinese = (now: Date) => `${now.getFullYear()}年${now.getMonth() + 1}月${now.getDate()}日`;
const later = (hours: number, format: (now: Date) => string) => (now: Date) =>
  format(new Date(now.getTime() + hours * 3_600_000));
const utc = (now: Date) => now.toISOString().slice(11, 19);

/** How a right server may write the time. */
export const FORMATS: [name: string, format: (now: Date) => string][] = [
  ["as JavaScript does", String],
  ["as ISO 8601 does", (now) => now.toISOString()],
  ["as RFC 1123 does", (now) => now.toUTCString()],
  ["of America", (now) => now.toLocaleString("en-US")],
  ["of Germany", (now) => now.toLocaleString("de-DE", { dateStyle: "full", timeStyle: "medium" })],
  ["of China", (now) => `${chinese(now)} {}时{}分{}秒`.replace(/{}/g, one(parts(now)))],
  ["with points", (now) => `${date(now)} ${parts(now).join(".")}`],
  ["with dashes", (now) => parts(now).join("-")],
  ["with letters", (now) => parts(now).map((part, at) => part + "hms"[at]).join(" ")],
  ["in words", (now) => "Es ist {} Uhr {} und {} Sekunden".replace(/{}/g, one(parts(now)))],
  ["without zeros", (now) => parts(now).map(Number).join(":")],
  ["without anything", (now) => now.toISOString().slice(0, 19).replace(/\D/g, "")],
  ["since 1970", (now) => String(now.getTime() / 1000)],
  ["of Nepal", (now) => `${later(5.75, utc)(now)} +05:45`],
];

/** What the mistake is, the server that makes it, and the checker's words for it. */
export const WRONG_TIME: [mistake: string, server: Way, verdict: RegExp][] = [
  ["takes the date of yesterday", answering(later(-24, String)), /it is 1 day behind; look at the/],
  [
    "is an hour late",
    answering(later(-1, String)),
    /it is 1 hour behind; is it the time of another/,
  ],
  [
    "is a quarter late",
    answering(later(-0.25, String)),
    /it is 15 minutes behind; look at the serv/,
  ],
  ["is half a minute early", answering(later(1 / 120, String)), /it is (2\d|30) seconds ahead/],
  [
    "says that local time is UTC",
    answering((now) => `${later(2, utc)(now)}Z`),
    /it is 2 hours ahead; is it the time of another zone/,
  ],
  [
    "counts hours to 12",
    answering(later(12, String)),
    /it is 12 hours (behind|ahead); hours that go up to 12 need AM or PM/,
  ],
  ["gives no seconds", answering((now) => utc(now).slice(0, 5)), /the time has no seconds/],
  ["gives a date", answering(date), /that is no time that can be read/],
  [
    "counts from 1970, a day late",
    answering((now) => `${now.getTime() / 1000 - 86_400}`),
    /it is 1 day behind/,
  ],
  [
    "compares with exactly reqtime",
    answering(String, (text) => text),
    /it compares with exactly reqtime/,
  ],
];
