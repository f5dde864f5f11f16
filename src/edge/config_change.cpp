#include "edge/config_change.hpp"

#include "base/shorten.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/notify/policy.hpp"

namespace z0 {
namespace {

constexpr std::string_view config_types[] = {budget_type, alert_rules_type, alert_channels_type,
                                             "routing",   "retention",      "sampling"};
constexpr std::string_view categories[] = {"policy", "logic"};

template <std::size_t n>
bool one_of(const std::string_view (&names)[n], std::string_view name) {
  for (const auto known : names) {
    if (known == name) return true;
  }
  return false;
}

class ChangeReader {
 public:
  ChangeReader(const Claims& claims, ConfigChange& out, std::string& field)
      : claims_(claims), out_(out), field_(field) {}

  Status read(std::string_view body) {
    body_ = body;
    JsonReader in(body, limits::json_depth_max);
    if (in.peek() != JsonKind::object) {
      in.skip();
      return in.error() == JsonError::none ? fault(Status::not_an_object, "body") : broken(in);
    }
    in.enter_object();
    Status status = Status::recorded;
    std::string_view key;
    while (status == Status::recorded && in.next_member(key)) status = read_member(in, key);
    if (in.error() != JsonError::none) return broken(in);
    if (status != Status::recorded) return status;
    return in.at_end() ? judge() : broken(in);
  }

 private:
  Status fault(Status status, std::string_view field) {
    field_ = field;
    return status;
  }

  Status broken(const JsonReader& in) {
    field_ = fault_place(in, body_);
    return status_of(in.error());
  }

  Status read_member(JsonReader& in, std::string_view key) {
    struct Text {
      std::string_view name;
      std::string& place;
    };
    const Text texts[] = {{"type", type_},
                          {"category", category_},
                          {"scope", scope_},
                          {"applies_to", applies_to_},
                          {"tenant_id", tenant_id_}};
    field_ = shorten(key, limits::id_bytes_max);
    for (const auto& text : texts) {
      if (text.name == key) return read_text(in, text.place);
    }
    if (key == "settings") {
      if (!settings_.empty()) return Status::duplicate_key;
      if (in.peek() != JsonKind::object) return Status::wrong_type;
      bool out_of_range = false;
      in.minify(settings_, limits::data_depth_max - 1, out_of_range);
      return out_of_range ? Status::number_out_of_range : Status::recorded;
    }
    if (key != "expected_version") return Status::unknown_member;
    if (out_.expected >= 0) return Status::duplicate_key;
    JsonReader::Fit fit = JsonReader::Fit::exact;
    if (in.peek() != JsonKind::number || !in.integer(out_.expected, fit)) return Status::wrong_type;
    const bool in_range = out_.expected >= 0 && out_.expected < limits::version_max;
    return in_range ? Status::recorded : Status::number_out_of_range;
  }

  Status read_text(JsonReader& in, std::string& place) {
    if (!place.empty()) return Status::duplicate_key;
    if (in.peek() != JsonKind::string) return Status::wrong_type;
    std::string_view value;
    std::string scratch;
    if (!in.string(value, scratch)) return Status::not_json;
    if (!valid_id(value)) return Status::invalid_value;
    place = value;
    return Status::recorded;
  }

  Status judge() {
    if (type_.empty()) return fault(Status::missing_member, "type");
    if (scope_.empty()) return fault(Status::missing_member, "scope");
    if (settings_.empty()) return fault(Status::missing_member, "settings");
    if (!one_of(config_types, type_)) return fault(Status::invalid_value, "type");
    if (category_.empty()) category_ = categories[0];
    if (!one_of(categories, category_)) return fault(Status::invalid_value, "category");
    ConfigScope scope{};
    if (!z0::scope_of(scope_, scope)) return fault(Status::invalid_value, "scope");
    const bool for_entity = scope == ConfigScope::entity;
    if (for_entity != !applies_to_.empty())
      return fault(for_entity ? Status::missing_member : Status::invalid_value, "applies_to");
    if (for_entity && (ledger_type(applies_to_).empty() || is_config_ledger(applies_to_)))
      return fault(Status::unknown_ledger, "applies_to");
    if (type_ == budget_type) {
      Budget budget;
      const Status status = read_budget(settings_, budget, field_);
      if (status != Status::recorded) {
        field_.insert(0, "settings.");
        return status;
      }
    }
    if (type_ == alert_rules_type) {
      // A ledger has no metrics of its own.
      if (for_entity) return fault(Status::invalid_value, "scope");
      std::vector<Rule> rules;
      RuleError error;
      if (!read_rules(settings_, rules, error)) {
        out_.action = "Expected is " + error.why + '.';
        return fault(Status::invalid_value,
                     error.where == "settings" ? error.where : "settings." + error.where);
      }
    }
    if (type_ == alert_channels_type) {
      const Status status = judge_channels(scope);
      if (status != Status::recorded) return status;
    }
    // In one order, so that the same settings are the same bytes.
    settings_ = sorted_members(settings_);
    append_config_data(out_.data, {type_, category_, scope, applies_to_, settings_});
    if (out_.data.size() > limits::data_bytes_max) return fault(Status::data_too_large, "settings");
    return settle_tenant(scope == ConfigScope::platform);
  }

