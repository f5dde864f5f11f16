// From JSON to a checked fact: one pass over the members, then the rules of its type (rules.cpp).
#include "base/shorten.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/time.hpp"
#include "z0/base/trap.hpp"
#include "z0/facts/currency.hpp"
#include "z0/facts/fact.hpp"

namespace z0 {
namespace {

// One bit a member, to see a name twice.
enum class Member : std::uint8_t {
  id,
  type,
  subtype,
  timestamp,
  tenant_id,
  entity_id,
  source_id,
  asset_id,
  campaign_id,
  tool_id,
  user_id,
  config_id,
  config_version,
  amount,
  currency,
  trace_id,
  data,
  unknown
};

// By length, then by first letter: one comparison a name.
Member member_of(std::string_view name) {
  const auto is = [name](std::string_view other, Member member) {
    return name == other ? member : Member::unknown;
  };
  switch (name.size()) {
    case 2:
      return is("id", Member::id);
    case 4:
      return name[0] == 't' ? is("type", Member::type) : is("data", Member::data);
    case 6:
      return is("amount", Member::amount);
    case 7:
      if (name[0] == 's') return is("subtype", Member::subtype);
      return name[0] == 't' ? is("tool_id", Member::tool_id) : is("user_id", Member::user_id);
    case 8:
      if (name[0] == 'a') return is("asset_id", Member::asset_id);
      return name[0] == 't' ? is("trace_id", Member::trace_id) : is("currency", Member::currency);
    case 9:
      if (name[0] == 's') return is("source_id", Member::source_id);
      if (name[0] == 'e') return is("entity_id", Member::entity_id);
      if (name[0] == 'c') return is("config_id", Member::config_id);
      return name[1] == 'i' ? is("timestamp", Member::timestamp)
                            : is("tenant_id", Member::tenant_id);
    case 11:
      return is("campaign_id", Member::campaign_id);
    case 14:
      return is("config_version", Member::config_version);
    default:
      return Member::unknown;
  }
}

class FactReader {
 public:
  FactReader(JsonReader& in, const Submitter& who, Scratch& scratch, ReadFact& out)
      : in_(in), who_(who), scratch_(scratch), out_(out) {
    scratch_.clear();
  }

  void read() {
    if (in_.peek() != JsonKind::object) {
      in_.skip();
      return refuse(Status::not_an_object, {});
    }
    in_.enter_object();
    std::string_view key;
    while (in_.next_member(key)) read_member(key);
    if (in_.error() == JsonError::none) finish();
  }

 private:
  // Keeps the refusal of highest precedence, the first of equals.
  void refuse(Status status, std::string_view field) {
    if (out_.status != Status::recorded && out_.status <= status) return;
    out_.status = status;
    scratch_.field.assign(field);
    out_.field = scratch_.field;
  }

  void read_member(std::string_view key) {
    const Member member = member_of(key);
    if (member == Member::unknown) {
      refuse(Status::unknown_member, shorten(key, limits::id_bytes_max));
      in_.skip();
      return;
    }
    const std::uint32_t bit = 1u << static_cast<unsigned>(member);
    if (seen_ & bit) {
      // Not read again: a view of the first value may borrow a string that this one would
      // overwrite.
      refuse(Status::duplicate_key, key);
      in_.skip();
      return;
    }
    seen_ |= bit;
    Fact& f = out_.fact;
    switch (member) {
      case Member::id:
        f.id = id("id");
        break;
      case Member::type:
        read_type();
        break;
      case Member::subtype:
        f.subtype = string("subtype");
        if (!f.subtype.empty() && !valid_type(f.subtype)) refuse(Status::invalid_value, "subtype");
        break;
      case Member::timestamp:
        read_timestamp();
        break;
      case Member::tenant_id:
        out_.tenant_id = id("tenant_id");
        break;
      case Member::entity_id:
        f.entity_id = id("entity_id");
        break;
      case Member::source_id:
        f.source_id = id("source_id");
        break;
      case Member::asset_id:
        f.asset_id = id("asset_id");
        break;
      case Member::campaign_id:
        f.campaign_id = id("campaign_id");
        break;
      case Member::tool_id:
        f.tool_id = id("tool_id");
        break;
      case Member::user_id:
        f.user_id = id("user_id");
        break;
      case Member::config_id:
        f.config_id = id("config_id");
        break;
      case Member::config_version:
        f.config_version = integer("config_version", 1, limits::version_max);
        break;
      case Member::amount:
        f.amount = integer("amount", -limits::amount_max, limits::amount_max);
        break;
      case Member::currency:
        read_currency();
        break;
      case Member::trace_id:
        trace_text_ = string("trace_id");
        break;
      case Member::data:
        read_data();
        break;
      case Member::unknown:
        break;
    }
  }

