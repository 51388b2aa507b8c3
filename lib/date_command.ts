/**
 * The command that sets the clock. Systems have programs of one name, `date`, that want the time in
 * different ways.
 *
 * @module
 */

/**
 * Program and arguments.
 *
 * GNU's `date -s` takes a time with milliseconds. Those of macOS and the BSDs take digits without them, in an
 * order of their own; the time is rounded to a second there.
 *
 * @param time milliseconds since 1970
 * @param os as `Deno.build.os`
 * @throws {Error} on Windows, which has no such program
 * @see {@link https://man7.org/linux/man-pages/man1/date.1.html date (GNU)}
 *
 * @example
 * ```ts
 * import { dateCommand } from "./date_command.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const time = Date.UTC(2026, 10, 22, 1, 24, 25, 297);
 * assertEquals(dateCommand(time, "linux").join(" "), "date -s 2026-11-22T01:24:25.297Z");
 * assertEquals(dateCommand(time, "darwin").join(" "), "date -u 112201242026.25");
 * assertEquals(dateCommand(time, "freebsd").join(" "), "date -u 202611220124.25");
 * ```
 */
export function dateCommand(time: number, os: typeof Deno.build.os = Deno.build.os): string[] {
  if (os === "windows") {
    throw new Error("Windows has no date program: use Set-Date in PowerShell, as administrator");
  }
  if (os === "linux" || os === "android") return ["date", "-s", new Date(time).toISOString()];
  const rounded = new Date(Math.round(time / 1000) * 1000).toISOString();
  const [year, month, day, hour, minute, second] = rounded.match(/\d+/g)!;
  return os === "darwin"
    ? ["date", "-u", `${month}${day}${hour}${minute}${year}.${second}`]
    : ["date", "-u", `${year}${month}${day}${hour}${minute}.${second}`];
}
