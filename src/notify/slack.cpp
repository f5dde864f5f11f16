// Slack: an incoming webhook with blocks (docs.slack.dev/reference/block-kit).
//
// The colour that Alertmanager gives an attachment is a sign in the header here: attachments are
// Slack's old form, and it folds them away.
#include <iterator>

#include "notify/parts.hpp"
#include "z0/base/time.hpp"

namespace z0 {
namespace {

constexpr std::size_t summary_bytes_max = limits::slack_text_bytes_max / 3;
// A field is a word or a line, and ten messages of ten fields have to be read.
constexpr std::size_t field_text_bytes_max = limits::slack_field_bytes_max / 4;

// Header, money, acknowledgement, the rest and the foot; of each alert its section, buttons, and links
// that no button takes.
static_assert(5 + 3 * limits::slack_alerts_max <= limits::slack_blocks_max);

constexpr std::string_view link_titles[] = {"Dashboard", "Facts", "Trace", "Runbook"};
static_assert(std::size(link_titles) == static_cast<std::size_t>(Link::count_));

std::string mrkdwn(std::string_view text, std::size_t bytes_max) {
  return fit_text(text, bytes_max, TextForm::mrkdwn);
}

// `verbatim`: what looks like an address or a name in an alert does not become a link or call
// somebody.
void write_mrkdwn(JsonWriter& json, std::string_view text) {
  json.object().plain("type", "mrkdwn").text("text", text).boolean("verbatim", true).end();
}

void write_plain(JsonWriter& json, std::string_view text) {
  json.object().plain("type", "plain_text").text("text", text).boolean("emoji", true).end();
}

void write_section(JsonWriter& json, std::string_view text) {
  json.object().plain("type", "section").key("text");
  write_mrkdwn(json, text);
  json.end();
}

void write_context(JsonWriter& json, std::string_view text) {
  json.object().plain("type", "context").array("elements");
  write_mrkdwn(json, text);
  json.end().end();
}

std::string_view sign_of(const Notification& notification) {
  if (notification.status == NotificationStatus::resolved) return "\u2705";
  if (notification.status == NotificationStatus::acknowledged) return "\U0001F440";
  for (const NotifiedAlert& alert : notification.alerts) {
    if (alert.severity == Severity::critical && alert.ended_ms == 0) return "\U0001F534";
  }
  return "\U0001F7E0";
}

void write_header(JsonWriter& json, const Notification& notification) {
  std::string text(sign_of(notification));
  text.append(" ").append(notification_status_name(notification.status));
  text.append(": ").append(subject_of(notification));
  json.object().plain("type", "header").key("text");
  write_plain(json, fit_text(text, limits::slack_header_bytes_max));
  json.end();
}

// What it costs, and how that was reckoned: a line for each currency, as many as there is room for.
void write_money_section(JsonWriter& json, const Notification& notification) {
  std::string text;
  for (const AlertMoney& sum : money_of(notification)) {
    std::string line = text.empty() ? "*" : "\n*";
    line.append(mrkdwn(money_words(sum), field_text_bytes_max)).append("*");
    if (!sum.reckoning.empty()) line += ' ' + mrkdwn(sum.reckoning, field_text_bytes_max);
    if (text.size() + line.size() > limits::slack_text_bytes_max) break;
    text += line;
  }
  if (!text.empty()) write_section(json, text);
}

class SlackFields {
 public:
  explicit SlackFields(JsonWriter& json) : json_(json) {}

  void add(std::string_view title, std::string_view text) {
    if (text.empty() || count_ >= limits::slack_fields_max) return;
    if (count_++ == 0) json_.array("fields");
    std::string field = "*" + mrkdwn(title, field_text_bytes_max) + "*\n";
    write_mrkdwn(json_, field.append(mrkdwn(text, field_text_bytes_max)));
  }
  void end() {
    if (count_ > 0) json_.end();
  }

