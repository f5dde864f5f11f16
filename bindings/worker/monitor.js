// The Durable Objects of the monitor: "root" holds the live window, "metrics_0" and so on hold metrics.

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
   * @returns {Promise<boolean>} whether they were taken
   */
  async tell(name, reports) {
    return (await run(this.host, Frame.TELL, [name, reports])).status === 200;
  }
}
