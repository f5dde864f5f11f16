-- Of a correction of money: the type of the fact that it corrects. Its amount belongs to that type's
-- sum. A correction from before this column belongs to the charges.
ALTER TABLE ledger_facts ADD COLUMN corrects TEXT;

DROP VIEW facts;
CREATE VIEW facts AS
SELECT id, type, subtype, timestamp, tenant_id, entity_id, source_id, asset_id, campaign_id, tool_id,
  user_id, config_id, config_version, amount, currency, trace_id, seq, recorded_at,
  'recorded' AS status, data, corrects FROM ledger_facts
UNION ALL
SELECT id, type, subtype, timestamp, tenant_id, entity_id, source_id, asset_id, campaign_id, tool_id,
  user_id, config_id, config_version, amount, currency, trace_id, NULL, attempted_at,
  'failed', data, NULL FROM failed_facts;
