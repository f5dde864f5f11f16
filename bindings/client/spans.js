// A span: one operation, when it ran, how it ended. Open while its function runs; what it did to money is
// known when z0 has answered, which may be before it is sent or after.

import { code, label } from "./names.js";
import { nanoseconds, text } from "./metrics.js";

/** @import { AttributeValue } from "./index.d.ts" */

export const Kind = Object.freeze({ INTERNAL: 1, SERVER: 2, CLIENT: 3 });
const STATUS_ERROR = 2;

const ATTRIBUTES_MAX = 32;
const LINKS_MAX = 32;
const KEY_CHARACTERS_MAX = 128;
const VALUE_CHARACTERS_MAX = 1_024;
// Of all attributes of a span: thousands of spans may wait in an isolate's 128 MB.
const CHARACTERS_MAX = 8_192;
// What a span takes without attributes, written as JSON.
const BARE_CHARACTERS = 600;
const MESSAGE_CHARACTERS_MAX = 200;

/** @typedef {{ traceId: string, spanId: string }} Link */

export class Span {
  /**
   * @param {object} fields
   * @param {string} fields.traceId
   * @param {string} fields.spanId
   * @param {string} fields.parentId
   * @param {string} fields.name
   * @param {number} fields.kind
   * @param {string} fields.tenant
   * @param {number} fields.start
   */
  constructor({ traceId, spanId, parentId, name, kind, tenant, start }) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.parentId = parentId;
    this.name = name;
    this.kind = kind;
    this.tenant = tenant;
    this.start = start;
    this.end = start;
    this.entityId = "";
    this.factId = "";
    /** @type {"" | "moved" | "failed"} */
    this.money = "";
    this.errorCode = "";
    this.message = "";
    this.sent = false;
    this.characters = BARE_CHARACTERS;
    /** @type {Map<string, AttributeValue>} */
    this.attributes = new Map();
    /** @type {Link[]} */
    this.links = [];
  }

  /**
   * @param {string} key
   * @param {AttributeValue} value
   */
  setAttribute(key, value) {
    const kept = String(key).slice(0, KEY_CHARACTERS_MAX);
    const isPlain = typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
    const made = isPlain ? value : String(value).slice(0, VALUE_CHARACTERS_MAX);
    const characters = this.characters + kept.length + String(made).length;
    const isNew = !this.attributes.has(kept);
    if (kept === "" || characters > CHARACTERS_MAX || (isNew && this.attributes.size >= ATTRIBUTES_MAX)) return;
    this.attributes.set(kept, made);
    this.characters = characters;
  }

  /** @param {Link} link */
  addLink({ traceId, spanId }) {
    if (this.links.length >= LINKS_MAX) return;
    this.links.push({ traceId, spanId });
    this.characters += traceId.length + spanId.length;
  }

  /**
   * @param {string} errorCode
   * @param {string} message
   */
  fail(errorCode, message) {
    this.errorCode = code(errorCode);
    this.message = short(message);
  }

  /** A failure is never made good by what moved beside it. @param {boolean} moved */
  setMoney(moved) {
    if (!moved) this.money = "failed";
    else if (this.money === "") this.money = "moved";
  }

  /** Whether the clock moved meanwhile. Between two waits on the network that of a Worker does not. */
  get clockStood() {
    return this.end <= this.start;
  }

  otlp() {
    const own = {
      "z0.tenant_id": this.tenant,
      "z0.entity_id": this.entityId,
      "z0.fact_id": this.factId,
      "z0.money": this.money,
      "z0.error_code": this.errorCode,
      "z0.clock": this.clockStood ? "stood" : "",
    };
    return {
      traceId: this.traceId,
      spanId: this.spanId,
      ...(this.parentId === "" ? {} : { parentSpanId: this.parentId }),
      name: this.name,
      kind: this.kind,
      startTimeUnixNano: nanoseconds(this.start),
      endTimeUnixNano: nanoseconds(this.end),
      attributes: [
        ...Object.entries(own).flatMap(([key, value]) => (value === "" ? [] : [text(key, value)])),
        ...[...this.attributes].map(([key, value]) => ({ key, value: anyValue(value) })),
      ],
      ...(this.links.length === 0 ? {} : { links: this.links }),
      ...(this.errorCode === "" ? {} : { status: { code: STATUS_ERROR, message: this.message } }),
    };
  }
}

/** @param {AttributeValue} value */
function anyValue(value) {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value !== "number") return { stringValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** @param {unknown} words */
export function short(words) {
  return String(words ?? "").slice(0, MESSAGE_CHARACTERS_MAX);
}

/** The layer and the component that a span's name says. @param {string} name */
export function placeOf(name) {
  const [, layer, component] = name.split(".");
  return { layer: label(layer), component: label(component) };
}
