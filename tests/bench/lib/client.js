// The load: a process of its own that keeps `connections` requests of POST /v1/facts in flight over
// keep-alive sockets. Bodies are made once; for each request the digits of ids, traces and times are
// written anew, so every fact is new and happens now, and the client stays cheap.
import { connect } from "node:net";
import { makeBody, renewIds, renewMoment } from "./facts.js";

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {number} seconds
 * @property {number} connections
 * @property {number} batch
 * @property {string[][]} entities one list a connection, by turns
 * @property {number} stream makes this job's ids differ from every other job's
 */

/** @param {Job} job @param {string[]} entities @param {number} seed */
function makeRequest(job, entities, seed) {
  const body = makeBody({ count: job.batch, entities, seed, nowMs: Date.now() });
  const lines = [
    `POST ${job.path} HTTP/1.1`,
    `host: 127.0.0.1:${job.port}`,
    "content-type: application/json",
    `content-length: ${body.bytes.length}`,
    `x-object: ${entities[0]}`,
    ...Object.entries(job.headers).map(([name, value]) => `${name}: ${value}`),
    "",
    "",
  ];
  const head = Buffer.from(lines.join("\r\n"));
  const bytes = Buffer.concat([head, body.bytes]);
  const moved = (/** @type {Uint32Array} */ offsets) => offsets.map((at) => at + head.length);
  return {
    bytes,
    ids: moved(body.idOffsets),
    moments: { times: moved(body.timeOffsets), traces: moved(body.traceOffsets) },
    nowMs: body.nowMs,
  };
}

/**
 * The size of a whole response at the start of `text` (latin1), or 0 when more has to come.
 * @param {string} text
 */
function responseSize(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const head = text.slice(0, end).toLowerCase();
  const length = /\r\ncontent-length: (\d+)/.exec(head);
  if (length) {
    const size = end + 4 + Number(length[1]);
    return text.length >= size ? size : 0;
  }
  const last = text.indexOf("\r\n0\r\n\r\n", end + 2);
  return last < 0 ? 0 : last + 7;
}

/** @param {Job} job */
async function run(job) {
  /** @type {Record<string, number>} */
  const statuses = {};
  /** @type {number[]} */
  const latencies = [];
  let counter = 0;
  let sample = "";
  const until = performance.now() + job.seconds * 1000;
  const one = (/** @type {number} */ index) =>
    new Promise((resolve, reject) => {
      const entities = /** @type {string[]} */ (job.entities[index % job.entities.length]);
      const { bytes, ids, moments, nowMs } = makeRequest(job, entities, index + 1);
      let movedTo = nowMs;
      const socket = connect(job.port, "127.0.0.1");
      let received = "";
      let sentAt = 0;
      const send = () => {
        counter = renewIds(bytes, ids, job.stream, counter);
        movedTo = renewMoment(bytes, moments, movedTo, Date.now());
        sentAt = performance.now();
        // The kernel has taken all of it, or the stream has copied it, before this buffer changes
        // again: a response comes only after the whole request was read.
        socket.write(bytes);
      };
      socket.setNoDelay(true);
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", () => resolve(null));
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1");
        if (!responseSize(received)) return;
        const status = received.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (!sample || !/^20[01]$/.test(status)) sample = received.slice(0, 2000);
        received = "";
        latencies.push(performance.now() - sentAt);
        if (performance.now() < until) send();
        else socket.end();
      });
    });
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: job.connections }, (_, i) => one(i)));
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (/** @type {number} */ q) => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
  return {
    requests: latencies.length,
    seconds: (performance.now() - begun) / 1000,
    statuses,
    sample,
    p50_ms: at(0.5),
    p90_ms: at(0.9),
    client_cpu_ms: (used.user + used.system) / 1000,
  };
}

process.on("message", (/** @type {Job} */ job) => {
  run(job).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ error: String(error) }),
  );
});
