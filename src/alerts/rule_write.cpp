// What a rule reads, in the words in which it was read.
#include "z0/alerts/prometheus.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

void write_matches(JsonWriter& json, const Selector& selector, bool is_not) {
  bool any = false;
  for (const Selector::Match& match : selector.where) {
    if (match.is_not != is_not) continue;
    if (!any) json.any_key(is_not ? "not" : "where").object();
    any = true;
    json.any_key(info(selector.metric).labels[match.label]).text(match.value);
  }
  if (any) json.end();
}

void write_selector(JsonWriter& json, const Selector& selector) {
  const std::string_view metric = info(selector.metric).name;
  if (selector.where.empty()) {
    json.plain(metric);
    return;
  }
  json.object().plain("metric", metric);
  write_matches(json, selector, false);
  write_matches(json, selector, true);
  json.end();
}

// One that stands alone needs no list.
void write_selectors(JsonWriter& json, const std::vector<Selector>& selectors) {
  if (selectors.size() == 1) return write_selector(json, selectors.front());
  json.array();
  for (const Selector& one : selectors) write_selector(json, one);
  json.end();
}

void write_parts(JsonWriter& json, const Rule& rule) {
  write_selectors(json.object().key("of"), rule.of);
  if (!rule.to.empty()) write_selectors(json.key("to"), rule.to);
  if (rule.quantile > 0) json.key("q").raw(number_text(rule.quantile));
  if (rule.kind == SignalKind::burn) {
    json.key("objective").raw(number_text(rule.objective));
    json.plain("long_window", duration_text(rule.long_window_ms));
  }
  if (rule.kind == SignalKind::anomaly) json.plain("aspect", aspect_name(rule.aspect));
  json.end();
}

}  // namespace

std::string signal_json(const Rule& rule) {
  std::string out;
  JsonWriter json(out);
  json.object();
  const std::string_view kind = signal_name(rule.kind);
  switch (rule.kind) {
    case SignalKind::business:
      json.any_key(kind).plain(business_name(rule.business));
      break;
    case SignalKind::value:
    case SignalKind::sum:
    case SignalKind::absent:
      write_selectors(json.any_key(kind), rule.of);
      break;
    default:
      write_parts(json.any_key(kind), rule);
  }
  json.end();
  return out;
}

}  // namespace z0
