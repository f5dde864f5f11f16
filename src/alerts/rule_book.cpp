#include "z0/alerts/rule_book.hpp"

#include <algorithm>
#include <utility>

#include "z0/base/bytes.hpp"

namespace z0 {
namespace {

// A rule of the name says it from now on, where there is one.
void say(std::vector<Rule>& rules, Rule&& rule) {
  const auto same = std::find_if(rules.begin(), rules.end(),
                                 [&rule](const Rule& one) { return one.name == rule.name; });
  if (same == rules.end())
    rules.push_back(std::move(rule));
  else
    *same = std::move(rule);
}

std::vector<Rule> readable(std::string_view settings) {
  std::vector<Rule> rules;
  RuleError error;
  static_cast<void>(read_rules(settings, rules, error));
  return rules;
}

// Read once: each object that wakes up goes by them.
const std::vector<Rule>& shipped_rules() {
  static const std::vector<Rule> rules = readable(default_rules_json());
  return rules;
}

}  // namespace

RuleBook::RuleBook() : RuleBook(std::vector<Source>()) {}

RuleBook::RuleBook(std::vector<Source> sources) : sources_(std::move(sources)) {
  std::string text(default_rules_json());
  ByteWriter out(text);
  std::vector<Rule> platform = shipped_rules();
  for (const Source& source : sources_) {
    out.short_bytes(source.config_id);
    out.short_bytes(source.tenant_id);
    out.short_bytes(source.settings);
    std::vector<Rule> rules = readable(source.settings);
    if (source.tenant_id.empty()) {
      for (Rule& rule : rules) say(platform, std::move(rule));
      continue;
    }
    if (rules.empty()) continue;
    const auto known =
        std::find_if(tenants_.begin(), tenants_.end(),
                     [&source](const OfTenant& one) { return one.tenant_id == source.tenant_id; });
    OfTenant& of = known != tenants_.end() ? *known : tenants_.emplace_back();
    of.tenant_id = source.tenant_id;
    for (Rule& rule : rules) {
      rule.by_tenant = true;
      say(of.rules, std::move(rule));
    }
  }
  put(std::move(platform));
  hash_ = sha256(text);
}

void RuleBook::put(std::vector<Rule> platform) {
  per_tenant_.clear();
  of_all_.clear();
  for (Rule& rule : platform) (rule.by_tenant ? per_tenant_ : of_all_).push_back(std::move(rule));
}

RuleBook RuleBook::of(std::vector<Rule> rules) {
  RuleBook book;
  book.put(std::move(rules));
  book.hash_ = {};
  return book;
}

}  // namespace z0
