#include "z0/alerting/silences.hpp"

#include <algorithm>

#include "z0/base/fields.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

bool is_about(const Silence& silence, const SilencedBy& alert) {
  if (!fits_pattern(silence.rule, alert.rule) || !fits_pattern(silence.tenant_id, alert.tenant_id))
    return false;
  return std::all_of(silence.labels.begin(), silence.labels.end(), [&](const auto& wanted) {
    const auto found = std::find_if(alert.labels->begin(), alert.labels->end(),
                                    [&](const auto& has) { return has.first == wanted.first; });
    const std::string_view value =
        found == alert.labels->end() ? std::string_view() : std::string_view(found->second);
    return wanted.second.empty() ? value.empty() : fits_pattern(wanted.second, value);
  });
}

// Whether whoever made it has a say in it.
bool may(const Silence& silence, const SilencedBy& alert, std::string_view listener_tenant) {
  if (silence.made_for.empty()) return true;
  return silence.made_for == alert.tenant_id &&
         (silence.made_for == alert.rules_of || silence.made_for == listener_tenant);
}

struct SilenceRow {
  template <class Fields, class Self>
  static void fields(Fields& f, Self& silence) {
    for (auto* text : {&silence.made_for, &silence.rule, &silence.tenant_id}) f.text(*text);
    std::vector<std::string> flat;
    for (const auto& [name, value] : silence.labels) {
      flat.push_back(name);
      flat.push_back(value);
    }
    f.list(flat);
    if constexpr (!std::is_const_v<Self>)
      for (std::size_t i = 0; i + 1 < flat.size(); i += 2)
        silence.labels.emplace_back(flat[i], flat[i + 1]);
    for (auto* text : {&silence.author, &silence.reason}) f.text(*text);
    for (auto* n : {&silence.made_ms, &silence.starts_ms, &silence.ends_ms}) f.number(*n);
  }
};

}  // namespace

bool fits_pattern(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return true;
  if (pattern.back() != '*') return pattern == text;
  return text.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool Silences::add(Silence silence, std::int64_t now_ms) {
  const auto counts = [&](const auto& item) { return item.second.ends_ms > now_ms; };
  const auto of_tenant = [&](const auto& item) {
    return counts(item) && item.second.made_for == silence.made_for;
  };
  const auto in_all = std::count_if(all_.begin(), all_.end(), counts);
  if (static_cast<std::size_t>(in_all) >= limits::silences_max) return false;
  if (!silence.made_for.empty() &&
      static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), of_tenant)) >=
          limits::silences_of_tenant_max)
    return false;
  std::string id = silence.id;
  all_.insert_or_assign(std::move(id), std::move(silence));
  return true;
}

const Silence* Silences::end(std::string_view id, std::string_view made_for, bool all,
                             std::int64_t now_ms) {
  const auto found = all_.find(id);
  if (found == all_.end() || (!all && found->second.made_for != made_for)) return nullptr;
  Silence& silence = found->second;
  silence.ends_ms = std::min(silence.ends_ms, now_ms);
  silence.starts_ms = std::min(silence.starts_ms, silence.ends_ms);
  return &silence;
}

std::vector<std::string> Silences::forget(std::int64_t now_ms) {
  std::vector<std::string> gone;
  std::erase_if(all_, [&](const auto& item) {
    if (now_ms - item.second.ends_ms < limits::silence_kept_ms) return false;
    gone.push_back(item.first);
    return true;
  });
  return gone;
}

const Silence* Silences::find(const SilencedBy& alert, std::string_view listener_tenant,
                              std::int64_t at_ms) const {
  for (const auto& [id, silence] : all_)
    if (silence.starts_ms <= at_ms && at_ms < silence.ends_ms &&
        may(silence, alert, listener_tenant) && is_about(silence, alert))
      return &silence;
  return nullptr;
}

std::int64_t Silences::next_ms(std::int64_t now_ms) const {
  std::int64_t next = 0;
  for (const auto& [id, silence] : all_)
    for (const std::int64_t at_ms : {silence.starts_ms, silence.ends_ms})
      if (at_ms > now_ms && (next == 0 || at_ms < next)) next = at_ms;
  return next;
}

std::string Silences::encode(std::string_view id) const {
  std::string bytes;
  const auto found = all_.find(id);
  if (found == all_.end()) return bytes;
  FieldWriter out(bytes);
  SilenceRow::fields(out, found->second);
  return bytes;
}

bool Silences::load(std::string_view id, std::string_view bytes) {
  FieldReader in(bytes);
  Silence silence;
  SilenceRow::fields(in, silence);
  if (!in.done() || silence.author.empty()) return false;
  silence.id = id;
  all_.insert_or_assign(std::string(id), std::move(silence));
  return true;
}

}  // namespace z0
