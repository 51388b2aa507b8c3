/** What every assertion of this package throws when it does not hold. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** Holds when `expr` is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr;

/** Holds when both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void;

/** Holds when both are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;

/** Holds when both are the same value by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T;

/** Holds when `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;

/** Holds when `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void;

/** Holds when `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;

/** Holds when `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void;

/** Holds when `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;

/** Holds when `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void;

/** Holds when `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void;

/** Holds when `actual` is an instance of `expectedType`. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- the real package's own signature
  T extends abstract new (...args: any[]) => any,
>(actual: unknown, expectedType: T, msg?: string): asserts actual is InstanceType<T>;

/** Holds when `fn` throws, and gives what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Holds when `fn` throws an `ErrorClass` whose message includes `msgIncludes`. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any -- the real package's own signature
  ErrorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): E;

/** Holds when the promise of `fn` rejects, and gives the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Holds when the promise of `fn` rejects with an `ErrorClass` whose message includes `msgIncludes`. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any -- the real package's own signature
  ErrorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;

/** Never holds. */
export function fail(msg?: string): never;
