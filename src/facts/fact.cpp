#include "z0/facts/fact.hpp"

#include <array>

#include "z0/base/ids.hpp"

namespace z0 {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(FactType::count_)> type_names = {
    "custom",         "invocation",     "outcome",        "charge",
    "cost",           "payout",         "deposit",        "credit_issued",
    "lifecycle",      "reconciliation", "access_granted", "access_modified",
    "access_revoked", "contact_merged", "correction",     "alert"};

constexpr std::uint32_t known_fields = (field_corrects << 1) - 1;

}  // namespace

std::string_view type_name(FactType type) { return type_names[static_cast<std::size_t>(type)]; }

FactType type_of(std::string_view name) {
  for (std::size_t i = 1; i < type_names.size(); ++i) {
    if (type_names[i] == name) return static_cast<FactType>(i);
  }
  return FactType::custom;
}

std::uint32_t type_bit(FactType type, std::string_view custom_name) {
  if (type != FactType::custom) return 1u << static_cast<unsigned>(type);
  return 1u << (16 + id_hash(custom_name, 0) % 15);
}

void append_submission(Buffer& out, const Fact& f) {
  // Every string with its length, type, fields, timestamp, version, amount, currency, trace.
  const std::size_t room = f.id.size() + f.custom_type.size() + f.subtype.size() +
                           f.source_id.size() + f.asset_id.size() + f.campaign_id.size() +
                           f.tool_id.size() + f.user_id.size() + f.config_id.size() +
                           f.data.size() + f.corrects.size() + 19 * put::varint_bytes_max + 20;
  char* p = out.room(room);
  p = put::byte(p, static_cast<std::uint8_t>(f.type));
  p = put::varint(p, f.fields);
  p = put::varint(p, static_cast<std::uint64_t>(f.timestamp));
  p = put::short_bytes(p, f.id);
  if (f.has(field_custom_type)) p = put::short_bytes(p, f.custom_type);
  if (f.has(field_subtype)) p = put::short_bytes(p, f.subtype);
  if (f.has(field_source_id)) p = put::short_bytes(p, f.source_id);
  if (f.has(field_asset_id)) p = put::short_bytes(p, f.asset_id);
  if (f.has(field_campaign_id)) p = put::short_bytes(p, f.campaign_id);
  if (f.has(field_tool_id)) p = put::short_bytes(p, f.tool_id);
  if (f.has(field_user_id)) p = put::short_bytes(p, f.user_id);
  if (f.has(field_config)) {
    p = put::short_bytes(p, f.config_id);
    p = put::varint(p, static_cast<std::uint64_t>(f.config_version));
  }
  if (f.has(field_amount)) p = put::signed_varint(p, f.amount);
  if (f.has(field_currency)) p = put::text(p, f.currency);
  if (f.has(field_trace)) p = put::text(p, f.trace);
  if (f.has(field_data)) p = put::short_bytes(p, f.data);
  if (f.has(field_corrects)) {
    p = put::short_bytes(p, f.corrects);
    p = put::varint(p, static_cast<std::uint64_t>(f.corrects_seq));
    p = put::varint(p, static_cast<std::uint64_t>(f.corrects_at));
    p = put::varint(p, static_cast<std::uint64_t>(f.corrects_left));
  }
  out.end_at(p);
}

bool parse_submission(std::string_view bytes, std::string_view entity_id, Fact& f) {
  ByteReader in(bytes);
  f = Fact{};
  const std::uint8_t type = in.u8();
  const std::uint64_t fields = in.varint();
  if (type >= type_names.size() || fields > known_fields) return false;
  f.type = static_cast<FactType>(type);
  f.fields = static_cast<std::uint32_t>(fields);
  f.entity_id = entity_id;
  f.timestamp = static_cast<std::int64_t>(in.varint());
  f.id = in.short_bytes();
  if (f.has(field_custom_type)) f.custom_type = in.short_bytes();
  if (f.has(field_subtype)) f.subtype = in.short_bytes();
  if (f.has(field_source_id)) f.source_id = in.short_bytes();
  if (f.has(field_asset_id)) f.asset_id = in.short_bytes();
  if (f.has(field_asset_is_entity)) f.asset_id = entity_id;
  if (f.has(field_campaign_id)) f.campaign_id = in.short_bytes();
  if (f.has(field_tool_id)) f.tool_id = in.short_bytes();
  if (f.has(field_user_id)) f.user_id = in.short_bytes();
  if (f.has(field_config)) {
    f.config_id = in.short_bytes();
    f.config_version = static_cast<std::int64_t>(in.varint());
  }
  if (f.has(field_amount)) {
    f.amount = in.signed_varint();
    f.currency = default_currency;
  }
  if (f.has(field_currency)) f.currency = in.raw(3);
  if (f.has(field_trace)) f.trace = in.raw(16);
  if (f.has(field_data)) f.data = in.short_bytes();
  if (f.has(field_corrects)) {
    if (f.type != FactType::correction || !f.has(field_amount)) return false;
    f.corrects = in.short_bytes();
    f.corrects_seq = static_cast<std::int64_t>(in.varint());
    f.corrects_at = static_cast<std::int64_t>(in.varint());
    f.corrects_left = static_cast<std::int64_t>(in.varint());
  }
  return in.ok() && in.done();
}

