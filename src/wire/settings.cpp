#include "z0/wire/settings.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

constexpr std::string_view default_origin = "z0.local";
constexpr std::int64_t default_alert_cents = 10'000;
// Names that speak of secrets, and of persons.
constexpr std::string_view default_redacted[] = {
    "*auth*",    "*password*", "*secret*", "*token*", "*jwt*", "*cookie*",
    "*api_key*", "*apikey*",   "*email*",  "*phone*", "*ssn*", "*card_number*"};
// An object of arrays inside an object.
constexpr std::size_t depth_max = 4;

// Calls read(reader) at the value of one member; nothing when there is none. `read` takes the
// value.
template <class Read>
void with_member(std::string_view settings, std::string_view name, Read read) {
  if (settings.empty()) return;
  JsonReader in(settings, depth_max);
  std::string_view key;
  if (in.peek() != JsonKind::object || !in.enter_object()) return;
  while (in.next_member(key)) {
    if (key == name) return read(in);
    in.skip();
  }
}

// A name without escapes, so that it borrows the settings and outlives the reader.
std::string_view name_in(JsonReader& in) {
  std::string scratch;
  std::string_view value;
  if (in.peek() != JsonKind::string || !in.string(value, scratch)) return {};
  return scratch.empty() && valid_id(value) ? value : std::string_view{};
}

// Calls each(binding, tenant) for every tenant of `databases`, and with an empty tenant for every
// binding.
template <class Each>
void for_databases(std::string_view settings, Each each) {
  with_member(settings, "databases", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      // A key that holds escapes lies in the reader, not in the settings; no binding has one.
      const bool borrowed = key.data() >= settings.data() &&
                            key.data() + key.size() <= settings.data() + settings.size();
      if (!borrowed || in.peek() != JsonKind::array || !in.enter_array()) return;
      each(key, std::string_view{});
      while (in.next_element()) {
        if (in.peek() != JsonKind::string) return;
        const std::string_view tenant = name_in(in);
        if (!tenant.empty()) each(key, tenant);
      }
    }
  });
}

// A whole number of the range; another value leaves `out` as it is.
void read_number(JsonReader& in, std::int64_t least, std::int64_t most, std::int64_t& out) {
  std::int64_t value = 0;
  JsonReader::Fit fit{};
  if (in.peek() != JsonKind::number)
    in.skip();
  else if (in.integer(value, fit) && fit == JsonReader::Fit::exact && value >= least &&
           value <= most)
    out = value;
}

// A whole number of the range; else what stands for it.
std::int64_t number_of(std::string_view settings, std::string_view name, std::int64_t least,
                       std::int64_t most, std::int64_t otherwise) {
  std::int64_t number = otherwise;
  with_member(settings, name, [&](JsonReader& in) { read_number(in, least, most, number); });
  return number;
}

// The texts of an array; others are left out.
std::vector<std::string> texts_in(JsonReader& in) {
  std::vector<std::string> texts;
  std::string scratch;
  std::string_view text;
  if (!in.enter_array()) return texts;
  while (in.next_element()) {
    if (in.peek() != JsonKind::string)
      in.skip();
    else if (in.string(text, scratch))
      texts.emplace_back(text);
  }
  return texts;
}

// An address of the web; whatever else stands there is none that the host could ask.
void read_address(JsonReader& in, std::string& out) {
  std::string scratch;
  std::string_view text;
  if (in.peek() != JsonKind::string) {
    in.skip();
    return;
  }
  if (!in.string(text, scratch)) return;
  const bool web = text.starts_with("https://") || text.starts_with("http://");
  out = web ? text : std::string_view{};
}

// The members of an object that are texts; others are left out.
void read_texts(JsonReader& in, std::vector<std::pair<std::string, std::string>>& out) {
  std::string scratch;
  std::string_view key;
  std::string_view text;
  in.enter_object();
  while (in.next_member(key)) {
    std::string name(key);
    if (in.peek() != JsonKind::string)
      in.skip();
    else if (in.string(text, scratch))
      out.emplace_back(std::move(name), std::string(text));
  }
}

}  // namespace

std::string_view settings_origin(std::string_view settings) {
  std::string_view origin;
  with_member(settings, "origin", [&](JsonReader& in) { origin = name_in(in); });
  return origin.empty() ? default_origin : origin;
}

std::string_view settings_database(std::string_view settings, std::string_view tenant_id) {
  std::string_view found = default_database;
  for_databases(settings, [&](std::string_view binding, std::string_view tenant) {
    if (!tenant.empty() && tenant == tenant_id) found = binding;
  });
  return found;
}

std::vector<std::string_view> settings_databases(std::string_view settings) {
  std::vector<std::string_view> all{default_database};
  for_databases(settings, [&](std::string_view binding, std::string_view tenant) {
    if (tenant.empty() && std::find(all.begin(), all.end(), binding) == all.end())
      all.push_back(binding);
  });
  return all;
}

