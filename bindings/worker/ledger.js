// The Durable Object of one entity: its facts and the alarm that heals what was lost on the way to D1.

import { CoreObject } from "./object.js";
import { Frame } from "./types.js";

export class Ledger extends CoreObject {
  /** @override */
  alarmFrame = Frame.LEDGER_ALARM;
}
