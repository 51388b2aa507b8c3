/**
 * How fast the library is, beside the same work done without it.
 *
 *     deno task bench [--only NAME] [--rounds COUNT] [--json]
 *
 * Each comparison is measured in rounds; a figure is the median of the rounds, with the least and the most in
 * brackets. Servers are started afresh for each measurement, so that none profits from what was before.
 *
 * @module
 */

import { type Comparison, judge, measure, type Outcome, type Round, spread } from "./compare.ts";
import { comparisons } from "./comparisons.ts";
import { mqttComparisons } from "./mqtt.ts";
import { prepare } from "./place.ts";
import { endAll } from "./processes.ts";
import { sshComparisons } from "./ssh.ts";
import { tapComparison } from "./tap.ts";

const USAGE = "usage: deno task bench [--only NAME] [--rounds COUNT] [--json]";

interface Options {
  only: string;
  rounds: number;
  json: boolean;
}

function readOptions(words: string[]): Options {
  const options: Options = { only: "", rounds: 7, json: false };
  for (const left = [...words]; left.length > 0;) {
    const word = left.shift();
    if (word === "--json") options.json = true;
    else if (word === "--only") options.only = left.shift() ?? "";
    else if (word === "--rounds") options.rounds = Number(left.shift());
    else throw new SyntaxError(`there is no option ${word}, only --only, --rounds and --json`);
  }
  if (!(options.rounds >= 1)) throw new SyntaxError("--rounds needs a number from 1");
  return options;
}

function show(comparison: Comparison, rounds: Round[], outcomes: Outcome[]): void {
  console.log(`\n${comparison.title} (--only ${comparison.name})`);
  for (const name of Object.keys(comparison.contenders)) {
    const figures = Object.entries(comparison.shown).map(([figure, unit]) => {
      const { median, least, most } = spread(rounds.map((round) => round[name]![figure]!));
      return `${whole(median)} ${unit} [${whole(least)}–${whole(most)}]`;
    });
    console.log(`  ${name.padEnd(28)} ${figures.join(", ")}`);
  }
  for (const { text, goal, spread, met } of outcomes) {
    const found = spread
      ? `${short(spread.median)} [${short(spread.least)}–${short(spread.most)}]`
      : "not measured";
    const verdict = met === undefined ? "unknown" : met ? "met" : "NOT met";
    console.log(`  ${text.padEnd(28)} ${found.padEnd(28)} ${goal}: ${verdict}`);
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function short(value: number): string {
  return value >= 100 ? whole(value) : value.toFixed(2);
}

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) return console.log(USAGE);
  const { only, rounds, json } = readOptions(Deno.args);
  await using place = await prepare();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, async () => {
      endAll();
      await place[Symbol.asyncDispose]();
      Deno.exit(130);
    });
  }
  const all = [
    ...comparisons(place),
    tapComparison(place),
    ...await mqttComparisons(place),
    ...await sshComparisons(place),
  ];
  const chosen = all.filter(({ name }) => name.startsWith(only));
  if (chosen.length === 0) {
    const names = all.map(({ name }) => name).join(", ");
    throw new SyntaxError(`there is no comparison "${only}", only ${names}`);
  }
  if (!json) place.notes.forEach((note) => console.log(note));
  const results = [];
  for (const comparison of chosen) {
    const { name, title, goals } = comparison;
    try {
      const measured = await measure(comparison, rounds);
      const outcomes = goals.map((goal) => judge(goal, measured));
      if (!json) show(comparison, measured, outcomes);
      results.push({ name, title, rounds: measured, outcomes });
    } catch (error) {
      // one comparison that fails does not take the others with it
      console.error(`${name}: ${error}`);
      Deno.exitCode = 1;
    }
  }
  if (json) console.log(JSON.stringify({ notes: place.notes, results }, null, 2));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SyntaxError)) throw error;
  console.error(`bench: ${error.message}\n${USAGE}`);
  Deno.exit(2);
}
