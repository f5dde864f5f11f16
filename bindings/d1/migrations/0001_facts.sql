-- The reporting copy of every ledger.
--
-- A fact's fields never change, so one key is index and identity at once: it begins with what reports
-- ask for and ends with the ledger's own numbering. WITHOUT ROWID makes it the only row written a fact;
-- the second index costs one more for the facts that carry a trace, and leads from a trace to its money.
CREATE TABLE ledger_facts (
  tenant_id TEXT NOT NULL,
  type TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  entity_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  subtype TEXT,
  source_id TEXT,
  asset_id TEXT,
  campaign_id TEXT,
  tool_id TEXT,
  user_id TEXT,
  config_id TEXT,
  config_version INTEGER,
  amount INTEGER,
  currency TEXT,
  trace_id TEXT,
  recorded_at INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant_id, type, timestamp, entity_id, seq)
) WITHOUT ROWID;
CREATE INDEX ledger_facts_by_trace ON ledger_facts (trace_id) WHERE trace_id IS NOT NULL;

-- Appends that were tried and failed. A later success under the same id leaves them in place.
CREATE TABLE failed_facts (
  tenant_id TEXT NOT NULL,
  type TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  entity_id TEXT NOT NULL,
  id TEXT NOT NULL,
  attempted_at INTEGER NOT NULL,
  subtype TEXT,
  source_id TEXT,
  asset_id TEXT,
  campaign_id TEXT,
  tool_id TEXT,
  user_id TEXT,
  config_id TEXT,
  config_version INTEGER,
  amount INTEGER,
  currency TEXT,
  trace_id TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant_id, type, timestamp, entity_id, id, attempted_at)
) WITHOUT ROWID;
CREATE INDEX failed_facts_by_trace ON failed_facts (trace_id);

-- What people query. For a failed fact recorded_at is the time of the attempt, and there is no seq.
CREATE VIEW facts AS
SELECT id, type, subtype, timestamp, tenant_id, entity_id, source_id, asset_id, campaign_id, tool_id,
  user_id, config_id, config_version, amount, currency, trace_id, seq, recorded_at,
  'recorded' AS status, data FROM ledger_facts
UNION ALL
SELECT id, type, subtype, timestamp, tenant_id, entity_id, source_id, asset_id, campaign_id, tool_id,
  user_id, config_id, config_version, amount, currency, trace_id, NULL, attempted_at,
  'failed', data FROM failed_facts;

-- How far each ledger has arrived: every fact up to contiguous_seq is in ledger_facts. tree is the
-- Merkle tree over those facts as they arrived, root its root, in lower-case hex: a root that is the
-- ledger's own proves that each of them came once and unaltered.
CREATE TABLE ledger_heads (
  entity_id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  contiguous_seq INTEGER NOT NULL,
  tree TEXT NOT NULL,
  root TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Runs that arrived ahead of a gap, with their part of the tree; they join the head when the gap
-- closes.
CREATE TABLE ledger_runs (
  entity_id TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  tree TEXT NOT NULL,
  PRIMARY KEY (entity_id, first_seq)
) WITHOUT ROWID;

-- Messages that could not be read, with their bytes.
CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  received_at INTEGER NOT NULL,
  body BLOB NOT NULL
) WITHOUT ROWID;

-- Every version of every config, from the configs' own ledgers.
CREATE VIEW configs AS
SELECT config_id AS id, config_version AS version, json_extract(data, '$.type') AS type,
  json_extract(data, '$.category') AS category, json_extract(data, '$.applies_to') AS applies_to,
  json_extract(data, '$.scope') AS scope, tenant_id, json_extract(data, '$.settings') AS settings,
  recorded_at AS effective_at,
  lead(recorded_at) OVER (PARTITION BY config_id ORDER BY config_version) AS superseded_at
FROM ledger_facts
WHERE type = 'lifecycle' AND subtype = 'config_updated' AND entity_id = config_id;
