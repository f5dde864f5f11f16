#include "folds/config_data.hpp"

#include <algorithm>

#include "base/shorten.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/currency.hpp"

namespace z0 {
namespace {

constexpr std::string_view scope_names_of[] = {"platform", "tenant", "entity"};
static_assert(std::size(scope_names_of) == static_cast<std::size_t>(ConfigScope::count_));

// A string without escapes: it borrows the text, not a scratch. Ours have none.
bool plain_string(JsonReader& in, std::string_view& out) {
  std::string scratch;
  return in.peek() == JsonKind::string && in.string(out, scratch) && scratch.empty();
}

class BudgetReader {
 public:
  BudgetReader(std::string_view settings, Budget& out) : in_(settings, 2), out_(out) {}

  Status read(std::string& field) {
    if (in_.peek() != JsonKind::object || !in_.enter_object()) {
      field = "settings";
      return Status::wrong_type;
    }
    bool limited = false;
    std::string_view key;
    while (in_.next_member(key)) {
      field = shorten(key, limits::id_bytes_max);
      limited = limited || field == "limit";
      const Status status = read_member(field);
      if (status != Status::recorded) return status;
    }
    field = "limit";
    return limited ? Status::recorded : Status::missing_member;
  }

 private:
  Status read_member(std::string_view name) {
    if (name == "limit") return read_limit();
    if (name == "enforce") {
      const bool right = in_.peek() == JsonKind::boolean && in_.boolean(out_.enforce);
      return right ? Status::recorded : Status::wrong_type;
    }
    const bool currency = name == "currency";
    if (!currency && name != "period") return Status::unknown_member;
    if (in_.peek() != JsonKind::string) return Status::wrong_type;
    std::string_view value;
    std::string scratch;
    in_.string(value, scratch);
    const bool right = currency ? known_currency(value) : period_of(value, out_.period);
    if (currency) out_.currency = value;
    return right ? Status::recorded : Status::invalid_value;
  }

  Status read_limit() {
    JsonReader::Fit fit = JsonReader::Fit::exact;
    if (in_.peek() != JsonKind::number) return Status::wrong_type;
    if (!in_.integer(out_.limit, fit)) {
      return fit == JsonReader::Fit::overflow ? Status::number_out_of_range : Status::wrong_type;
    }
    const bool in_range = out_.limit >= 0 && out_.limit <= limits::amount_max;
    return in_range ? Status::recorded : Status::number_out_of_range;
  }

  JsonReader in_;
  Budget& out_;
};

}  // namespace

std::string_view scope_name(ConfigScope scope) {
  return scope_names_of[static_cast<std::size_t>(scope)];
}

bool scope_of(std::string_view name, ConfigScope& out) {
  const auto* found = std::find(std::begin(scope_names_of), std::end(scope_names_of), name);
  if (found == std::end(scope_names_of)) return false;
  out = static_cast<ConfigScope>(found - scope_names_of);
  return true;
}

bool read_config_data(std::string_view data, ConfigData& out) {
  JsonReader in(data, limits::data_depth_max);
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  std::string_view key;
  std::string_view scope;
  while (in.next_member(key)) {
    if (key == "settings") {
      if (in.peek() != JsonKind::object) return false;
      const std::size_t from = in.offset();
      in.skip();
      out.settings = data.substr(from, in.offset() - from);
      continue;
    }
    std::string_view* const place = key == "type"         ? &out.type
                                    : key == "category"   ? &out.category
                                    : key == "scope"      ? &scope
                                    : key == "applies_to" ? &out.applies_to
                                                          : nullptr;
    if (place == nullptr || !plain_string(in, *place)) return false;
  }
  return in.at_end() && valid_type(out.type) && scope_of(scope, out.scope) && !out.settings.empty();
}

void append_config_data(std::string& out, const ConfigData& data) {
  JsonWriter json(out);
  json.object().text_if_any("type", data.type).text_if_any("category", data.category);
  json.text_if_any("scope", scope_name(data.scope)).text_if_any("applies_to", data.applies_to);
  json.raw("settings", data.settings).end();
}

Status read_budget(std::string_view settings, Budget& out, std::string& field) {
  out = Budget{};
  out.currency = default_currency;
  return BudgetReader(settings, out).read(field);
}

}  // namespace z0
