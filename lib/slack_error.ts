/**
 * How a call to Slack fails, and what each failure asks for: to try again, to give up this message, or to
 * put something right first.
 *
 * @module
 */

import type { Explanation } from "./errors.ts";

/**
 * `again`: it may work later. `message`: this message will never go, others may. `setup`: nothing will go
 * until somebody changes the token, its rights or the address.
 */
export type SlackFault = "again" | "message" | "setup";

/** A call that Slack did not carry out, or that did not reach it. */
export class SlackError extends Error {
  override name = "SlackError";
  readonly explanation: Explanation;

  /**
   * @param code Slack's word for it, such as `channel_not_found`, or what was wrong with the answer
   * @param fault what the failure asks for
   * @param options.retryAfter how long Slack says to wait, in milliseconds
   */
  constructor(
    readonly code: string,
    readonly fault: SlackFault,
    readonly options: { retryAfter?: number } & Omit<Explanation, "reason"> & { reason?: string },
  ) {
    const { reason = code, next, partner } = options;
    super(reason);
    this.explanation = { reason, next, partner };
  }

  /** How long Slack says to wait, in milliseconds. */
  get retryAfter(): number | undefined {
    return this.options.retryAfter;
  }
}

const TOKEN = "Put a valid token of the workspace into SLACK_TOKEN: https://api.slack.com/apps.";
const CHANNEL = "Check --channel: a name with #, or the channel's id.";

const CODES: Record<string, [fault: SlackFault, meaning: string, next?: string]> = {
  not_authed: ["setup", "no token was sent", TOKEN],
  invalid_auth: ["setup", "the token is not valid", TOKEN],
  token_expired: ["setup", "the token has expired", TOKEN],
  token_revoked: ["setup", "the token was revoked", TOKEN],
  account_inactive: ["setup", "the token belongs to a deleted user or workspace", TOKEN],
  not_allowed_token_type: ["setup", "this kind of token cannot do that", TOKEN],
  org_login_required: ["setup", "the workspace is being moved", "Try again later."],
  access_denied: ["setup", "the token may not do that", TOKEN],
  ekm_access_denied: ["setup", "the workspace's administrators have suspended messages"],
  missing_scope: ["setup", "the token may not post", "Add the scope chat:write to the app."],
  no_permission: ["setup", "the token may not post", "Add the scope chat:write to the app."],
  unknown_method: ["setup", "the API has no such method", "Check --api."],
  channel_not_found: ["message", "there is no such channel", CHANNEL],
  is_archived: ["message", "the channel is archived", CHANNEL],
  not_in_channel: ["message", "the app is not in the channel", "Type /invite @app in the channel."],
  msg_too_long: ["message", "the text is too long", "Send at most 40,000 characters."],
  no_text: ["message", "there is no text"],
  ratelimited: ["again", "it says wait"],
  rate_limited: ["again", "it says wait"],
  internal_error: ["again", "it has a problem"],
  fatal_error: ["again", "it has a problem"],
  service_unavailable: ["again", "it is not available"],
  request_timeout: ["again", "it did not get all of the request"],
  accesslimited: ["again", "it does not take requests at present"],
  team_added_to_org: ["again", "the workspace is being moved"],
};

/**
 * The error that an answer with `"ok": false` stands for. A code that is not known here is taken for a
 * fault of the message: it is neither tried again for ever nor does it hold the others up.
 *
 * @param options.retryAfter how long Slack says to wait, in milliseconds
 *
 * @example
 * ```ts
 * import { slackError } from "./slack_error.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = slackError("channel_not_found");
 * assertEquals(error.message, "Slack answers channel_not_found: there is no such channel");
 * assertEquals(error.fault, "message");
 * ```
 */
export function slackError(code: string, options: { retryAfter?: number } = {}): SlackError {
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  const [fault, meaning, next] = known ?? ["message" as const];
  const reason = `Slack answers ${code}` + (meaning ? `: ${meaning}` : "");
  return new SlackError(code, fault, { reason, next, ...options });
}
