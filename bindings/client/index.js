// @z0/client: facts, spans and metrics of a product Worker. index.d.ts says what each does.

export { createClient } from "./client.js";
export { spanName, tool } from "./names.js";
