/**
 * What a telnet client tells of its terminal, when the server asks: its type and its size.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1091 RFC 1091}, {@link https://www.rfc-editor.org/rfc/rfc1073 RFC 1073}
 * @module
 */

const TTYPE_IS = 0, TTYPE_SEND = 1;

/** Asks for the terminal's type ({@link https://www.rfc-editor.org/rfc/rfc1091 RFC 1091}). */
export const askTerminalType = Uint8Array.of(TTYPE_SEND);

/** Whether this is that question. */
export function asksTerminalType(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === TTYPE_SEND;
}

/** Tells the terminal's type: at most 40 characters of ASCII. */
export function terminalType(name: string): Uint8Array {
  const plain = name.replace(/[^!-~]/g, "").slice(0, 40);
  return Uint8Array.of(TTYPE_IS, ...new TextEncoder().encode(plain));
}

/** Reads the terminal's type; `undefined` when it is none. */
export function readTerminalType(bytes: Uint8Array): string | undefined {
  const name = new TextDecoder().decode(bytes.subarray(1));
  return bytes[0] === TTYPE_IS && /^[!-~]{1,40}$/.test(name) ? name : undefined;
}

/** Columns and rows of a terminal, 0 for unknown. */
export interface WindowSize {
  columns: number;
  rows: number;
}

/** Tells the size of the window ({@link https://www.rfc-editor.org/rfc/rfc1073 RFC 1073}). */
export function windowSize({ columns, rows }: WindowSize): Uint8Array {
  return Uint8Array.of(columns >> 8, columns & 255, rows >> 8, rows & 255);
}

/** Reads the size of the window; `undefined` when it is none. */
export function readWindowSize(bytes: Uint8Array): WindowSize | undefined {
  if (bytes.length !== 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  return { columns: view.getUint16(0), rows: view.getUint16(2) };
}
