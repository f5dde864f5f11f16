// What a product Worker tells z0, and how. Nothing of it waits for z0, and a z0 that is slow, away or in
// trouble neither slows nor fails its caller; only a name that breaks the convention throws, at once.

/** Something to ask z0 by: a service binding, or where it is. */
export type Z0Target =
  | { fetch(input: any, init?: any): Promise<any> }
  | { url: string; token?: string };

/** The part of a Worker's ExecutionContext that is used. */
export interface Context {
  waitUntil(work: Promise<unknown>): void;
  tracing?: { enterSpan?: (name: string, run: (span: any) => any) => any };
}

/** A request, or the context that came with a message. */
export type TraceSource =
  | { headers: { get(name: string): string | null } }
  | { traceparent?: string | null; tracestate?: string | null };

export interface ClientOptions {
  /** `env.Z0`, or `{ url, token }`. Without one everything is counted as dropped. */
  z0?: Z0Target | null;
  /** A token of z0 with the scopes facts:write and telemetry:write. */
  token?: string;
  /** service.name of the spans. */
  service: string;
  /** Whose facts these are, and whose metrics. */
  tenant: string;
  /** The ledger of costs, `acct_...`, unless a call names another one. */
  account?: string;
  /** The ledger of invocations and decisions, `ast_...`, unless a call names another one. */
  asset?: string;
  /** Of the running request; without one (a script, a test) the work goes on by itself. */
  ctx?: Context | null;
  /** Whose trace goes on: the request that came in. Without one a trace begins. */
  request?: TraceSource | null;
  /** Until a request to z0 is given up, 10,000 by default. */
  timeoutMs?: number;
  /** A test's own clock, pauses and randomness. */
  host?: {
    now(): number;
    sleep(ms: number, end?: AbortSignal): Promise<void>;
    randomHex(bytes: number): string;
  };
}

declare const isSpanName: unique symbol;
/** `z0.{layer}.{component}.{operation}`, made by `spanName`. */
export type SpanName = string & { readonly [isSpanName]?: true };
export type AttributeValue = string | number | boolean;

/** Made by `tool`. */
export interface Tool {
  readonly name: string;
  readonly id: string;
  readonly operations: readonly string[];
}

/** As `POST /v1/facts` takes it. Left out, `id`, `timestamp`, `tenant_id` and `trace_id` are added. */
export interface Fact {
  type: string;
  entity_id: string;
  id?: string;
  subtype?: string;
  timestamp?: number | string;
  tenant_id?: string;
  source_id?: string;
  asset_id?: string;
  campaign_id?: string;
  tool_id?: string;
  user_id?: string;
  config_id?: string;
  config_version?: number;
  /** Minor units: cents. */
  amount?: number;
  currency?: string;
  trace_id?: string;
  data?: Record<string, any>;
}

/** What became of a fact: recorded, duplicate, dropped, pending, or why z0 refused it. */
export interface Receipt {
  id: string;
  status: string;
  http?: number;
  message?: string;
  seq?: number;
  recorded_at?: number;
}

export interface Recorded {
  readonly ids: string[];
  /** For whom the answer matters, as of a budget. Never rejects; "pending" is what was not answered in time. */
  receipts(options?: { withinMs?: number }): Promise<Receipt[]>;
}

export interface Cost {
  /** Minor units: cents. What cost nothing is recorded as 0. */
  amount: number;
  currency?: string;
  data?: Record<string, any>;
}

export interface ToolOptions<T> {
  /** What the call cost, or how that is told from its result; 0 by default, and for a call that failed. */
  cost?: number | Cost | ((result: T) => number | Cost);
  account?: string;
  asset?: string;
  /** Id of the invocation's fact. */
  id?: string;
  /** Goes into the invocation's data. */
  data?: Record<string, any>;
}

export interface Decision {
  /** In a word: routed, no_buyer. */
  result: string;
  /** In a word: highest_bid, budget_exhausted. */
  reason: string;
  /** Goes into the decision's fact. */
  data?: Record<string, any>;
}

export interface Scope {
  readonly traceId: string;
  /** Empty outside of a span. */
  readonly spanId: string;
  /** Runs `fn` in a span. What it throws is recorded, and thrown. */
  span<T>(name: SpanName, fn: (scope: Scope) => T, options?: { attributes?: Record<string, AttributeValue> }): T;
  /** A call of what others offer: its span, invocation, cost and metrics. */
  externalTool<T>(
    tool: Tool | string,
    operation: string,
    fn: (call: ToolScope) => T,
    options?: ToolOptions<Awaited<T>>,
  ): T;
  /** A decision: its span, fact and metrics. */
  routingDecision<D extends Decision | Promise<Decision>>(
    name: SpanName,
    fn: (scope: Scope) => D,
    options?: { asset?: string },
  ): D;
  /** A read of your own cache: what `look` finds is a hit, what only `load` finds a miss. */
  cacheRead<T>(
    cacheType: string,
    look: () => T | undefined | null | Promise<T | undefined | null>,
    load: () => T | Promise<T>,
  ): Promise<T>;
  /** A read of a config: counted, with how long it took. */
  configRead<T>(configType: string, read: () => T): T;
  /** Facts on their way to z0. They are in memory until z0 has them: see the README's limits. */
  recordFacts(facts: Fact | readonly Fact[]): Recorded;
  /** Headers that carry the trace on. */
  headers(): { traceparent: string; tracestate: string };
  /** `fetch` that carries the trace on. */
  fetch: typeof fetch;
  setAttribute(key: string, value: AttributeValue): void;
  /** Marks the span as failed without throwing. */
  fail(code: string, message?: string): void;
  /** A span of another trace that this one has to do with. */
  link(other: { traceId: string; spanId: string }): void;
  /** What did not reach z0 since the isolate began. */
  readonly dropped: Readonly<{ facts: number; spans: number; points: number }>;
  /** Sends what waits now, and returns when it has arrived or the time is over. For tests and scripts. */
  flush(options?: { withinMs?: number }): Promise<void>;
}

export interface ToolScope extends Scope {
  /** Id of the invocation's fact: the `source_id` of the outcome that it leads to. */
  readonly invocationId: string;
}

/** One for each request; what it tells goes out with that of the isolate's other requests. */
export function createClient(options: ClientOptions): Scope;
/** A name of a span; throws for what is none. Make them where a module begins. */
export function spanName(name: string): SpanName;
/** A tool of somebody else: `tool("openai", { operations: ["completion"] })`. */
export function tool(name: string, more?: { id?: string; operations?: readonly string[] }): Tool;
