/**
 * PowerShell over a shell that runs command lines: the script goes there encoded, since no quoting survives
 * cmd.exe, and its errors come back as XML.
 *
 * @module
 */

import { findElements, parseXml, XmlError } from "./xml.ts";

/** What PowerShell writes before objects as XML. */
const CLIXML = "#< CLIXML";
/** The longest command line that cmd.exe takes, in characters. */
const LONGEST_LINE = 8_191;

/**
 * The command line that runs a script: as base64 of UTF-16, low byte first.
 *
 * @throws {RangeError} when the line would be longer than cmd.exe takes: about 3,000 characters of script
 * @see {@link https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_powershell_exe}
 *
 * @example
 * ```ts
 * import { powershellLine } from "./powershell.ts";
 * import { assert } from "@std/assert";
 *
 * assert(powershellLine("dir").endsWith(" -EncodedCommand ZABpAHIA"));
 * ```
 */
export function powershellLine(script: string): string {
  const bytes = new Uint8Array(2 * script.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < script.length; at++) view.setUint16(2 * at, script.charCodeAt(at), true);
  // without a profile nothing else runs first; nobody is there to answer questions
  const line = `powershell -NoProfile -NonInteractive -EncodedCommand ${bytes.toBase64()}`;
  if (line.length > LONGEST_LINE) {
    throw new RangeError(
      `the script is too long: its command line has ${line.length} characters, cmd.exe takes ${LONGEST_LINE}`,
    );
  }
  return line;
}

/**
 * The script of a command line that {@linkcode powershellLine} made, or another client.
 *
 * @returns `undefined` when the line is none
 */
export function scriptOf(line: string): string | undefined {
  const found =
    /^\s*powershell(?:\.exe)?\s(?:.*\s)?-e(?:nc|ncodedcommand)?\s+([A-Za-z0-9+/]+={0,2})\s*$/i
      .exec(line.slice(0, 64 * 1024));
  if (!found) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(found[1]!);
    return new TextDecoder("utf-16le", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The text of errors that PowerShell wrote as XML (CLIXML); any other text stays as it is. What is not an
 * error (progress, most often) is left out.
 *
 * @example
 * ```ts
 * import { errorText } from "./powershell.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const xml = '#< CLIXML\r\n<Objs Version="1.1.0.1"><S S="Error">no such file_x000D__x000A_</S></Objs>';
 * assertEquals(errorText(xml), "no such file\r\n");
 * ```
 */
export function errorText(text: string): string {
  if (!text.startsWith(CLIXML)) return text;
  let result = "";
  // one document after another, each on a line of its own
  for (const line of text.split(/\r?\n(?=#< CLIXML|<Objs)/)) {
    const xml = line.replace(CLIXML, "").trim();
    if (xml === "") continue;
    try {
      for (const { attributes, text } of findElements(parseXml(xml), "S")) {
        if (["Error", "Warning", "Verbose", "Debug"].includes(attributes.S ?? "")) {
          result += unescaped(text);
        }
      }
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      // better as it came than not at all
      result += `${line}\n`;
    }
  }
  return result;
}

/** `_x000A_` stands for the character with that number, `_x005F_` for an underscore before such a number. */
function unescaped(text: string): string {
  return text.replace(
    /_x([0-9A-Fa-f]{4})_/g,
    (_, code) => String.fromCharCode(parseInt(code, 16)),
  );
}
