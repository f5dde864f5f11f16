// What the Durable Objects have in common: a life, frames that come in as calls, and an alarm.

import { DurableObject } from "cloudflare:workers";
import { logError } from "./log.js";
import { newIncarnation, run } from "./perform.js";

/** @import { Env, Host } from "./types.js" */

// The platform gives up on an alarm that failed six times, and nobody else would set it again.
const ALARM_PAUSE_MS = 30_000;

/** @extends {DurableObject<Env>} */
export class CoreObject extends DurableObject {
  /** What its alarm is to the core; 0 for an object that sets none. */
  alarmFrame = 0;

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

  /** @override */
  async alarm() {
    try {
      await run(this.host, this.alarmFrame, [this.ctx.id.name ?? "", ""]);
    } catch (error) {
      logError("z0.alarm_failed", error);
      await this.ctx.storage.setAlarm(Date.now() + ALARM_PAUSE_MS);
    }
  }
}
