#include "z0/notify/notification.hpp"

#include <algorithm>
#include <iterator>

#include "notify/parts.hpp"
#include "z0/base/time.hpp"
#include "z0/facts/currency.hpp"

namespace z0 {
namespace {

constexpr std::string_view status_names[] = {"firing", "acknowledged", "resolved"};
static_assert(std::size(status_names) == static_cast<std::size_t>(NotificationStatus::count_));

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? INT64_MIN : INT64_MAX;
}

// "1,234,567"
std::string grouped(std::string digits) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

void write_money_members(JsonWriter& json, const AlertMoney& money) {
  if (!money.currency.empty()) {
    json.text("currency", fit_text(money.currency));
    json.integer("lost_minor", money.lost);
    json.integer("at_risk_minor_per_hour", money.at_risk_per_hour);
  }
  json.text("in_words", fit_text(money_words(money)));
  json.text_if_any("reckoning", fit_text(money.reckoning));
}

}  // namespace

std::string_view notification_status_name(NotificationStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}

std::string fit_text(std::string_view text, std::size_t bytes_max, TextForm form) {
  constexpr std::string_view cut_off = "...";
  std::string out;
  std::size_t kept = 0;  // what may stay with the dots behind it
  for (const char& c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && out.size() + cut_off.size() <= bytes_max) kept = out.size();
    std::string_view piece(&c, 1);
    if ((c >= 0 && c < ' ') || c == '\x7f') piece = " ";
    if (form == TextForm::mrkdwn && c == '&') piece = "&amp;";
    if (form == TextForm::mrkdwn && c == '<') piece = "&lt;";
    if (form == TextForm::mrkdwn && c == '>') piece = "&gt;";
    if (out.size() + piece.size() > bytes_max) return out.substr(0, kept).append(cut_off);
    out += piece;
  }
  return out;
}

std::int64_t ended_at(const Notification& notification, const NotifiedAlert& alert) {
  if (alert.ended_ms != 0 || notification.status != NotificationStatus::resolved)
    return alert.ended_ms;
  return notification.at_ms;
}

std::int64_t count_firing(const Notification& notification) {
  return std::count_if(
      notification.alerts.begin(), notification.alerts.end(),
      [&](const NotifiedAlert& alert) { return ended_at(notification, alert) == 0; });
}

std::vector<const NotifiedAlert*> worst_first(const Notification& notification) {
  std::vector<const NotifiedAlert*> alerts;
  for (const NotifiedAlert& alert : notification.alerts) alerts.push_back(&alert);
  const auto badness = [&](const NotifiedAlert& alert) {
    return (ended_at(notification, alert) == 0 ? 100 : 0) +
           (alert.severity == Severity::critical ? 10 : 0) + alert.level;
  };
  std::stable_sort(
      alerts.begin(), alerts.end(),
      [&](const NotifiedAlert* a, const NotifiedAlert* b) { return badness(*a) > badness(*b); });
  return alerts;
}

std::string subject_of(const Notification& notification) {
  if (notification.alerts.empty()) return "no alert";
  const NotifiedAlert& worst = *worst_first(notification).front();
  std::string text = fit_text(worst.rule);
  std::string_view before = " of ";
  const auto add = [&](const std::string& name) {
    if (name.empty()) return;
    text.append(before).append(fit_text(name, limits::notified_text_bytes_max / 5));
    before = ", ";
  };
  add(worst.tenant_id);
  for (const auto& [name, value] : worst.labels) add(value);
  const std::int64_t others =
      static_cast<std::int64_t>(notification.alerts.size()) - 1 + notification.left_out;
  if (others > 0) text += " and " + std::to_string(others) + " more";
  return text;
}

