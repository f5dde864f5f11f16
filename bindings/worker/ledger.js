// The Durable Object of one entity: its facts and the alarm that heals what was lost on the way to D1.

import { CoreObject } from "./object.js";
import { Target } from "./types.js";

/** @import { Env } from "./types.js" */

export class Ledger extends CoreObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, Target.LEDGER);
  }
}
