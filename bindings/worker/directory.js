// A Durable Object that knows a sixteenth of all ledgers, and the configs that concern them; its alarm
// hands those out.

import { CoreObject } from "./object.js";
import { Target } from "./types.js";

/** @import { Env } from "./types.js" */

export class Directory extends CoreObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, Target.DIRECTORY);
  }
}
