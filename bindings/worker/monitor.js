// The Durable Object that holds the live window; there is one, named "root".

import { CoreObject } from "./object.js";

export class Monitor extends CoreObject {}
