// The Durable Object of alerts: the rules in effect, and what fires.

import { CoreObject } from "./object.js";
import { Target } from "./types.js";

/** @import { Env } from "./types.js" */

export class Alerts extends CoreObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, Target.ALERTS);
  }
}