  bool seen(Member m) const { return (seen_ >> static_cast<unsigned>(m)) & 1; }

  // A string member; empty after a refusal.
  std::string_view string(std::string_view name) {
    std::string_view value;
    if (in_.peek() != JsonKind::string) {
      if (in_.skip()) refuse(Status::wrong_type, name);
      return {};
    }
    std::string& unescaped = scratch_.strings[scratch_.used % std::size(scratch_.strings)];
    if (!in_.string(value, unescaped)) return {};
    if (value.data() == unescaped.data()) ++scratch_.used;
    if (value.empty()) refuse(Status::invalid_value, name);
    return value;
  }

  std::string_view id(std::string_view name) {
    const std::string_view value = string(name);
    if (value.empty() || valid_id(value)) return value;
    refuse(Status::invalid_id, name);
    return {};
  }

  std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high) {
    std::int64_t value = low;
    if (in_.peek() != JsonKind::number) {
      if (in_.skip()) refuse(Status::wrong_type, name);
      return low;
    }
    JsonReader::Fit fit = JsonReader::Fit::exact;
    if (in_.integer(value, fit)) {
      if (value >= low && value <= high) return value;
      refuse(Status::number_out_of_range, name);
    } else if (in_.error() == JsonError::none) {
      refuse(fit == JsonReader::Fit::overflow ? Status::number_out_of_range : Status::wrong_type,
             name);
    }
    return low;
  }

  void read_type() {
    const std::string_view value = string("type");
    if (value.empty()) return;
    if (!valid_type(value)) {
      refuse(Status::invalid_type, "type");
      return;
    }
    out_.fact.type = type_of(value);
    if (out_.fact.type == FactType::custom) out_.fact.custom_type = value;
  }

  // A number, or text with an offset. Seconds are not guessed: a caller who means them is told.
  void read_timestamp() {
    const std::int64_t latest = who_.now_ms + event_ahead_ms_max;
    std::int64_t& ms = out_.fact.timestamp;
    if (in_.peek() != JsonKind::string) {
      ms = integer("timestamp", event_ms_min, latest);
      return;
    }
    const std::string_view text = string("timestamp");
    if (text.empty()) return;
    if (!parse_rfc3339(text, ms))
      refuse(Status::invalid_value, "timestamp");
    else if (ms < event_ms_min || ms > latest)
      refuse(Status::number_out_of_range, "timestamp");
  }

  void read_currency() {
    const std::string_view value = string("currency");
    if (value.empty()) return;
    if (!known_currency(value))
      refuse(Status::invalid_value, "currency");
    else
      out_.fact.currency = value;
  }

  void read_data() {
    if (in_.peek() != JsonKind::object) {
      if (in_.skip()) refuse(Status::wrong_type, "data");
      return;
    }
    bool out_of_range = false;
    scratch_.data.clear();
    JsonReader::Watched ours[] = {{"trace_id"}, {"error"}, {"reason"}};
    if (!in_.minify(scratch_.data, limits::data_depth_max, out_of_range, ours)) return;
    data_has_ours_ = ours[0].seen || ours[1].seen || ours[2].seen;
    if (out_of_range) refuse(Status::number_out_of_range, "data");
    if (scratch_.data.size() > limits::data_bytes_max) {
      refuse(Status::data_too_large, "data");
      scratch_.data = "{}";
    }
    out_.fact.data = scratch_.data;
  }

  // The members of data that z0 itself reads; nearly no fact has one.
  void inspect_data() {
    const std::string_view data = out_.fact.data;
    JsonReader in(data, limits::data_depth_max);
    in.enter_object();
    std::string_view key;
    while (in.next_member(key)) {
      if (key == "trace_id") {
        std::string ignored;
        if (in.peek() != JsonKind::string || !in.string(data_trace_, ignored)) {
          refuse(Status::invalid_value, "data.trace_id");
          in.skip();
        } else if (!valid_trace_id(data_trace_)) {
          refuse(Status::invalid_value, "data.trace_id");
          data_trace_ = {};
        }
        continue;
      }
      data_has_error_ = data_has_error_ || (key == "error" && in.peek() != JsonKind::null);
      data_has_reason_ = data_has_reason_ || (key == "reason" && in.peek() == JsonKind::string);
      in.skip();
    }
  }