  // A channel names a secret of the Worker and where it goes: only who operates it may.
  Status judge_channels(ConfigScope scope) {
    if (scope != ConfigScope::platform) {
      out_.action = "Expected is the scope platform.";
      return fault(Status::invalid_value, "scope");
    }
    ChannelSettings settings;
    RuleError error;
    if (read_channel_settings(settings_, settings, error)) return Status::recorded;
    out_.action = "Expected is " + error.why + '.';
    return fault(Status::invalid_value,
                 error.where == "settings" ? error.where : "settings." + error.where);
  }

  // What concerns every tenant belongs to the platform, and only operators may say it.
  Status settle_tenant(bool platform) {
    if (platform && !claims_.all_tenants) return fault(Status::forbidden, "scope");
    const std::string_view own = platform ? platform_tenant : std::string_view(claims_.tenant_id);
    if (own.empty() && tenant_id_.empty()) return fault(Status::missing_member, "tenant_id");
    if (!own.empty() && !tenant_id_.empty() && tenant_id_ != own)
      return fault(Status::tenant_mismatch, "tenant_id");
    out_.tenant_id = own.empty() ? std::string_view(tenant_id_) : own;
    return Status::recorded;
  }

  const Claims& claims_;
  ConfigChange& out_;
  std::string& field_;
  std::string_view body_;
  std::string type_;
  std::string category_;
  std::string scope_;
  std::string applies_to_;
  std::string tenant_id_;
  std::string settings_;
};

}  // namespace

bool valid_config_id(std::string_view id) {
  return valid_id(id) && is_config_ledger(id) && !ledger_type(id).empty() &&
         id.size() <= limits::config_id_bytes_max;
}

void ConfigChange::encode(ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(stage));
  for (const auto* text : {&tenant_id, &config_id, &data, &request, &reply}) out.short_bytes(*text);
  for (const auto number : {expected, version, effective_at}) out.signed_varint(number);
  out.u8(written ? 1 : 0);
}

bool ConfigChange::decode(ByteReader& in) {
  stage = static_cast<Stage>(in.u8());
  for (auto* text : {&tenant_id, &config_id, &data, &request, &reply}) *text = in.short_bytes();
  for (auto* number : {&expected, &version, &effective_at}) *number = in.signed_varint();
  written = in.u8() != 0;
  return in.ok() && in.done();
}

ConfigData ConfigChange::content() const {
  ConfigData content;
  if (!read_config_data(data, content)) trap("a config's content was written by the edge");
  return content;
}

std::string ConfigChange::submission(std::int64_t timestamp) const {
  Fact fact;
  const std::string id = config_id + ':' + std::to_string(version);
  fact.type = FactType::lifecycle;
  // Without a time of its own, so that whoever sends the same content again agrees with the first.
  fact.fields = field_subtype | field_config | field_data | field_timestamp_defaulted;
  fact.id = id;
  fact.subtype = config_subtype;
  fact.timestamp = timestamp;
  fact.config_id = config_id;
  fact.config_version = version;
  fact.data = data;
  Buffer bytes;
  append_submission(bytes, fact);
  return std::string(bytes.view());
}

Status read_config_change(const Request& request, const Claims& claims, std::string_view config_id,
                          ConfigChange& out, std::string& field) {
  std::string_view wrong;
  const Status body = judge_body(request, wrong);
  field = wrong;
  if (body != Status::recorded) return body;
  out.config_id = config_id;
  return ChangeReader(claims, out, field).read(request.body);
}

}  // namespace z0
