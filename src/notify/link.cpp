// Links: templates filled with what an alert says.
#include <iterator>
#include <utility>

#include "notify/parts.hpp"
#include "z0/notify/notification.hpp"

namespace z0 {
namespace {

constexpr std::string_view link_names[] = {"dashboard", "facts", "trace", "runbook"};
static_assert(std::size(link_names) == static_cast<std::size_t>(Link::count_));

// Everything but what RFC 3986 calls unreserved.
void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (letter || digit || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

using LinkWords = std::vector<std::pair<std::string_view, std::string>>;

std::string_view word_named(const LinkWords& words, std::string_view name) {
  for (const auto& [known, value] : words) {
    if (known == name) return value;
  }
  return {};
}

bool fill_template(std::string_view text, const LinkWords& words, std::string& out) {
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) return true;
    text.remove_prefix(open + 1);
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return false;
    std::string_view name = text.substr(0, close);
    text.remove_prefix(close + 1);
    const bool may_lack = name.ends_with('?');
    if (may_lack) name.remove_suffix(1);
    const std::string_view value = word_named(words, name);
    if (value.empty() && !may_lack) return false;
    append_percent_encoded(out, value);
  }
  return true;
}

const std::string& template_of(const LinkTemplates& templates, Link which) {
  switch (which) {
    case Link::facts:
      return templates.facts;
    case Link::trace:
      return templates.trace;
    case Link::runbook:
      return templates.runbook;
    default:
      return templates.dashboard;
  }
}

}  // namespace

std::string_view link_name(Link which) { return link_names[static_cast<std::size_t>(which)]; }

std::string link_of(const Notification& notification, const NotifiedAlert& alert, Link which) {
  const std::int64_t ended_ms = ended_at(notification, alert);
  LinkWords words = {
      {"tenant_id", alert.tenant_id},
      {"rule", alert.rule},
      {"from_ms", std::to_string(alert.started_ms - alert.window_ms)},
      {"to_ms", std::to_string(ended_ms != 0 ? ended_ms : notification.at_ms)},
      {"trace_id", alert.trace_id},
      {"runbook", alert.runbook},
  };
  for (const auto& [name, value] : alert.labels) words.emplace_back(name, value);
  std::string address;
  if (!fill_template(template_of(notification.links, which), words, address)) return {};
  return address.size() <= limits::notified_link_bytes_max ? address : std::string();
}

}  // namespace z0
