// What Ledger and Monitor have in common: a life, and frames that come in as calls.

import { DurableObject } from "cloudflare:workers";
import { newIncarnation, run } from "./perform.js";

/** @import { Env, Host } from "./types.js" */

/** @extends {DurableObject<Env>} */
export class CoreObject extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    /** @type {Host} */
    this.host = { ctx, env, storage: ctx.storage, incarnation: newIncarnation() };
  }

  /**
   * @param {number} kind a call of z0_frame_kind
   * @param {string} name of this object
   * @param {Uint8Array} request
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async call(kind, name, request) {
    return (await run(this.host, kind, [name, request])).body;
  }
}
