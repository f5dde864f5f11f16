// The Durable Objects that keep traces, traces_0 and on. They are the Tail Worker's: what keeps traces
// is not traced itself.

import { CoreObject } from "./object.js";
import { Target } from "./types.js";

/** @import { Env } from "./types.js" */

export class TraceStore extends CoreObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, Target.TRACES);
  }
}
