/**
 * The options of a telnet conversation: each side of each is on or off, and both sides must agree.
 *
 * Two programs that answer each answer would go on for ever. The Q method of
 * {@link https://www.rfc-editor.org/rfc/rfc1143 RFC 1143} remembers what was asked for: a word that answers a
 * request, or that tells nothing new, gets no answer.
 *
 * @module
 */

import { negotiation, type Verb } from "./telnet_commands.ts";

export * from "./telnet_terminal.ts";

/** The options that these lessons know, by the numbers of the IANA. */
export const OPTIONS = {
  BINARY: 0,
  ECHO: 1,
  SGA: 3,
  STATUS: 5,
  TM: 6,
  TTYPE: 24,
  NAWS: 31,
} as const;

/** The name of an option, or its number. */
export function optionName(option: number): string {
  return Object.entries(OPTIONS).find(([, number]) => number === option)?.[0] ?? String(option);
}

/** Whose doing it is: `local` is ours. */
export type Side = "local" | "remote";

/** WANTNO and WANTYES wait for an answer; OPPOSITE means that the contrary was asked for meanwhile. */
type State = "NO" | "YES" | "WANTNO" | "WANTNO OPPOSITE" | "WANTYES" | "WANTYES OPPOSITE";

/** What comes of a word: what to send, and whether the option is now on or off. */
export interface Outcome {
  reply?: Uint8Array;
  /** Set when it was the other way before. */
  changed?: { side: Side; option: number; on: boolean };
}

/**
 * All options of one conversation; at first all are off.
 *
 * @example
 * ```ts
 * import { OPTIONS, TelnetOptions } from "./telnet_options.ts";
 * import { negotiation } from "./telnet.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options = new TelnetOptions({ remote: [OPTIONS.ECHO] });
 * assertEquals(options.receive("WILL", OPTIONS.ECHO).reply, negotiation("DO", OPTIONS.ECHO));
 * assertEquals(options.receive("WILL", OPTIONS.ECHO).reply, undefined);
 * assertEquals(options.receive("DO", OPTIONS.ECHO).reply, negotiation("WONT", OPTIONS.ECHO));
 * ```
 */
export class TelnetOptions {
  readonly #agreed: Record<Side, readonly number[]>;
  readonly #states = new Map<string, State>();

  /** @param agreed the options that each side may do when the other side asks; all else is refused */
  constructor(agreed: Partial<Record<Side, readonly number[]>>) {
    this.#agreed = { local: [], remote: [], ...agreed };
  }

  /** Whether an option is on. */
  on(side: Side, option: number): boolean {
    return isOn(this.#state(side, option));
  }

  /** The options that are on at a side. */
  all(side: Side): number[] {
    return Array.from({ length: 256 }, (_, option) => option)
      .filter((option) => this.on(side, option));
  }

  /** Hears a word of the other side. */
  receive(verb: Verb, option: number): Outcome {
    const side = verb === "WILL" || verb === "WONT" ? "remote" : "local";
    const before = this.#state(side, option);
    const positive = verb === "WILL" || verb === "DO";
    const agree = this.#agreed[side].includes(option);
    const [after, answer] = positive ? heardYes(before, agree) : heardNo(before);
    this.#states.set(`${side} ${option}`, after);
    return {
      ...(answer !== undefined && { reply: say(side, answer, option) }),
      ...(isOn(before) !== isOn(after) && { changed: { side, option, on: isOn(after) } }),
    };
  }

  /** Asks for an option to be on or off; gives what to send, if anything. */
  request(side: Side, option: number, on: boolean): Uint8Array | undefined {
    const [after, ask] = asked(this.#state(side, option), on);
    this.#states.set(`${side} ${option}`, after);
    return ask ? say(side, on, option) : undefined;
  }

  #state(side: Side, option: number): State {
    return this.#states.get(`${side} ${option}`) ?? "NO";
  }
}

function isOn(state: State): boolean {
  // an option that is to be switched off is on until the other side has heard of it
  return state === "YES" || state.startsWith("WANTNO");
}

function say(side: Side, positive: boolean, option: number): Uint8Array {
  const [yes, no] = side === "local" ? ["WILL", "WONT"] as const : ["DO", "DONT"] as const;
  return negotiation(positive ? yes : no, option);
}

/** The next state after WILL or DO, and the answer, if any. */
function heardYes(state: State, agree: boolean): [State, boolean?] {
  switch (state) {
    case "NO":
      return agree ? ["YES", true] : ["NO", false];
    case "WANTNO": // a mistake of the other side: our no was answered with yes
      return ["NO"];
    case "WANTYES OPPOSITE":
      return ["WANTNO", false];
    default:
      return ["YES"];
  }
}

/** The next state after WONT or DONT, to which nobody can say no. */
function heardNo(state: State): [State, boolean?] {
  switch (state) {
    case "YES":
      return ["NO", false];
    case "WANTNO OPPOSITE":
      return ["WANTYES", true];
    default:
      return ["NO"];
  }
}

/** The next state after a wish of our own, and whether it is sent now. */
function asked(state: State, on: boolean): [State, boolean] {
  if (state === "NO" || state === "YES") {
    return (state === "YES") === on ? [state, false] : [on ? "WANTYES" : "WANTNO", true];
  }
  // a request is under way: what is wanted now waits for its answer
  const [underWay] = state.split(" ") as ["WANTNO" | "WANTYES"];
  return [(underWay === "WANTYES") === on ? underWay : `${underWay} OPPOSITE`, false];
}
