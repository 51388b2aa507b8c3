/** What `@std/assert` exports does as its documentation says, stand-in or not. */

import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

const object = { a: 1 };

const HOLD: Record<string, () => void> = {
  assert: () => assert("truthy"),
  assertEquals: () =>
    assertEquals({ a: [1, new Map([["b", new Date(0)]])], n: NaN }, {
      a: [1, new Map([["b", new Date(0)]])],
      n: NaN,
    }),
  "assertEquals of bytes": () => assertEquals(new Uint8Array([1]), new Uint8Array([1])),
  assertNotEquals: () => assertNotEquals({ a: 1 }, { a: 2 }),
  assertStrictEquals: () => assertStrictEquals(object, object),
  "assertStrictEquals of NaN": () => assertStrictEquals(NaN, NaN),
  assertExists: () => [0, "", false].forEach((value) => assertExists(value)),
  assertGreater: () => assertGreater(2, 1),
  assertGreaterOrEqual: () => assertGreaterOrEqual(2, 2),
  assertLess: () => assertLess(1, 2),
  assertLessOrEqual: () => assertLessOrEqual(2, 2),
  assertStringIncludes: () => assertStringIncludes("message", "sag"),
  assertMatch: () => assertMatch("message", /^mess/),
  assertInstanceOf: () => assertInstanceOf(new TypeError(), Error),
  assertThrows: () => assertThrows(() => thrower(new TypeError("wrong")), TypeError, "ron"),
  "assertThrows of anything": () => assertThrows(() => thrower("text")),
};

const FAIL: Record<string, () => void> = {
  assert: () => assert(0),
  assertEquals: () => assertEquals({ a: [1] }, { a: [2] }),
  "assertEquals of types": () => assertEquals<unknown>(new Set([1]), [1]),
  "assertEquals of undefined": () => assertEquals<object>({ a: undefined }, {}),
  assertNotEquals: () => assertNotEquals([1], [1]),
  assertStrictEquals: () => assertStrictEquals({ a: 1 }, { a: 1 }),
  "assertStrictEquals of zeros": () => assertStrictEquals(0, -0),
  "assertExists of null": () => assertExists(null),
  "assertExists of undefined": () => assertExists(undefined),
  assertGreater: () => assertGreater(2, 2),
  assertGreaterOrEqual: () => assertGreaterOrEqual(1, 2),
  assertLess: () => assertLess(2, 2),
  assertLessOrEqual: () => assertLessOrEqual(2, 1),
  assertStringIncludes: () => assertStringIncludes("message", "x"),
  assertMatch: () => assertMatch("message", /^sage/),
  assertInstanceOf: () => assertInstanceOf(new Error(), TypeError),
  "assertThrows of nothing": () => assertThrows(() => {}),
  "assertThrows of another class": () => assertThrows(() => thrower(new Error()), TypeError),
  "assertThrows of another message": () => assertThrows(() => thrower(new Error("a")), Error, "b"),
  "assertThrows of no error": () => assertThrows(() => thrower("text"), Error),
  fail: () => fail(),
};

function thrower(value: unknown): never {
  throw value;
}

/** What a call throws, found without the package that is tested. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

for (const [name, call] of Object.entries(HOLD)) {
  Deno.test(`${name} passes when it holds`, call);
}

for (const [name, call] of Object.entries(FAIL)) {
  Deno.test(`${name} throws an AssertionError when it does not hold`, () => {
    const error = thrownBy(call);
    check(error instanceof AssertionError && error instanceof Error, `${error}`);
    check(error instanceof Error && error.name === "AssertionError", `${error}`);
  });
}

Deno.test("assertions say the given message when they do not hold", () => {
  const calls = [
    () => assert(false, "my message"),
    () => assertEquals(1, 2, "my message"),
    () => assertNotEquals(1, 1, "my message"),
    () => assertStrictEquals(1, 2, "my message"),
    () => assertExists(null, "my message"),
    () => assertGreater(1, 1, "my message"),
    () => assertGreaterOrEqual(1, 2, "my message"),
    () => assertLess(1, 1, "my message"),
    () => assertLessOrEqual(2, 1, "my message"),
    () => assertStringIncludes("a", "b", "my message"),
    () => assertMatch("a", /b/, "my message"),
    () => assertInstanceOf(1, Error, "my message"),
    () => assertThrows(() => {}, "my message"),
    () => assertThrows(() => {}, Error, "", "my message"),
    () => fail("my message"),
  ];
  for (const call of calls) {
    const error = thrownBy(call);
    check(error instanceof AssertionError && error.message.includes("my message"), `${call}`);
  }
});

Deno.test("assertThrows and assertRejects give what was thrown", async () => {
  const error = new RangeError("wide");
  assertStrictEquals(assertThrows(() => thrower(error)), error);
  assertStrictEquals(assertThrows(() => thrower(error), RangeError).name, "RangeError");
  assertStrictEquals(await assertRejects(() => Promise.reject(error)), error);
  assertStrictEquals(await assertRejects(() => Promise.reject(error), RangeError, "wide"), error);
});

Deno.test("assertRejects rejects with an AssertionError when it does not hold", async () => {
  const calls = [
    () => assertRejects(() => Promise.resolve()),
    () => assertRejects(() => Promise.reject(new Error()), TypeError),
    () => assertRejects(() => Promise.reject(new Error("a")), Error, "b"),
    () => assertRejects(() => Promise.reject("text"), Error),
    // what is thrown before there is a promise is no rejection
    () => assertRejects(() => thrower(new Error("a"))),
  ];
  for (const call of calls) {
    const error = await call().catch((error) => error);
    check(error instanceof AssertionError, `${call}: ${error}`);
  }
});

Deno.test("assertions tell the compiler what they found", () => {
  // these lines are checked by their types: without the narrowing they do not compile
  const maybe: string | undefined = ["text"][0];
  assert(maybe !== undefined);
  assertStrictEquals(maybe.length, 4);
  const exists: { a: number } | null = [object][0] ?? null;
  assertExists(exists);
  assertEquals(exists.a, 1);
  const unknown: unknown = new TypeError("kind");
  assertInstanceOf(unknown, TypeError);
  assertEquals(unknown.message, "kind");
  const word: unknown = "word";
  assertStrictEquals(word, "word" as const);
  const narrowed: "word" = word;
  assertEquals(narrowed.length, 4);
});

Deno.test("AssertionError keeps its cause", () => {
  const cause = new Error("why");
  const error = new AssertionError("what", { cause });
  assertStrictEquals(error.cause, cause);
  assertEquals(error.message, "what");
});
