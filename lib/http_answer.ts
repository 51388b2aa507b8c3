/**
 * What is around the handler of every web server: its errors become answers, and each request a line.
 *
 * @module
 */

import { visible } from "./display.ts";
import { explain } from "./errors.ts";
import { Problem } from "./http_problem.ts";

/**
 * Makes a handler that always answers: a {@linkcode Problem} as what it says, anything else as 500, whose
 * reason is told on stderr and not to the client. Each request is told there in a line.
 *
 * @example
 * ```ts
 * import { answering } from "./http_answer.ts";
 * import { Problem } from "./http_problem.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const handle = answering(() => {
 *   throw new Problem(404, "nothing is here");
 * });
 * const response = await handle(new Request("http://127.0.0.1/nowhere"));
 * assertEquals(response.status, 404);
 * ```
 */
export function answering(
  handler: (request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    let response: Response;
    try {
      response = await handler(request);
    } catch (error) {
      if (!(error instanceof Problem)) console.error(visible(explain(error).reason));
      const problem = error instanceof Problem ? error : new Problem(500, "see the server's log");
      response = problem.response();
    }
    // the Host header, which may be anything, stands before the path
    const path = request.url.replace(/^\w+:\/\/[^/]*/, "").slice(0, 200);
    console.error(visible(`${request.method} ${path}: ${response.status}`));
    return response;
  };
}
