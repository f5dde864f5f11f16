// A Durable Object that knows a sixteenth of all ledgers, and the configs that concern them; its alarm
// hands those out.

import { CoreObject } from "./object.js";
import { Frame } from "./types.js";

export class Directory extends CoreObject {
  /** @override */
  alarmFrame = Frame.DIRECTORY_ALARM;
}