bool settings_names_origin(std::string_view settings, std::string_view origin) {
  bool named = false;
  with_member(settings, "cors_origins", [&](JsonReader& in) {
    if (in.peek() != JsonKind::array || !in.enter_array()) return;
    std::string scratch;
    std::string_view value;
    while (in.next_element()) {
      if (in.peek() != JsonKind::string || !in.string(value, scratch)) return;
      named = named || value == origin;
    }
  });
  return named;
}

std::int64_t settings_reconciliation_alert_cents(std::string_view settings) {
  return number_of(settings, "reconciliation_alert_cents", 0, INT64_MAX, default_alert_cents);
}

std::int64_t settings_monitor_shards(std::string_view settings) {
  return number_of(settings, "monitor_shards", 1, limits::monitor_shards_max, 1);
}

std::size_t settings_trace_shards(std::string_view settings) {
  return static_cast<std::size_t>(
      number_of(settings, "trace_shards", 1, limits::trace_shards_max, 1));
}

TraceSampling settings_trace_sampling(std::string_view settings) {
  TraceSampling sampling;
  with_member(settings, "traces", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      if (key == "one_in")
        read_number(in, 1, INT64_MAX, sampling.one_in);
      else if (key == "slow_ms")
        read_number(in, 0, INT64_MAX, sampling.slow_ms);
      else
        in.skip();
    }
  });
  return sampling;
}

std::string settings_unnamed(std::string_view settings) {
  std::string name;
  with_member(settings, "traces", [&](JsonReader& in) {
    std::string scratch;
    std::string_view text;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(text)) {
      const bool wanted = text == "unnamed" && in.peek() == JsonKind::string;
      if (!wanted)
        in.skip();
      else if (in.string(text, scratch))
        name = text;
    }
  });
  return name;
}

OtlpTarget settings_otlp(std::string_view settings) {
  OtlpTarget target;
  std::int64_t interval_s = limits::metrics_interval_ms / 1'000;
  with_member(settings, "otlp", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      if (key == "traces_url")
        read_address(in, target.traces_url);
      else if (key == "metrics_url")
        read_address(in, target.metrics_url);
      else if (key == "metrics_interval_s")
        read_number(in, 10, limits::metrics_interval_s_max, interval_s);
      else if (key == "headers" && in.peek() == JsonKind::object)
        read_texts(in, target.headers);
      else
        in.skip();
    }
  });
  target.metrics_interval_ms = interval_s * 1'000;
  return target;
}

LinkSettings settings_links(std::string_view settings) {
  LinkSettings links;
  std::string base;
  with_member(settings, "public_url", [&](JsonReader& in) { read_address(in, base); });
  while (base.ends_with('/')) base.pop_back();
  if (!base.empty()) {
    links.dashboard = base + "/?tenant_id={tenant_id?}&from={from_ms}&to={to_ms}";
    links.facts = base + "/?tenant_id={tenant_id?}&from={from_ms}&to={to_ms}#facts";
    links.trace = base + "/v1/traces/{trace_id}";
    links.runbook = base + "/runbooks/{runbook}?tenant_id={tenant_id?}&tool_id={tool_id?}";
  }
  with_member(settings, "links", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      if (key == "dashboard")
        read_address(in, links.dashboard);
      else if (key == "facts")
        read_address(in, links.facts);
      else if (key == "trace")
        read_address(in, links.trace);
      else if (key == "runbook")
        read_address(in, links.runbook);
      else
        in.skip();
    }
  });
  return links;
}

DeadManSettings settings_deadman(std::string_view settings) {
  DeadManSettings found;
  std::int64_t interval_s = 60;
  with_member(settings, "deadman", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      if (key == "url")
        read_address(in, found.url);
      else if (key == "interval_s")
        read_number(in, 10, 86'400, interval_s);
      else
        in.skip();
    }
  });
  found.interval_ms = interval_s * 1'000;
  return found;
}

Redaction settings_redaction(std::string_view settings) {
  Redaction redaction;
  for (const std::string_view name : default_redacted) redaction.attributes.emplace_back(name);
  with_member(settings, "redact", [&](JsonReader& in) {
    std::string_view key;
    if (in.peek() != JsonKind::object || !in.enter_object()) return;
    while (in.next_member(key)) {
      const bool attributes = key == "attributes";
      if (!attributes && key != "texts") {
        in.skip();
        continue;
      }
      if (in.peek() != JsonKind::array) return;
      const std::vector<std::string> texts = texts_in(in);
      const auto names = [&](std::string_view text) {
        return std::find(texts.begin(), texts.end(), text) != texts.end();
      };
      if (attributes) {
        redaction.attributes = texts;
      } else {
        redaction.emails = names("email");
        redaction.numbers = names("number");
      }
    }
  });
  return redaction;
}

}  // namespace z0
