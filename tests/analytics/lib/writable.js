// The stand-in of Analytics Engine with one more address, for tests: it writes points with their
// times.

import { answer } from "../../../bindings/analytics/api.js";
import { checkedPoint } from "../../../bindings/analytics/point.js";

/** @import { Env } from "../../../bindings/analytics/api.js" */

export { Metrics, Points } from "../../../bindings/analytics/index.js";

/** @type {ExportedHandler<Env>} */
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== "/test/write") return answer(request, env);
    /** @type {any[]} */
    const points = await request.json();
    const stored = points.map(({ dataset = "z0", timestamp, ...point }) => ({
      dataset,
      timestamp,
      ...checkedPoint(point),
    }));
    await env.POINTS.getByName("points").write(stored);
    return new Response();
  },
};