 private:
  JsonWriter& json_;
  std::size_t count_ = 0;
};

std::string value_beside_threshold(const NotifiedAlert& alert) {
  if (alert.threshold.empty()) return alert.value;
  return alert.value.empty() ? alert.threshold : alert.value + ", fires " + alert.threshold;
}

// `alone`: what the money section says already is not said again.
void write_alert_section(JsonWriter& json, const Notification& notification,
                         const NotifiedAlert& alert, bool alone) {
  const std::int64_t ended_ms = ended_at(notification, alert);
  std::string text = "*" + mrkdwn(alert.rule, field_text_bytes_max) + "* ";
  text.append(severity_name(alert.severity)).append(", level ").append(std::to_string(alert.level));
  if (alert.audience != 0) text += ", for " + audience_text(alert.audience);
  if (ended_ms != 0) text += ", over";
  if (!alert.summary.empty()) text += '\n' + mrkdwn(alert.summary, summary_bytes_max);
  json.object().plain("type", "section").key("text");
  write_mrkdwn(json, text);
  SlackFields fields(json);
  fields.add("Tenant", alert.tenant_id.empty() ? "the platform" : alert.tenant_id);
  if (alert.money && !alone) fields.add("Money", money_words(*alert.money));
  fields.add("Value", value_beside_threshold(alert));
  fields.add("Since", rfc3339_text(alert.started_ms));
  if (ended_ms != 0)
    fields.add("Over", rfc3339_text(ended_ms) + " after " + span_text(alert.started_ms, ended_ms));
  fields.add("Owner", alert.owner);
  for (const auto& [name, value] : alert.labels) fields.add(name, value);
  fields.end();
  json.end();
}

// Buttons open https only; other addresses are links in a text.
void write_links_of(JsonWriter& json, const Notification& notification, const NotifiedAlert& alert,
                    std::size_t number) {
  std::string text;
  bool buttons = false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Link::count_); ++i) {
    const std::string address = link_of(notification, alert, static_cast<Link>(i));
    if (address.empty()) continue;
    if (address.starts_with("https://")) {
      if (!buttons) json.object().plain("type", "actions").array("elements");
      buttons = true;
      json.object().plain("type", "button").key("text");
      write_plain(json, link_titles[i]);
      json.text("url", address);
      json.plain("action_id",
                 std::string(link_name(static_cast<Link>(i))) + '_' + std::to_string(number));
      json.end();
      continue;
    }
    std::string link = text.empty() ? "<" : "  <";
    link += mrkdwn(address, limits::slack_text_bytes_max);
    link.append("|").append(link_titles[i]).append(">");
    if (text.size() + link.size() <= limits::slack_text_bytes_max) text += link;
  }
  if (buttons) json.end().end();
  if (!text.empty()) write_context(json, text);
}

std::string rest_text(const Notification& notification,
                      const std::vector<const NotifiedAlert*>& alerts) {
  std::int64_t firing = notification.left_out;
  std::int64_t over = 0;
  for (std::size_t i = limits::slack_alerts_max; i < alerts.size(); ++i)
    ++(ended_at(notification, *alerts[i]) == 0 ? firing : over);
  if (firing + over == 0) return {};
  std::string text = "and " + std::to_string(firing + over) + " more: ";
  text += std::to_string(firing) + " firing, " + std::to_string(over) + " over";
  return text;
}

std::string acknowledgement_text(const Notification& notification) {
  if (notification.status != NotificationStatus::acknowledged) return {};
  std::string text = "Acknowledged";
  if (!notification.by.empty()) text += " by " + mrkdwn(notification.by, field_text_bytes_max);
  if (!notification.reason.empty()) text += ": " + mrkdwn(notification.reason, summary_bytes_max);
  return text;
}

// Where a message of a Slack app is posted. The path is the secret, so it is in no words of ours.
bool is_slack_url(std::string_view url) {
  return url.size() <= limits::notified_link_bytes_max && receiver_url(ChannelType::slack, url);
}

}  // namespace

bool render_slack(const RenderInput& in, ReceiverRequest& out, std::string& why) {
  if (!is_slack_url(in.secret)) {
    why = "the secret is no address of an incoming webhook";
    return false;
  }
  out.url = in.secret;
  const Notification& notification = in.notification;
  const std::vector<const NotifiedAlert*> alerts = worst_first(notification);
  JsonWriter json(out.body);
  json.object().text("text", mrkdwn(headline(notification), limits::slack_text_bytes_max));
  json.array("blocks");
  write_header(json, notification);
  write_money_section(json, notification);
  const std::string acknowledgement = acknowledgement_text(notification);
  if (!acknowledgement.empty()) write_section(json, acknowledgement);
  for (std::size_t i = 0; i < alerts.size() && i < limits::slack_alerts_max; ++i) {
    write_alert_section(json, notification, *alerts[i], alerts.size() == 1);
    write_links_of(json, notification, *alerts[i], i);
  }
  const std::string rest = rest_text(notification, alerts);
  if (!rest.empty()) write_context(json, rest);
  write_context(json, "z0, " + rfc3339_text(notification.at_ms) + ", " +
                          mrkdwn(notification.dedup_key, field_text_bytes_max));
  json.end().end();
  return true;
}

}  // namespace z0
