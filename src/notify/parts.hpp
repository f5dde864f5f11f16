// What the forms of a notification have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/json/write.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/notification.hpp"
#include "z0/notify/request.hpp"

namespace z0 {

// What a text may hold where it goes.
enum class TextForm : std::uint8_t {
  plain,
  mrkdwn,  // Slack's: & < > are control characters
};
// A text on one line, control characters as blanks, at most `bytes_max` bytes long once it is escaped.
// What is longer ends in "...", cut between two characters and never inside of an escape.
std::string fit_text(std::string_view text, std::size_t bytes_max, TextForm form = TextForm::plain);
inline std::string fit_text(std::string_view text) {
  return fit_text(text, limits::notified_text_bytes_max);
}

// When an alert ended; 0 while it fires. All alerts of a resolved group have ended.
std::int64_t ended_at(const Notification& notification, const NotifiedAlert& alert);
std::int64_t count_firing(const Notification& notification);
// Those that fire before those that are over, critical before warning, business before thresholds; else
// as they came: so what is left out matters least.
std::vector<const NotifiedAlert*> worst_first(const Notification& notification);
// "FactWriteFailures of acct_north and 2 more", of the worst.
std::string subject_of(const Notification& notification);
// "1h30m", in whole seconds.
std::string span_text(std::int64_t from_ms, std::int64_t to_ms);

// An alert as an object: what PagerDuty shows as details, and webhooks bring.
void write_alert(JsonWriter& json, const Notification& notification, const NotifiedAlert& alert);
// A member `money`: a list with an object for each currency; nothing where there is none.
void write_money(JsonWriter& json, const Notification& notification);

// Each alert as write_alert has it, as many as could be of use to a text of so many bytes.
std::vector<std::string> alert_texts(const Notification& notification,
                                     const std::vector<const NotifiedAlert*>& alerts,
                                     std::size_t bytes_max);
// The text that build(n) makes of the first n of `count` parts: the longest within `bytes_max`. More
// parts make a longer text.
template <class Build>
std::string longest_within(std::size_t bytes_max, std::size_t count, const Build& build) {
  std::string text = build(count);
  if (text.size() <= bytes_max) return text;
  std::size_t fits = 0;
  std::size_t too_many = count;
  while (too_many - fits > 1) {
    const std::size_t half = fits + (too_many - fits) / 2;
    (build(half).size() <= bytes_max ? fits : too_many) = half;
  }
  return build(fits);
}

// Each is render() for its type; `url` is where the request goes.
struct RenderInput {
  const Notification& notification;
  const Channel& channel;
  std::string_view secret;
  std::int64_t now_ms = 0;
};
bool render_pagerduty(const RenderInput& in, ReceiverRequest& out, std::string& why);
bool render_slack(const RenderInput& in, ReceiverRequest& out, std::string& why);
bool render_alertmanager(const RenderInput& in, ReceiverRequest& out, std::string& why);
bool render_webhook(const RenderInput& in, ReceiverRequest& out, std::string& why);

}  // namespace z0
