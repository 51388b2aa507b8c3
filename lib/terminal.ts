/**
 * The terminal in raw mode: every key comes at once and as it is, Ctrl-C too, and nothing is echoed. However
 * the program ends, the terminal gets back the mode that it had.
 *
 * @module
 */

const ENDINGS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Puts the terminal of stdin into raw mode until what this gives is disposed, the process exits, fails, or is
 * asked to end by a signal: then it exits with 128 and the signal's number, as a shell counts. Only SIGKILL
 * leaves no time for that.
 *
 * @param onEnd told of the signal before the process exits
 */
export function rawMode(onEnd: () => void = () => {}): Disposable {
  let raw = true;
  const restore = () => {
    if (!raw) return;
    raw = false;
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // the terminal has gone
    }
  };
  const numbers: Partial<Record<Deno.Signal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  const listeners = ENDINGS.map((signal) => {
    const listener = () => {
      restore();
      onEnd();
      Deno.exit(128 + numbers[signal]!);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  // comes at Deno.exit too, and after an error that nobody caught
  globalThis.addEventListener("unload", restore);
  Deno.stdin.setRaw(true);
  return {
    [Symbol.dispose]() {
      restore();
      globalThis.removeEventListener("unload", restore);
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** Columns and rows of the terminal; `undefined` without one. */
export function terminalSize(): { columns: number; rows: number } | undefined {
  try {
    return Deno.consoleSize();
  } catch {
    return undefined;
  }
}

/** Calls `changed` whenever the window gets another size. */
export function onResize(changed: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  Deno.addSignalListener("SIGWINCH", changed);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", changed) };
}
