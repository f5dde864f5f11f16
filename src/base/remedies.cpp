#include "z0/base/remedies.hpp"

#include <string>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// The sentences name these numbers.
static_assert(limits::id_bytes_max == 128 && limits::config_id_bytes_max == 111);
static_assert(limits::page_facts_max == 1'000 && limits::policies_per_tenant_max == 48);
static_assert(limits::access_users_max == 256 && limits::currencies_per_ledger_max == 32);
static_assert(limits::url_bytes_max == 8'192);

constexpr Remedy remedy_rows[] = {
    // -- the request
    {Status::not_json, ",byte order mark,",
     "Send the text as UTF-8 without the byte order mark that it begins with: JSON does not allow "
     "one (RFC 8259, section 8.1)."},
    {Status::unsupported_encoding, ",content-encoding,",
     "Send the body as it is, or compressed with gzip and with `content-encoding: gzip`."},
    {Status::bad_parameter, ",url,",
     "Keep path and query to at most 8,192 bytes, with every % followed by two hexadecimal digits "
     "that make UTF-8."},
    {Status::bad_parameter, ",limit,", "Set `limit` to a whole number from 1 to 1,000."},
    {Status::bad_parameter, ",cursor,",
     "Send the `cursor` of the page before as it was received, with the same other parameters; the "
     "first page has none."},
    {Status::bad_parameter, ",trace_id,",
     "Set `trace_id` to 32 lower-case hexadecimal digits, not all zero."},
    {Status::bad_parameter, ",type,",
     "Set `type` to one name of a type: lower-case letters, digits and underscores."},
    {Status::bad_parameter, ",types,",
     "Set `types` to names of types, separated by commas: lower-case letters, digits and "
     "underscores."},
    {Status::bad_parameter, ",tenant,", "Set `tenant` to the id of one tenant."},

    // -- a fact: values of the wrong kind
    {Status::wrong_type, ",id,",
     "Send the id as text in quotes, or leave it out to have one made: null is no id."},
    {Status::wrong_type, ",type,entity_id,", "Send it as text in quotes; every fact has one."},
    {Status::wrong_type,
     ",subtype,tenant_id,source_id,asset_id,campaign_id,tool_id,user_id,config_id,currency,"
     "trace_id,",
     "Send it as text in quotes. A fact that has none leaves the member out: null is no value."},
    {Status::wrong_type, ",amount,",
     "Send a whole number of minor units (cents): no quotes, fraction or exponent. A fact that "
     "moves no money leaves the member out: null is no value."},
    {Status::wrong_type, ",timestamp,",
     "Send milliseconds since 1970 as a whole number, or a text as 2026-03-31T10:15:00Z. Leave the "
     "member out for the time of the request: null is no value."},
    {Status::wrong_type, ",config_version,",
     "Send a whole number without quotes, or leave out config_id and config_version: null is no "
     "value."},
    {Status::wrong_type, ",data,",
     "Send an object, { and }. A fact that has no data leaves the member out: null is no value."},

    // -- a fact: values out of range
    {Status::number_out_of_range, ",amount,",
     "An amount is in whole minor units (cents), up to 2^53 - 1: above zero for a deposit or "
     "credit, negative in a correction only, else from zero on."},
    {Status::number_out_of_range, ",timestamp,",
     "A timestamp is in milliseconds since 1970 (13 digits), not seconds, from the year 2000 to a "
     "day from now."},
    {Status::number_out_of_range, ",config_version,",
     "Versions are whole numbers from 1 on, up to 2^53 - 1."},
    {Status::number_out_of_range, ",data,",
     "A number in `data` is above what a double holds (1.8e308): send it as text."},

    // -- a fact: what is missing
    {Status::missing_member, ",type,entity_id,", "Add it: every fact has a type and an entity_id."},
    {Status::missing_member, ",tenant_id,",
     "Add tenant_id: with a token for all tenants every fact names its own."},
    {Status::missing_member, ",amount,",
     "Add amount, in whole minor units (cents); nothing is 0. Charges, costs, payouts, deposits "
     "and credits have one, and so has whatever names a currency."},
    {Status::missing_member, ",source_id,",
     "Add source_id, the id of the fact that caused this one: of a charge or payout the outcome, "
     "of "
     "an outcome or cost the invocation, of a correction the fact that it corrects."},
    {Status::missing_member, ",tool_id,", "Add tool_id: an invocation says which tool was called."},
    {Status::missing_member, ",subtype,",
     "Add subtype: an outcome says how it went, a lifecycle fact is created, retiring or retired."},
    {Status::missing_member, ",user_id,",
     "Add user_id, or `data`, that says whose access or contact this is about."},
    {Status::missing_member, ",data.reason,",
     "Add a text `reason` to `data`: a correction says why."},
    {Status::missing_member, ",config_id,config_version,",
     "Send config_id and config_version together, or neither."},

    // -- a fact: forms
    {Status::invalid_value,
     ",id,tenant_id,entity_id,source_id,asset_id,campaign_id,tool_id,user_id,config_id,",
     "The text is empty: send an id of 1 to 128 characters, or leave the member out."},
    {Status::invalid_value, ",type,", "The text is empty: send the name of a type."},
    {Status::invalid_value, ",subtype,",
     "A lifecycle fact is created, retiring or retired. Any other subtype is a name of lower-case "
     "letters, digits and underscores that begins with a letter."},
    {Status::invalid_value, ",currency,",
     "Send a code of ISO 4217 in capital letters, as USD, or leave the member out for USD."},
    {Status::invalid_value, ",timestamp,",
     "A timestamp is a whole number of milliseconds since 1970, or a text of RFC 3339 with an "
     "offset, as 2026-03-31T10:15:00Z or 2026-03-31T12:15:00.250+02:00."},
    {Status::invalid_value, ",trace_id,data.trace_id,",
     "A trace id is 32 lower-case hexadecimal digits, not all zero."},
    {Status::reserved_type, ",id,",
     "Choose an id that does not begin with cfg_: those are of the versions of configs."},
    {Status::reserved_type, ",subtype,", "Change a config with PUT /v1/configs/ and its id."},

    // -- a CloudEvent
    {Status::unsupported_encoding, ",content-type,datacontenttype,data_base64,",
     "Send application/json or application/x-ndjson; events as application/cloudevents+json, "
     "application/cloudevents-batch+json or with ce- headers. An event's data is a JSON object, "
     "not text or base64."},
    {Status::missing_member, ",specversion,source,",
     "Add it: every CloudEvent has id, source, type and specversion."},
    {Status::invalid_value, ",specversion,", "Send events of CloudEvents 1.0: specversion is 1.0."},
    {Status::invalid_value, ",source,",
     "The text is empty: source says where an event comes from, and makes its id unique."},
    {Status::invalid_value, ",time,",
     "Send time as RFC 3339 with an offset, as 2026-03-31T10:15:00Z, or leave it out."},
    {Status::number_out_of_range, ",time,",
     "The time of an event lies between the year 2000 and a day from now."},
    {Status::wrong_type, ",source,subject,time,",
     "Send it as text in quotes; attributes are text, whole numbers, true or false."},
    {Status::missing_member, ",tenantid,",
     "Add tenant_id to the event's data, or the extension tenantid: with a token for all tenants "
     "every CloudEvent names its own."},
    {Status::missing_member, ",subject,",
     "Add a subject, the entity_id that the CloudEvent is about; or entity_id to its data, or the "
     "extension entityid."},
    {Status::invalid_id, ",subject,",
     "Set subject to an entity_id, of 1 to 128 letters, digits and _ . : -; or give entity_id in "
     "the event's data, or as the extension entityid."},
    {Status::unknown_ledger, ",subject,",
     "Set subject to an entity_id that begins with acct_, ast_, con_ or deal_ and goes on after "
     "that; or give entity_id in the event's data, or as the extension entityid."},

    // -- what a ledger cannot take
    {Status::ledger_full, ",currency,",
     "A ledger sums up at most 32 currencies: use another entity for the rest."},
    {Status::ledger_full, ",user_id,",
     "At most 256 users have access to one entity: revoke one before granting the next."},

    // -- a config
    {Status::unknown_member, ",config.settings.*,",
     "A budget's settings are limit, currency, period and enforce."},
    {Status::unknown_member, ",config.*,",
     "A config has type, category, scope, applies_to, tenant_id, settings and expected_version; "
     "all "
     "that is to be set stands in `settings`."},
    {Status::wrong_type, ",config.settings,", "Send an object, { and }."},
    {Status::wrong_type, ",config.settings.limit,",
     "Send a whole number of minor units (cents): no quotes, fraction or exponent."},
    {Status::wrong_type, ",config.settings.enforce,", "Send true or false, without quotes."},
    {Status::wrong_type, ",config.expected_version,",
     "Send the version that this change was made for as a whole number without quotes, or leave it "
     "out: null is no value."},
    {Status::wrong_type, ",config.*,",
     "Send it as text in quotes. Where it is not needed leave the member out: null is no value."},
    {Status::invalid_value, ",config.type,",
     "A config's type is budget, alert_rules, alert_channels, routing, retention or sampling, and "
     "stays what its first version said."},
    {Status::invalid_value, ",config.category,", "A config's category is policy or logic."},
    {Status::invalid_value, ",config.scope,",
     "A config's scope is platform, tenant or entity, and stays what its first version said."},
    {Status::invalid_value, ",config.applies_to,",
     "Set applies_to to the entity_id that a config of scope entity is for, the one of its first "
     "version; leave it out in any other scope."},
    {Status::invalid_value, ",config.tenant_id,", "Set tenant_id to the id of one tenant."},
    {Status::invalid_value, ",config.settings.period,",
     "A budget's period is total, day, week or month."},
    {Status::invalid_value, ",config.settings.currency,",
     "A budget's currency is a code of ISO 4217 in capital letters, as USD, and stays what its "
     "first version said."},
    {Status::number_out_of_range, ",config.settings.limit,",
     "A budget's limit is in whole minor units (cents), from 0 to 2^53 - 1."},
    {Status::number_out_of_range, ",config.settings,",
     "A number in `settings` is above what a double holds (1.8e308): send it as text."},
    {Status::number_out_of_range, ",config.expected_version,",
     "Versions are whole numbers; 0 says that there is none yet."},
    {Status::missing_member, ",config.applies_to,",
     "Add applies_to, the entity_id that a config of scope entity is for."},
    {Status::missing_member, ",config.tenant_id,",
     "Add tenant_id: with a token for all tenants every config but the platform's names its own."},
    {Status::missing_member, ",config.settings.limit,",
     "Add limit to `settings`: a budget says how much it allows, in minor units (cents)."},
    {Status::missing_member, ",config.*,",
     "Add it: every config has a type, a scope and settings."},
    {Status::unknown_ledger, ",config.applies_to,",
     "Set applies_to to an entity_id that begins with acct_, ast_, con_ or deal_ and goes on after "
     "that."},
    {Status::data_too_large, ",config.settings,", "Keep `settings` below 64 KiB of minified JSON."},
    {Status::invalid_id, ",config.config_id,",
     "A config's id begins with cfg_ and goes on after that, as in PUT /v1/configs/cfg_budget: at "
     "most 111 letters, digits and _ . : -"},
    {Status::ledger_full, ",config.scope,",
     "A tenant and the platform have at most 48 configs together: change one that is there, or use "
     "the scope entity."},
    {Status::forbidden, ",config.scope,",
     "Configs of the scope platform take a token for all tenants; a tenant's has the scope tenant "
     "or entity."},
};

bool named(std::string_view fields, std::string_view field) {
  while (fields.size() > 1) {
    fields.remove_prefix(1);
    std::string_view name = fields.substr(0, fields.find(','));
    fields.remove_prefix(name.size());
    if (!name.ends_with('*')) {
      if (name == field) return true;
      continue;
    }
    name.remove_suffix(1);
    if (field.starts_with(name)) return true;
  }
  return false;
}

// Empty when the table has no row.
std::string_view find(Status status, std::string_view field) {
  for (const Remedy& row : remedy_rows) {
    if (row.status == status && named(row.fields, field)) return row.action;
  }
  // A field that an event gives in its data.
  constexpr std::string_view in_data = "data.";
  return field.starts_with(in_data) ? find(status, field.substr(in_data.size()))
                                    : std::string_view{};
}

}  // namespace

std::span<const Remedy> remedies() { return remedy_rows; }

std::string_view remedy(Status status, std::string_view field) {
  const std::string_view action = find(status, field);
  return action.empty() ? info(status).remedy : action;
}

std::string_view config_remedy(Status status, std::string_view field) {
  const std::string_view action = find(status, "config." + std::string(field));
  return action.empty() ? remedy(status, field) : action;
}

}  // namespace z0