std::string span_text(std::int64_t from_ms, std::int64_t to_ms) {
  const std::int64_t seconds = std::max<std::int64_t>(to_ms - from_ms, 0) / 1'000;
  return seconds == 0 ? "0s" : duration_text(seconds * 1'000);
}

std::string money_text(std::string_view currency, std::int64_t minor) {
  const auto behind = static_cast<std::size_t>(std::max(minor_digits(currency), 0));
  std::string digits = std::to_string(minor);
  const bool below_zero = digits.front() == '-';
  if (below_zero) digits.erase(0, 1);
  if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
  const std::size_t point = digits.size() - behind;
  std::string text = fit_text(currency).append(below_zero ? " -" : " ");
  text += grouped(digits.substr(0, point));
  return behind == 0 ? text : text.append(".").append(digits, point);
}

std::string money_words(const AlertMoney& money) {
  if (money.currency.empty()) return "what it costs is not known yet";
  std::string text;
  if (money.lost != 0) text = money_text(money.currency, money.lost) + " lost so far";
  if (money.at_risk_per_hour != 0) {
    if (!text.empty()) text += ", ";
    text += money_text(money.currency, money.at_risk_per_hour) + " an hour at risk";
  }
  return text.empty() ? "no " + fit_text(money.currency) + " lost so far" : text;
}

std::vector<AlertMoney> money_of(const Notification& notification) {
  std::vector<AlertMoney> sums;
  for (const NotifiedAlert& alert : notification.alerts) {
    if (!alert.money) continue;
    const auto same = std::find_if(sums.begin(), sums.end(), [&](const AlertMoney& sum) {
      return sum.currency == alert.money->currency;
    });
    if (same == sums.end()) {
      sums.push_back(*alert.money);
      continue;
    }
    same->lost = saturated_sum(same->lost, alert.money->lost);
    same->at_risk_per_hour = saturated_sum(same->at_risk_per_hour, alert.money->at_risk_per_hour);
    if (!same->currency.empty() && same->reckoning != alert.money->reckoning)
      same->reckoning = "a sum over alerts";
  }
  return sums;
}

std::string headline(const Notification& notification) {
  std::string text = "[";
  for (const char c : notification_status_name(notification.status))
    text += static_cast<char>(c - 'a' + 'A');
  if (notification.status != NotificationStatus::resolved)
    text += ':' + std::to_string(count_firing(notification) + notification.left_out);
  text += "] ";
  const std::vector<AlertMoney> sums = money_of(notification);
  for (const AlertMoney& sum : sums)
    text += money_words(sum) + (&sum == &sums.back() ? ": " : "; ");
  text += subject_of(notification);
  if (notification.alerts.empty()) return text;
  const NotifiedAlert& worst = *worst_first(notification).front();
  return worst.summary.empty() ? text : text + ": " + fit_text(worst.summary);
}

void write_alert(JsonWriter& json, const Notification& notification, const NotifiedAlert& alert) {
  constexpr std::size_t label_bytes_max = limits::notified_text_bytes_max / 5;
  const std::int64_t ended_ms = ended_at(notification, alert);
  json.object().text("rule", fit_text(alert.rule));
  json.plain("status", ended_ms == 0 ? "firing" : "resolved");
  json.plain("severity", severity_name(alert.severity)).integer("level", alert.level);
  json.plain("audience", audience_text(alert.audience));
  json.text("summary", fit_text(alert.summary)).text_if_any("tenant_id", fit_text(alert.tenant_id));
  json.object("labels");
  std::size_t labels = 0;
  for (const auto& [name, value] : alert.labels) {
    if (++labels > limits::notified_labels_max) break;
    json.any_key(fit_text(name, label_bytes_max)).text(fit_text(value, label_bytes_max));
  }
  json.end();
  json.text_if_any("value", fit_text(alert.value));
  json.text_if_any("threshold", fit_text(alert.threshold));
  json.plain("started_at", rfc3339_text(alert.started_ms));
  if (ended_ms != 0) json.plain("ended_at", rfc3339_text(ended_ms));
  json.text_if_any("owner", fit_text(alert.owner));
  json.text_if_any("runbook", fit_text(alert.runbook));
  json.text_if_any("trace_id", fit_text(alert.trace_id));
  if (alert.money) {
    json.object("money");
    write_money_members(json, *alert.money);
    json.end();
  }
  json.object("links");
  for (std::size_t i = 0; i < static_cast<std::size_t>(Link::count_); ++i) {
    const auto which = static_cast<Link>(i);
    const std::string address = link_of(notification, alert, which);
    if (!address.empty()) json.any_key(link_name(which)).text(address);
  }
  json.end().end();
}

std::vector<std::string> alert_texts(const Notification& notification,
                                     const std::vector<const NotifiedAlert*>& alerts,
                                     std::size_t bytes_max) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (const NotifiedAlert* alert : alerts) {
    if (bytes > bytes_max) break;
    std::string text;
    JsonWriter json(text);
    write_alert(json, notification, *alert);
    bytes += text.size();
    texts.push_back(std::move(text));
  }
  return texts;
}

void write_money(JsonWriter& json, const Notification& notification) {
  const std::vector<AlertMoney> sums = money_of(notification);
  if (sums.empty()) return;
  json.array("money");
  for (const AlertMoney& sum : sums) {
    json.object();
    write_money_members(json, sum);
    json.end();
  }
  json.end();
}

}  // namespace z0
