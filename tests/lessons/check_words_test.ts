/**
 * The checker of word servers: it tells those that read outside of their folder from those that do not.
 *
 * @module
 */

import { wordChecks } from "../../lib/check/word_checks.ts";
import { putSecret, putTexts } from "../../lib/check/word_texts.ts";
import { judge, serving, testWrong } from "./wrong/serving.ts";
import { answering, LOOKS } from "./wrong/words.ts";

testWrong(
  "check_words",
  LOOKS.map(([what, look, verdict]) => [what, async () => {
    const place = await Deno.makeTempDir({ prefix: "words-" });
    try {
      const folder = `${place}/words`;
      await putTexts(folder);
      await putSecret(folder);
      await using server = serving(answering(folder, look));
      return await judge(wordChecks(folder), server.where);
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  }, verdict]),
);
