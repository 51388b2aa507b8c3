/**
 * Ctrl-C and SIGTERM: a server stops accepting, gives open conversations a moment, and exits with 0.
 *
 * @module
 */

/**
 * Calls `stop` when the process is asked to end. What is still running after `grace` milliseconds (1,000
 * unless told), or at a second Ctrl-C, ends with the process, and its sockets with it.
 *
 * The signals are waited for without keeping the process alive: when the script's work is done, it ends.
 *
 * Python's `KeyboardInterrupt` is thrown into the middle of the main thread; here nothing is interrupted:
 * `stop` closes what the script waits on, and the wait ends.
 *
 * @param stop closes the listener, or shuts the server down
 * @param options.code the exit code of a process that had to be ended so; 0 unless told
 */
export function onInterrupt(
  stop: () => unknown,
  options: { grace?: number; code?: number } = {},
): Disposable {
  const { grace = 1_000, code = 0 } = options;
  // Windows has no SIGTERM to listen for
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  let asked = false;
  const onSignal = () => {
    if (asked) Deno.exit(code);
    asked = true;
    stop();
    Deno.unrefTimer(setTimeout(() => Deno.exit(code), grace));
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
