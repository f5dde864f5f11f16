// What holds of each form whatever is to be said: texts of any length, in any alphabet, with what is
// special to JSON, Slack or HTTP in them.
#include "z0/notify/limits.hpp"

#include "laws/random.hpp"
#include "unit/notify/samples.hpp"
#include "z0/json/json.hpp"
#include "z0/notify/signature.hpp"

using nlohmann::json;
using z0::ChannelType;
using z0::Notification;
using z0::NotificationStatus;
using z0::NotifiedAlert;
using z0::laws::Random;

namespace {

// Characters of one to four bytes, and those that somebody takes for his own.
constexpr std::string_view characters[] = {"a",
                                           "Z",
                                           "7",
                                           " ",
                                           "\n",
                                           "\t",
                                           "\x01",
                                           "\x7f",
                                           "\"",
                                           "\\",
                                           "/",
                                           "<",
                                           ">",
                                           "&",
                                           "|",
                                           "*",
                                           "_",
                                           "`",
                                           "~",
                                           "{",
                                           "}",
                                           "%",
                                           "@",
                                           ":",
                                           "<!channel>",
                                           "&amp;",
                                           "\xc3\xa9",
                                           "\xe2\x82\xac",
                                           "\xef\xbb\xbf",
                                           "\xf0\x9f\x94\xa5",
                                           "\xcc\x81",
                                           "\xe2\x80\xae"};

std::string odd_text(Random& random) {
  constexpr std::size_t lengths[] = {0,   0,   1,     3,     20,    74,    150,
                                     255, 500, 1'000, 1'024, 2'000, 3'000, 9'000};
  const std::size_t length = lengths[random.below(std::size(lengths))];
  const bool one_kind = random.percent(30);
  const std::size_t kind = random.below(std::size(characters));
  std::string text;
  while (text.size() < length)
    text += characters[one_kind ? kind : random.below(std::size(characters))];
  return text;
}

std::int64_t odd_number(Random& random) {
  constexpr std::int64_t numbers[] = {0, 1, -1, 99, 100, INT64_MAX, INT64_MIN, 123'456'789};
  return numbers[random.below(std::size(numbers))];
}

NotifiedAlert odd_alert(Random& random) {
  NotifiedAlert alert;
  for (std::string* text : {&alert.rule, &alert.summary, &alert.tenant_id, &alert.value,
                            &alert.threshold, &alert.owner, &alert.runbook, &alert.trace_id})
    *text = odd_text(random);
  alert.severity = random.percent(50) ? z0::Severity::critical : z0::Severity::warning;
  alert.level = static_cast<std::uint8_t>(1 + random.below(3));
  alert.audience = static_cast<std::uint8_t>(random.below(8));
  const std::size_t labels = random.percent(10) ? 100 : random.below(5);
  // Names are of our registry, and each stands once.
  for (std::size_t i = 0; i < labels; ++i)
    alert.labels.emplace_back(
        "l" + std::to_string(i) + "_" + (random.percent(20) ? odd_text(random) : ""),
        odd_text(random));
  alert.window_ms = random.between(0, 1'000'000);
  alert.started_ms = random.percent(10) ? random.between(-1'000, 1'000) : z0::test::alert_began_ms;
  if (random.percent(30)) alert.ended_ms = alert.started_ms + random.between(-10, 10'000'000);
  if (random.percent(60)) {
    constexpr std::string_view currencies[] = {"USD", "JPY", "KWD", "XXQ"};
    alert.money = z0::AlertMoney{std::string(random.pick(currencies)), odd_number(random),
                                 odd_number(random), odd_text(random)};
    if (random.percent(5)) alert.money->currency = odd_text(random);
  }
  return alert;
}

Notification odd_notification(Random& random) {
  Notification notification;
  notification.id = "ntf_1";
  notification.dedup_key = odd_text(random);
  notification.status = static_cast<NotificationStatus>(random.below(3));
  notification.at_ms = z0::test::alert_began_ms + 1;
  notification.by = odd_text(random);
  notification.reason = odd_text(random);
  notification.links = z0::test::sample_links();
  if (random.percent(20)) notification.links.trace = "http://z0.example/&|>?id={trace_id}";
  const std::size_t alerts = random.percent(3)    ? 400
                             : random.percent(10) ? 40
                                                  : 1 + random.below(14);
  for (std::size_t i = 0; i < alerts; ++i) notification.alerts.push_back(odd_alert(random));
  if (random.percent(20)) notification.left_out = random.between(0, 1'000'000'000);
  return notification;
}

// As CHECK, for what is asked a million times.
#define must(...)                           \
  do {                                      \
    if (!(__VA_ARGS__)) FAIL(#__VA_ARGS__); \
  } while (false)

json read_strictly(const std::string& body) {
  must(z0::valid_utf8(body));
  // A repeated key, which nlohmann would pass over, is an error to our own reader.
  z0::JsonReader reader(body, 16);
  std::string minified;
  bool out_of_range = false;
  must(reader.minify(minified, 16, out_of_range));
  return json::parse(body);
}

void check_text_object(const json& text, std::size_t bytes_max) {
  const std::string words = text["text"];
  must(!words.empty());
  must(words.size() <= bytes_max);
  if (text["type"] == "plain_text") return;
  must(text["type"] == "mrkdwn");
  must(text["verbatim"] == true);
  for (std::size_t at = words.find('&'); at != std::string::npos; at = words.find('&', at + 1)) {
    const bool escape = words.compare(at, 5, "&amp;") == 0 || words.compare(at, 4, "&lt;") == 0 ||
                        words.compare(at, 4, "&gt;") == 0;
    must(escape);
  }
  // What stands in brackets is a link of ours, never a mention of somebody.
  for (std::size_t at = words.find('<'); at != std::string::npos; at = words.find('<', at + 1))
    must(words.compare(at, 8, "<http://") == 0);
}

void check_slack_block(const json& block) {
  namespace limits = z0::limits;
  const std::string type = block["type"];
  if (type == "header") {
    must(block["text"]["type"] == "plain_text");
    check_text_object(block["text"], limits::slack_header_bytes_max);
  } else if (type == "section") {
    check_text_object(block["text"], limits::slack_text_bytes_max);
    if (!block.contains("fields")) return;
    must(!block["fields"].empty());
    must(block["fields"].size() <= limits::slack_fields_max);
    for (const json& field : block["fields"])
      check_text_object(field, limits::slack_field_bytes_max);
  } else if (type == "actions") {
    must(!block["elements"].empty());
    must(block["elements"].size() <= 25);
    for (const json& button : block["elements"]) {
      must(button["type"] == "button");
      check_text_object(button["text"], 75);
      must(button["url"].get<std::string>().starts_with("https://"));
      must(button["url"].get<std::string>().size() <= limits::slack_button_url_bytes_max);
      must(button["action_id"].get<std::string>().size() <= 255);
    }
  } else {
    must(type == "context");
    must(block["elements"].size() == 1);
    check_text_object(block["elements"][0], limits::slack_text_bytes_max);
  }
}

void check_slack(const Notification& notification) {
  const std::string body = z0::test::rendered(notification, ChannelType::slack).body;
  const json message = read_strictly(body);
  must(message["text"].get<std::string>().size() <= z0::limits::slack_text_bytes_max);
  must(!message["text"].get<std::string>().empty());
  must(message["blocks"].size() <= z0::limits::slack_blocks_max);
  for (const json& block : message["blocks"]) check_slack_block(block);
}

void check_pagerduty(const Notification& notification) {
  const std::string body = z0::test::rendered(notification, ChannelType::pagerduty).body;
  must(body.size() <= z0::limits::pagerduty_event_bytes_max);
  const json event = read_strictly(body);
  const std::string dedup_key = event["dedup_key"];
  must(dedup_key.size() <= z0::limits::pagerduty_dedup_key_bytes_max);
  const json& payload = event["payload"];
  must(payload["summary"].get<std::string>().size() <= z0::limits::pagerduty_summary_bytes_max);
  must(!payload["source"].get<std::string>().empty());
  const json& details = payload["custom_details"];
  const auto shown = static_cast<std::int64_t>(details["alerts"].size());
  const auto all = static_cast<std::int64_t>(notification.alerts.size()) + notification.left_out;
  must(shown >= 1);
  must(details.value("alerts_left_out", std::int64_t{0}) + shown == all);
}

void check_alertmanager(const Notification& notification) {
  const json alerts =
      read_strictly(z0::test::rendered(notification, ChannelType::alertmanager).body);
  must(alerts.size() == notification.alerts.size());
  for (const json& alert : alerts) {
    for (const auto& [name, value] : alert["labels"].items()) {
      must(name.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
           std::string::npos);
      must((name == "alertname" || !value.get<std::string>().empty()));
    }
    if (alert.contains("endsAt")) must(alert["endsAt"] >= alert["startsAt"]);
  }
}

void check_webhook(const Notification& notification) {
  const auto request = z0::test::rendered(notification, ChannelType::webhook);
  must(request.body.size() <= z0::limits::webhook_body_bytes_max);
  const json data = read_strictly(request.body)["data"];
  must(!data["alerts"].empty());
  must(data["alerts"].size() + data["alerts_left_out"].get<std::size_t>() ==
       notification.alerts.size() + static_cast<std::size_t>(notification.left_out));
  for (const auto& [name, value] : request.headers)
    must(value.find_first_of("\r\n") == std::string::npos);
}

}  // namespace

TEST_CASE("Each form is in order and within its limits, whatever is to be said", "[notify]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Notification notification = odd_notification(random);
    check_slack(notification);
    check_pagerduty(notification);
    check_alertmanager(notification);
    check_webhook(notification);
  }
}

TEST_CASE("A single alert of the longest texts fits everywhere", "[notify]") {
  for (const std::string_view character : characters) {
    INFO(character);
    std::string text;
    while (text.size() < 4'000) text += character;
    Notification notification = z0::test::sample();
    NotifiedAlert& alert = notification.alerts[0];
    for (std::string* part :
         {&notification.dedup_key, &notification.by, &notification.reason, &alert.rule,
          &alert.summary, &alert.tenant_id, &alert.value, &alert.threshold, &alert.owner,
          &alert.runbook, &alert.trace_id, &alert.money->reckoning, &alert.money->currency})
      *part = text;
    for (std::size_t i = 0; i < 40; ++i) alert.labels.emplace_back("l" + std::to_string(i), text);
    check_slack(notification);
    check_pagerduty(notification);
    check_alertmanager(notification);
    check_webhook(notification);
  }
}
