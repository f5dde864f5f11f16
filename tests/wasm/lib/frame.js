// Frames and effects as include/z0.h lays them out, and the bytes inside that the tests look at.

export const Kind = { request: 1, call: 4, resume: 7 };
export const Target = { ledger: 0, edge: 3 };
export const Effect = { needRows: 1, needQuery: 2, needCall: 3, needResume: 4, write: 16, reply: 32 };

const headerBytes = 72;
const entropyBytes = 48;

/** Reads little-endian numbers and lengths off a copy of bytes. */
export class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = Buffer.from(bytes);
    this.at = 0;
  }

  u8() {
    return this.bytes.readUInt8(this.at++);
  }

  u16() {
    this.at += 2;
    return this.bytes.readUInt16LE(this.at - 2);
  }

  u32() {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  /** @param {number} size */
  raw(size) {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  sized() {
    return this.raw(this.u32());
  }

  varint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  short() {
    return this.raw(this.varint());
  }
}

/** @param {string | Uint8Array} value */
function sized(value) {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/**
 * @param {object} frame
 * @param {number} frame.kind
 * @param {number} frame.target
 * @param {number} [frame.method]
 * @param {number} frame.now
 * @param {bigint} [frame.incarnation]
 * @param {Uint8Array} [frame.entropy]
 * @param {(string | Uint8Array)[]} frame.parts
 * @param {Uint8Array[]} [frame.answers]
 */
export function encodeFrame({
  kind,
  target,
  method = 0,
  now,
  incarnation = 0n,
  entropy,
  parts,
  answers = [],
}) {
  const header = Buffer.alloc(headerBytes);
  header.set([kind, target, method]);
  header.writeUInt32LE(parts.length, 4);
  header.writeBigUInt64LE(BigInt(now), 8);
  header.writeBigUInt64LE(incarnation, 16);
  header.set(entropy ?? Buffer.alloc(entropyBytes, 0x5a), headerBytes - entropyBytes);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(answers.length);
  return Buffer.concat([header, ...parts.map(sized), count, ...answers.map(sized)]);
}

/** The answer to a statement that found nothing. */
export const noRows = Buffer.alloc(11);

/** A batch as a new ledger gets it after the directory's word that no policies concern it. @param {Uint8Array} request */
export function registered(request) {
  const told = Buffer.concat([request, Buffer.alloc(1)]);
  told[0] = (request[0] & ~4) | 8;
  return told;
}

/** @param {Uint8Array} bytes */
export function decodeEffects(bytes) {
  const reader = new Reader(bytes);
  return Array.from({ length: reader.u32() }, () => {
    const kind = reader.u8();
    const phase = reader.u8();
    reader.u16();
    return { kind, phase, payload: reader.sized() };
  });
}

/** @param {Uint8Array} payload */
export function decodeReply(payload) {
  const reader = new Reader(payload);
  const status = reader.u16();
  /** @type {Record<string, string>} */
  const headers = {};
  for (let n = reader.u16(); n > 0; n--) {
    const name = reader.sized().toString();
    headers[name] = reader.sized().toString();
  }
  return { status, headers, body: reader.sized() };
}

/** The request of a call, and what is asked next. @param {{ kind: number, payload: Uint8Array }[]} effects */
export function decodeCall(effects) {
  const call = new Reader(effects.find(({ kind }) => kind === Effect.needCall)?.payload ?? Buffer.alloc(0));
  const target = call.u8();
  const method = call.u8();
  const object = call.sized().toString();
  call.u32();
  return { target, method, object, request: call.sized() };
}

/** A batch for one ledger. @param {Uint8Array} bytes */
export function decodeAppendRequest(bytes) {
  const reader = new Reader(bytes);
  const atomic = (reader.u8() & 1) !== 0;
  const tenantId = reader.short().toString();
  const entityId = reader.short().toString();
  const submissions = Array.from({ length: reader.varint() }, () => reader.short());
  return { atomic, tenantId, entityId, submissions };
}

/** The parameters of a statement; numbers are skipped over as null. @param {Uint8Array} payload */
export function decodeStatement(payload) {
  const reader = new Reader(payload);
  const sql = reader.sized().toString();
  const values = Array.from({ length: reader.u16() }, () => {
    const kind = reader.u8();
    if (kind === 2 || kind === 3) return reader.sized();
    if (kind !== 0) reader.raw(8);
    return null;
  });
  return { sql, values };
}
