// What the Durable Objects have in common: a life, frames that come in as calls, and an alarm.

import { DurableObject } from "cloudflare:workers";
import { setAlarm } from "./alarm.js";
import { logError } from "./log.js";
import { newIncarnation, run } from "./perform.js";
import { countError } from "./points.js";
import { ALARMS_AT_ONCE_MAX, Frame } from "./types.js";

/** @import { Env, Host } from "./types.js" */

// The platform gives up on an alarm that failed six times, and nobody else would set it again.
const ALARM_PAUSE_MS = 30_000;

// Alarms of all objects of this isolate, in waves as calls are, see perform.js: a thousand ledgers that one
// request wrote to have theirs at one moment, and so have those that were due while nothing ran.
const ALARM_WAVE_MS_MAX = 1_000;
const ALARM_TURN_MS = 5;
const alarms = { waiting: 0, running: 0, begun: 0, since: 0 };

/** Whether an alarm may begin: in this wave, or in the next one when this one has ended or takes long. */
function joinsWave() {
  const over = alarms.running === 0 || Date.now() - alarms.since > ALARM_WAVE_MS_MAX;
  if (alarms.begun >= ALARMS_AT_ONCE_MAX && over) alarms.begun = 0;
  if (alarms.begun >= ALARMS_AT_ONCE_MAX) return false;
  if (alarms.begun === 0) alarms.since = Date.now();
  alarms.begun++;
  return true;
}

/**
 * Waits for a place among the alarms that run. Each looks again by its own timer, later where more wait:
 * an object does not await what another one resolves.
 */
async function turnOfAlarms() {
  alarms.waiting++;
  while (!joinsWave()) {
    const ms = ALARM_TURN_MS * (1 + Math.random() * alarms.waiting);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  alarms.waiting--;
  alarms.running++;
}

/** @extends {DurableObject<Env>} */
export class CoreObject extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   * @param {number} target what it is to the core
   */
  constructor(ctx, env, target) {
    super(ctx, env);
    /** @type {Host} */
    this.host = { ctx, env, target, storage: ctx.storage, incarnation: newIncarnation() };
  }

  /**
   * @param {number} method
   * @param {string} name of this object
   * @param {Uint8Array} request
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async call(method, name, request) {
    return (await run(this.host, Frame.CALL, [name, request], method)).body;
  }

  /** @override */
  async alarm() {
    await turnOfAlarms();
    try {
      await run(this.host, Frame.ALARM, [this.ctx.id.name ?? ""]);
    } catch (error) {
      logError("z0.alarm_failed", error);
      countError(this.host, "do", "alarm");
      await setAlarm(this.ctx.storage, Date.now() + ALARM_PAUSE_MS);
    } finally {
      alarms.running--;
    }
  }
}
