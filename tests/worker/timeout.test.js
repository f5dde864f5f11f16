// The bound of a call: an answer until then is one, and after it the call has failed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { callObject } from "../../bindings/worker/call.js";
import { Outcome, Target } from "../../bindings/worker/types.js";

const TIMEOUT_MS = 30_000;

/** A ledger that answers after so long. @param {number} afterMs @returns {any} */
function ledgerThatTakes(afterMs) {
  const call = () =>
    new Promise((resolve) => setTimeout(() => resolve(new Uint8Array([7])), afterMs));
  return { LEDGER: { getByName: () => ({ call }) } };
}

for (const { afterMs, outcome } of [
  { afterMs: TIMEOUT_MS - 1, outcome: Outcome.OK },
  { afterMs: TIMEOUT_MS + 1, outcome: Outcome.TIMEOUT },
]) {
  test(`A call that takes ${afterMs} of ${TIMEOUT_MS} ms ends as it should`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const need = {
      kind: 0,
      target: Target.LEDGER,
      method: 1,
      name: "account_acct_a",
      timeoutMs: TIMEOUT_MS,
      request: new Uint8Array(0),
    };
    const answer = callObject(ledgerThatTakes(afterMs), /** @type {any} */ (need), () => {});
    t.mock.timers.tick(TIMEOUT_MS - 1);
    t.mock.timers.tick(2);
    const bytes = await answer;
    assert.equal(bytes[0], outcome);
    const words = new TextDecoder().decode(bytes);
    assert.equal(words.includes(`no answer within ${TIMEOUT_MS} ms`), outcome !== Outcome.OK);
  });
}