std::string_view submission_id(std::string_view submission) {
  ByteReader in(submission);
  in.u8();
  in.varint();
  in.varint();
  return in.short_bytes();
}

void append_record(Buffer& out, std::int64_t seq, std::int64_t recorded_at,
                   std::string_view submission) {
  char numbers[2 * put::varint_bytes_max];
  char* end = put::varint(numbers, static_cast<std::uint64_t>(seq));
  end = put::varint(end, static_cast<std::uint64_t>(recorded_at));
  const auto head = static_cast<std::size_t>(end - numbers);
  char* p = out.room(record_bytes_max(submission.size()));
  p = put::varint(p, head + submission.size());
  p = put::text(p, {numbers, head});
  out.end_at(put::text(p, submission));
}

bool next_record_bytes(ByteReader& in, RecordBytes& out) {
  if (in.done()) return false;
  const char* begin = in.at();
  out.leaf = in.short_bytes();
  ByteReader record(out.leaf);
  out.seq = static_cast<std::int64_t>(record.varint());
  out.recorded_at = static_cast<std::int64_t>(record.varint());
  out.submission = record.raw(record.left());
  out.whole = std::string_view(begin, static_cast<std::size_t>(in.at() - begin));
  return in.ok() && record.ok();
}

bool next_record(ByteReader& in, std::string_view entity_id, Fact& out) {
  RecordBytes record;
  if (!next_record_bytes(in, record)) return false;
  if (!parse_submission(record.submission, entity_id, out)) return false;
  out.seq = record.seq;
  out.recorded_at = record.recorded_at;
  return true;
}

namespace {

// The config that the caller named, as opposed to the one that the ledger stamped.
std::string_view given_config(const Fact& fact) {
  return fact.has(field_config_stamped) ? std::string_view{} : fact.config_id;
}

// data as it is shown, in one order.
std::string sorted_data(const Fact& fact) {
  std::string data;
  append_data_json(data, fact);
  return sorted_members(data);
}

}  // namespace

bool same_content(const Fact& a, const Fact& b, std::string_view& field) {
  const auto differs = [&field](bool different, std::string_view name) {
    if (different) field = name;
    return different;
  };
  const bool either_defaulted =
      a.has(field_timestamp_defaulted) != b.has(field_timestamp_defaulted);
  const bool both_given = !a.has(field_timestamp_defaulted) && !b.has(field_timestamp_defaulted);
  if (differs(a.name() != b.name(), "type") || differs(a.subtype != b.subtype, "subtype") ||
      differs(either_defaulted || (both_given && a.timestamp != b.timestamp), "timestamp") ||
      differs(a.source_id != b.source_id, "source_id") ||
      differs(a.asset_id != b.asset_id, "asset_id") ||
      differs(a.campaign_id != b.campaign_id, "campaign_id") ||
      differs(a.tool_id != b.tool_id, "tool_id") || differs(a.user_id != b.user_id, "user_id") ||
      differs(given_config(a) != given_config(b), "config_id") ||
      differs(!given_config(a).empty() && a.config_version != b.config_version, "config_version") ||
      differs(a.has(field_amount) != b.has(field_amount) || a.amount != b.amount, "amount") ||
      differs(a.currency != b.currency, "currency") || differs(a.trace != b.trace, "trace_id")) {
    return false;
  }
  if (a.data == b.data) return true;
  return !differs(sorted_data(a) != sorted_data(b), "data");
}

std::string data_difference(const Fact& a, const Fact& b) {
  return "data" + first_difference(sorted_data(a), sorted_data(b));
}

namespace {

void write_data(JsonWriter& json, const Fact& f) {
  const std::string_view data = f.data.empty() ? std::string_view("{}") : f.data;
  if (f.trace.empty() || f.has(field_trace_in_data))
    json.raw(data);
  else
    json.object().hex("trace_id", f.trace).parts(members_of(data)).end();
}

}  // namespace

void append_data_json(std::string& out, const Fact& f) {
  JsonWriter json(out);
  write_data(json, f);
}

void append_fact_json(std::string& out, const Fact& f, std::string_view tenant_id) {
  JsonWriter json(out);
  json.object();
  write_fact(json, f, tenant_id);
  json.end();
}

void write_fact(JsonWriter& json, const Fact& f, std::string_view tenant_id) {
  json.text("id", f.id).text_if_any("type", f.name()).text_if_any("subtype", f.subtype);
  json.integer("timestamp", f.timestamp).text_if_any("tenant_id", tenant_id);
  json.text_if_any("entity_id", f.entity_id).text_if_any("source_id", f.source_id);
  json.text_if_any("asset_id", f.asset_id).text_if_any("campaign_id", f.campaign_id);
  json.text_if_any("tool_id", f.tool_id).text_if_any("user_id", f.user_id);
  json.text_if_any("config_id", f.config_id);
  if (f.has(field_config)) json.integer("config_version", f.config_version);
  if (f.has(field_amount)) json.integer("amount", f.amount);
  json.text_if_any("currency", f.currency).text_if_any("corrects", f.corrects);
  if (!f.trace.empty()) json.hex("trace_id", f.trace);
  json.integer("seq", f.seq).integer("recorded_at", f.recorded_at);
  write_data(json.plain("status", "recorded").key("data"), f);
}

}  // namespace z0
