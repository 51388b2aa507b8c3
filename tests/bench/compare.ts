/**
 * Comparisons: every round measures every contender once, so that what disturbs the machine disturbs all of
 * them, and a ratio is always of two figures from one round.
 *
 * @module
 */

/** What one measurement found, by name. */
export type Sample = Record<string, number>;

/** One round: a sample of each contender that can be run here. */
export type Round = Record<string, Sample | undefined>;

/** Things that do the same work in different ways. */
export interface Comparison {
  name: string;
  title: string;
  /** The figures of a sample that are shown, each with its unit. */
  shown: Record<string, string>;
  contenders: Record<string, () => Promise<Sample>>;
  goals: Goal[];
}

/** What is to be reached. */
export interface Goal {
  text: string;
  /** A figure of each round; `undefined` when a contender it needs is missing. */
  of: (round: Round) => number | undefined;
  atLeast?: number;
  atMost?: number;
}

/** A median and how far the rounds lie apart. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** The result of a goal: `met` is missing when nothing could be measured. */
export interface Outcome {
  text: string;
  goal: string;
  spread?: Spread;
  met?: boolean;
}

/** Measures all rounds of a comparison. */
export async function measure(comparison: Comparison, rounds: number): Promise<Round[]> {
  const names = Object.keys(comparison.contenders);
  const all: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const round: Round = {};
    // who comes first changes, in case going first is an advantage
    for (const name of number % 2 === 0 ? names : names.toReversed()) {
      round[name] = await comparison.contenders[name]!();
    }
    all.push(round);
  }
  return all;
}

/** One sample's figure over another's, in the same round. */
export function ratio(one: string, other: string, figure = "rate"): Goal["of"] {
  return (round) => {
    const upper = round[one]?.[figure], lower = round[other]?.[figure];
    if (upper === undefined || lower === undefined) return undefined;
    // else whoever did nothing at all would make the other look good
    if (!(upper > 0 && lower > 0)) throw new Error(`${one} or ${other} has a ${figure} of 0`);
    return upper / lower;
  };
}

/** Compares a goal with what was measured. */
export function judge({ text, of, atLeast, atMost }: Goal, rounds: Round[]): Outcome {
  const goal = atLeast === undefined ? `goal ≤ ${atMost}` : `goal ≥ ${atLeast}`;
  const values = rounds.map(of).filter((value) => value !== undefined);
  if (values.length === 0) return { text, goal };
  const { median } = spread(values);
  const met = median >= (atLeast ?? -Infinity) && median <= (atMost ?? Infinity);
  return { text, goal, spread: spread(values), met };
}

/** The median of some numbers, and the outermost. */
export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}
