// The Durable Object that holds the live window; there is one, named "root".

import { CoreObject } from "./object.js";
import { run } from "./perform.js";
import { Frame, Target } from "./types.js";

/** @import { Env } from "./types.js" */

export class Monitor extends CoreObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, Target.MONITOR);
  }

  /**
   * @param {string} name of this object
   * @param {Uint8Array} reports
   */
  async tell(name, reports) {
    await run(this.host, Frame.TELL, [name, reports]);
  }
}
