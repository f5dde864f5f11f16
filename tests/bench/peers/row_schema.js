// The table of the row-a-fact peer, the same in its Durable Object and in D1: two indexes, the
// least with which a retry is recognized and facts are found by type and time.
export const COLUMNS = [
  "id",
  "type",
  "subtype",
  "timestamp",
  "tenant_id",
  "entity_id",
  "source_id",
  "asset_id",
  "campaign_id",
  "tool_id",
  "user_id",
  "config_id",
  "config_version",
  "amount",
  "currency",
  "trace_id",
  "data",
];

export const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, recorded_at INTEGER NOT NULL, " +
    `${COLUMNS.join(", ")})`,
  "CREATE UNIQUE INDEX IF NOT EXISTS facts_id ON facts (id)",
  "CREATE INDEX IF NOT EXISTS facts_type ON facts (type, timestamp)",
];

const MARKS = ["seq", "recorded_at", ...COLUMNS].map(() => "?").join(", ");
export const INSERT =
  `INSERT INTO facts (seq, recorded_at, ${COLUMNS.join(", ")}) ` +
  `VALUES (${MARKS}) ON CONFLICT (id) DO NOTHING`;
