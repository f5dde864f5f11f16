// The Durable Object of one entity: its facts and the alarm that heals what was lost on the way to D1.

import { logError } from "./log.js";
import { CoreObject } from "./object.js";
import { run } from "./perform.js";
import { Frame } from "./types.js";

// The platform gives up on an alarm that failed six times, and nobody else would set it again.
const ALARM_PAUSE_MS = 30_000;

export class Ledger extends CoreObject {
  /** @override */
  async alarm() {
    try {
      await run(this.host, Frame.LEDGER_ALARM, [this.ctx.id.name ?? "", ""]);
    } catch (error) {
      logError("z0.alarm_failed", error);
      await this.ctx.storage.setAlarm(Date.now() + ALARM_PAUSE_MS);
    }
  }
}
