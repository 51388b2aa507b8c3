/**
 * The one user that a broker lets in.
 *
 * @module
 */

import type { Aedes, AuthenticateError } from "aedes";
import { timingSafeEqual } from "node:crypto";
import { passwordToGive } from "./secrets.ts";

/** Lets in one user; compares in constant time, so that the time taken tells nothing of the password. */
export async function asksFor(user: string): Promise<Aedes["authenticate"]> {
  const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const secret = await passwordToGive("MQTT_PASSWORD", user);
  const wanted = await digest(new TextEncoder().encode(`${user}\0${secret}`));
  return (_client, given, secret, done) => {
    const claim = new TextEncoder().encode(`${given ?? ""}\0${secret?.toString() ?? ""}`);
    digest(claim).then((got) => {
      if (timingSafeEqual(got, wanted)) return done(null, true);
      const refusal: AuthenticateError = Object.assign(
        new Error("bad user name or password"),
        { returnCode: 4 },
      );
      done(refusal, null);
    });
  };
}