  void settle_trace() {
    if (!trace_text_.empty() && !valid_trace_id(trace_text_)) {
      refuse(Status::invalid_value, "trace_id");
      return;
    }
    if (!trace_text_.empty() && !data_trace_.empty() && trace_text_ != data_trace_) {
      refuse(Status::trace_mismatch, "data.trace_id");
    }
    const std::string_view hex = trace_text_.empty() ? data_trace_ : trace_text_;
    if (hex.empty()) return;
    scratch_.trace.resize(16);
    if (!from_hex(hex, scratch_.trace.data(), 16))
      trap("a trace id that was checked is hexadecimal");
    out_.fact.trace = scratch_.trace;
  }

  void settle_tenant() {
    if (who_.tenant_id.empty()) {
      if (!seen(Member::tenant_id)) refuse(Status::missing_member, "tenant_id");
      return;
    }
    if (seen(Member::tenant_id) && out_.tenant_id != who_.tenant_id) {
      refuse(Status::tenant_mismatch, "tenant_id");
    }
    out_.tenant_id = who_.tenant_id;
  }

  void set(Field f, bool on) {
    if (on) out_.fact.fields |= f;
  }

  void set_fields() {
    Fact& f = out_.fact;
    set(field_custom_type, !f.custom_type.empty());
    set(field_subtype, !f.subtype.empty());
    set(field_source_id, !f.source_id.empty());
    set(field_asset_id, !f.asset_id.empty() && f.asset_id != f.entity_id);
    set(field_asset_is_entity, !f.asset_id.empty() && f.asset_id == f.entity_id);
    set(field_campaign_id, !f.campaign_id.empty());
    set(field_tool_id, !f.tool_id.empty());
    set(field_user_id, !f.user_id.empty());
    set(field_config, !f.config_id.empty());
    set(field_amount, seen(Member::amount));
    set(field_currency, !f.currency.empty() && f.currency != default_currency);
    set(field_trace, !f.trace.empty());
    set(field_data, f.data.size() > 2);
    set(field_trace_in_data, !data_trace_.empty());
    set(field_timestamp_defaulted, !seen(Member::timestamp));
    if (!f.has(field_data)) f.data = {};
  }

  void finish() {
    Fact& f = out_.fact;
    settle_tenant();
    if (!seen(Member::entity_id))
      refuse(Status::missing_member, "entity_id");
    else if (!f.entity_id.empty() &&
             (ledger_type(f.entity_id).empty() || is_config_ledger(f.entity_id))) {
      refuse(Status::unknown_ledger, "entity_id");
    }
    // Else a caller could take the id that a version of a config is about to have in this ledger.
    if (is_config_ledger(f.id)) refuse(Status::reserved_type, "id");
    if (!seen(Member::type)) refuse(Status::missing_member, "type");
    if (!seen(Member::timestamp)) f.timestamp = who_.now_ms;
    if (seen(Member::config_id) != seen(Member::config_version)) {
      refuse(Status::missing_member, seen(Member::config_id) ? "config_version" : "config_id");
    }
    if (seen(Member::currency) && !seen(Member::amount)) refuse(Status::missing_member, "amount");
    if (seen(Member::amount) && f.currency.empty()) f.currency = default_currency;
    if (data_has_ours_) inspect_data();
    settle_trace();
    set_fields();
    // A fact whose type is unknown or whose members are broken is not judged by the rules of a
    // type.
    if (out_.status != Status::recorded && out_.status < Status::missing_member) return;
    if (f.name().empty()) return;
    std::string_view field;
    const Status rule = check_type_rules(f, data_has_error_, data_has_reason_, field);
    if (rule != Status::recorded) refuse(rule, field);
  }

  JsonReader& in_;
  const Submitter& who_;
  Scratch& scratch_;
  ReadFact& out_;
  std::uint32_t seen_ = 0;
  std::string_view trace_text_;
  std::string_view data_trace_;
  bool data_has_ours_ = false;
  bool data_has_error_ = false;
  bool data_has_reason_ = false;
};

}  // namespace

void read_fact(JsonReader& in, const Submitter& who, Scratch& scratch, ReadFact& out) {
  out = ReadFact{};
  FactReader(in, who, scratch, out).read();
}

}  // namespace z0
