/**
 * What an MQTT message holds, for a person and for a program. MQTT carries bytes; text is a habit.
 *
 * @module
 */

import type { IPublishPacket } from "mqtt";

/** The text of a payload; undefined when it is no UTF-8. */
export function textOf(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return undefined;
  }
}

/** A message as a line for a program: bytes that are no text in base64, nothing invisible in it. */
export function jsonOf(topic: string, payload: Uint8Array, packet: IPublishPacket): string {
  const { qos, retain, dup } = packet;
  const text = textOf(payload);
  const content = text === undefined ? { base64: payload.toBase64() } : { text };
  return JSON.stringify({ topic, ...content, qos, retain, dup }).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => sign.split("").map((unit) => `\\u${hex(unit)}`).join(""),
  );
}

const hex = (unit: string) => unit.charCodeAt(0).toString(16).padStart(4, "0");
