/**
 * The words of telnet: commands, which stand in the stream of data behind the byte IAC, 255.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc854 RFC 854}
 * @module
 */

/** The bytes that may follow IAC; those from 236 to 238 are of RFC 1184, 239 of RFC 885. */
export const COMMANDS = {
  EOF: 236,
  SUSP: 237,
  ABORT: 238,
  EOR: 239,
  SE: 240,
  NOP: 241,
  DM: 242,
  BRK: 243,
  IP: 244,
  AO: 245,
  AYT: 246,
  EC: 247,
  EL: 248,
  GA: 249,
  SB: 250,
  WILL: 251,
  WONT: 252,
  DO: 253,
  DONT: 254,
  IAC: 255,
} as const;

/** How a side speaks about an option: WILL and WONT of its own doing, DO and DONT of the other's. */
export type Verb = "WILL" | "WONT" | "DO" | "DONT";

const { SE, SB, IAC } = COMMANDS;
const INTERRUPTIONS: readonly number[] = [
  COMMANDS.SUSP,
  COMMANDS.ABORT,
  COMMANDS.BRK,
  COMMANDS.IP,
  COMMANDS.AO,
];

/** Data as it is sent: each byte that would be read as IAC is doubled. */
export function escaped(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  const sent = new Uint8Array(2 * bytes.length);
  let length = 0;
  for (const byte of bytes) {
    sent[length++] = byte;
    if (byte === IAC) sent[length++] = IAC;
  }
  return sent.subarray(0, length);
}

/**
 * Whether what is sent stops a program: `^C`, `^Z`, `^\`, or a command that means the same.
 *
 * @example
 * ```ts
 * import { command, COMMANDS, interrupts } from "./telnet_commands.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([interrupts(Uint8Array.of(3)), interrupts(command(COMMANDS.IP))], [true, true]);
 * assertEquals(interrupts(command(COMMANDS.AYT)), false);
 * ```
 */
export function interrupts(bytes: Uint8Array): boolean {
  const [first, code] = bytes;
  return first === IAC
    ? bytes.length === 2 && INTERRUPTIONS.includes(code!)
    : bytes.some((key) => key === 0x03 || key === 0x1a || key === 0x1c);
}

/** A command of one byte. */
export function command(code: number): Uint8Array {
  return Uint8Array.of(IAC, code);
}

/** A word about an option. */
export function negotiation(verb: Verb, option: number): Uint8Array {
  return Uint8Array.of(IAC, COMMANDS[verb], option);
}

/** What belongs to an option, between SB and SE. */
export function subnegotiation(option: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(IAC, SB, option, ...escaped(bytes), IAC, SE);
}
