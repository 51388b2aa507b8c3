/**
 * What a web service says when it cannot do as it was asked: problem details, which people and programs can
 * read.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457}
 * @module
 */

const TITLES: Record<number, string> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  507: "Insufficient Storage",
};

/** One thing that is wrong with what was sent. */
export interface Fault {
  /** What is wrong, in words. */
  detail: string;
  /** Where: a JSON pointer into the body, such as `#/post_text`. */
  pointer: string;
}

/**
 * A JSON pointer to a field, as a fragment.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6901#section-6 RFC 6901, section 6}
 *
 * @example
 * ```ts
 * import { pointerTo } from "./http_problem.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pointerTo("and/or"), "#/and~1or");
 * ```
 */
export function pointerTo(field: string): string {
  const escaped = field.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
  return `#/${encodeURIComponent(escaped)}`;
}

/** What else a problem says. */
export interface ProblemOptions {
  /** Headers of the response, such as `allow`. */
  headers?: Record<string, string>;
  /** All that is wrong with what was sent. */
  errors?: Fault[];
}

/**
 * A request that is answered with a status of 400 or more. Thrown anywhere in a handler, and made a response
 * in one place.
 *
 * @example
 * ```ts
 * import { Problem } from "./http_problem.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const response = new Problem(405, "only GET", { headers: { allow: "GET" } }).response();
 * assertEquals(response.headers.get("content-type"), "application/problem+json");
 * assertEquals(await response.json(), {
 *   status: 405,
 *   title: "Method Not Allowed",
 *   detail: "only GET",
 * });
 * ```
 */
export class Problem extends Error {
  override name = "Problem";

  /**
   * @param status the status of the response, 400 to 599
   * @param detail what is wrong this time, in a sentence for the client's author
   */
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(detail);
  }

  /** The response: `application/problem+json`. */
  response(): Response {
    const { headers, errors } = this.options;
    const { status, detail } = this;
    // without a type it means just what the status means (about:blank)
    const title = TITLES[status] ?? "Error";
    const type = errors && { type: "https://example.org/problems/faults-in-the-body" };
    const body = { ...type, status, title, detail, ...(errors && { errors }) };
    return new Response(`${JSON.stringify(body)}\n`, {
      status,
      headers: { ...headers, "content-type": "application/problem+json" },
    });
  }
}
