import { assert, assertEquals } from "@std/assert";
import { RoundTrip } from "../../lib/round_trip.ts";

Deno.test("RoundTrip waits a second before anything is measured", () => {
  assertEquals(new RoundTrip().timeout, 1_000);
});

Deno.test("RoundTrip computes RFC 6298's sums", () => {
  const trip = new RoundTrip();
  trip.measured(100); // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR
  assertEquals([trip.smoothed, trip.variation, trip.timeout], [100, 50, 300]);
  trip.measured(60); // RTTVAR first, with the old SRTT: 3/4 50 + 1/4 40, then 7/8 100 + 1/8 60
  assertEquals([trip.smoothed, trip.variation, trip.timeout], [95, 47.5, 285]);
});

Deno.test("RoundTrip comes down to steady round trips, and not below its least", () => {
  const trip = new RoundTrip({ least: 10 });
  trip.measured(500);
  for (let count = 0; count < 200; count++) trip.measured(40);
  assert(Math.abs(trip.smoothed - 40) < 0.1, String(trip.smoothed));
  assert(trip.timeout >= 50 && trip.timeout < 51, String(trip.timeout)); // the clock's 10 ms more
  for (let count = 0; count < 200; count++) trip.measured(0.1);
  assert(trip.timeout > 10 && trip.timeout < 11);
  const brisk = new RoundTrip({ least: 50 });
  brisk.measured(1);
  assertEquals(brisk.timeout, 50);
});

Deno.test("RoundTrip doubles up to its most, and takes it back at progress", () => {
  const trip = new RoundTrip();
  trip.measured(100);
  const doubled = [1, 2, 3, 4].map(() => (trip.backOff(), trip.timeout));
  assertEquals(doubled, [600, 1_200, 2_000, 2_000]);
  trip.progress();
  assertEquals(trip.timeout, 300);
});
