// A turn of sending: letters are read and secrets asked for; all is sent at once; what became of it is
// written. Secrets and bodies are nowhere but in the step between.
#include <utility>

#include "alerting/turn.hpp"
#include "calls/appended.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/request.hpp"
#include "z0/trace/context.hpp"

namespace z0 {
namespace {

// The same as long as the same alerts fire or are over.
std::int64_t said_by(const Notification& notification) {
  std::string text;
  ByteWriter out(text);
  for (const NotifiedAlert& alert : notification.alerts) {
    out.short_bytes(alert.rule);
    out.short_bytes(alert.tenant_id);
    for (const auto& [name, value] : alert.labels) {
      out.short_bytes(name);
      out.short_bytes(value);
    }
    out.signed_varint(alert.started_ms);
    out.u8(alert.ended_ms != 0 || notification.status == NotificationStatus::resolved ? 1 : 0);
  }
  return static_cast<std::int64_t>(id_hash(text, 0) >> 1) | 1;
}

// As long as alerts are judged, and all who have to speak were heard.
bool evaluation_lives(Alerting& alerting, std::int64_t now_ms) {
  AlertsRequest nobody;
  const AlertsReply reply = alerting.desk.answer(nobody, now_ms);
  return reply.silent_shards == 0 && reply.evaluated_at_ms != 0 &&
         now_ms - reply.evaluated_at_ms <= limits::alert_quiet_ms;
}

class Mail {
 public:
  Mail(Alerting& alerting, const Frame& frame, Effects& effects)
      : alerting_(alerting), frame_(frame), effects_(effects) {}

  void begin() {
    const std::int64_t now_ms = frame_.now_ms;
    AlertsCourse course;
    course.stage = AlertsStage::read;
    const std::vector<Postbox::Due> due = alerting_.postbox.take_due(now_ms);
    for (const Postbox::Due& one : due) {
      const Listener* listener = alerting_.channels.find(one.channel);
      Postbox::ask_letter(one.n, effects_);
      effects_.need_secret(listener == nullptr ? std::string_view() : listener->channel.secret);
      SentLetter& sent = course.letters.emplace_back();
      sent.n = one.n;
      sent.channel = one.channel;
    }
    if (alerting_.facts.due(now_ms)) {
      alerting_.facts.ask_first(effects_);
      course.facts = {0};
    }
    if (alerting_.dead_man.due(now_ms)) {
      alerting_.dead_man.had_turn(now_ms);
      course.beat = evaluation_lives(alerting_, now_ms);
    }
    if (effects_.needs() || course.beat) return resume_alerts(course, effects_);
    set_alerts_alarm(alerting_, now_ms, effects_);
  }

  void go_on(AlertsCourse&& course) {
    course_ = std::move(course);
    if (course_.stage == AlertsStage::read) return send();
    settle();
  }

 private:
  std::string_view answer() {
    return next_ < frame_.answers.size() ? frame_.answers[next_++] : std::string_view{};
  }

  void send() {
    std::vector<Notification> notifications(course_.letters.size());
    std::vector<std::string> unsent(course_.letters.size());
    for (std::size_t i = 0; i < course_.letters.size(); ++i) {
      SentLetter& sent = course_.letters[i];
      const Rows rows = parse_rows(answer());
      const std::string_view secret = answer();
      unsent[i] = send_letter(rows, secret, notifications[i], sent);
      sent.unsent = unsent[i];
    }
    if (!course_.facts.empty())
      course_.facts = alerting_.facts.send(parse_rows(answer()), effects_);
    if (course_.beat) {
      AlertsRequest nobody;
      alerting_.dead_man.send(alerting_.desk.answer(nobody, frame_.now_ms).evaluated_at_ms,
                              effects_);
    }
    course_.stage = AlertsStage::sent;
    if (effects_.needs()) return resume_alerts(course_, effects_);
    settle();
  }

  // Why it could not be sent; empty: it is.
  std::string send_letter(const Rows& rows, std::string_view answered, Notification& notification,
                          SentLetter& sent) {
    if (!alerting_.postbox.read_letter(rows, notification, sent)) return std::string(unreadable);
    const Listener* listener = alerting_.channels.find(sent.channel);
    if (listener == nullptr) return std::string(unreadable);
    const Channel& channel = listener->channel;
    sent.type = channel.type;
    if (channel.type == ChannelType::alertmanager) sent.says = said_by(notification);
    std::string_view secret;
    if (!channel.secret.empty() && !parse_secret(answered, secret))
      return "the Worker has no secret " + channel.secret;
    ReceiverRequest request;
    std::string why;
    if (!render(notification, channel, secret, frame_.now_ms, request, why)) return why;
    FetchRequest fetch{request.method, request.url, {}, request.body};
    for (const auto& [name, value] : request.headers) fetch.headers.emplace_back(name, value);
    fetch.timeout_ms = limits::letter_timeout_ms;
    effects_.need_fetch(span_of(channel.type), fetch);
    return {};
  }

  static SpanName span_of(ChannelType type) {
    constexpr SpanName names[] = {"z0.external.pagerduty.notify", "z0.external.slack.notify",
                                  "z0.external.alertmanager.notify", "z0.external.webhook.notify"};
    return names[static_cast<std::size_t>(type)];
  }

  DeliveryVerdict verdict_of(const SentLetter& sent, std::uint64_t chance) {
    if (sent.unsent == unreadable) return {LetterFate::give_up, 0, "its row cannot be read", false};
    const std::int64_t failures = alerting_.postbox.failures_of(sent.channel);
    // A secret may come; what it says of the receiver is nothing.
    if (!sent.unsent.empty())
      return {LetterFate::retry, backoff_ms(failures, chance), sent.unsent, false};
    const FetchAnswer got = parse_fetch(answer());
    ReceiverAnswer what;
    if (got.outcome == Z0_OK) what = {got.http, got.retry_after_s};
    return judge(sent.type, what, failures, chance);
  }

  void settle() {
    const std::int64_t now_ms = frame_.now_ms;
    std::uint64_t chance = frame_.entropy.chance();
    for (const SentLetter& sent : course_.letters) {
      const DeliveryVerdict verdict = verdict_of(sent, chance);
      // As many differ as there are letters.
      chance = chance * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
      if (alerting_.loaded)
        settle_letter(sent, verdict);
      else if (verdict.delivery == LetterFate::delivered)
        Postbox::forget_letter(sent.n, effects_);
    }
    MessagePacker packer(MessageKind::facts,
                         trace_context({}, {}, frame_.entropy.trace()).traceparent());
    if (!course_.facts.empty()) settle_facts(answer(), packer);
    if (course_.beat) alerting_.dead_man.settle(parse_fetch(answer()), now_ms);
    if (alerting_.loaded)
      set_alerts_alarm(alerting_, now_ms, effects_);
    else
      effects_.alarm(now_ms + limits::alert_tick_ms);
    for (const std::string& message : packer.take()) effects_.send(message);
    for (const auto& [channel, delivered] : counts_) {
      if (delivered)
        count(effects_, Metric::notifications, {}, {channel}, 1, {});
      else
        count(effects_, Metric::notifications_lost, {}, {channel}, 1, {});
    }
  }

  void settle_letter(const SentLetter& sent, const DeliveryVerdict& verdict) {
    const Postbox::Fate fate = alerting_.postbox.settle(sent, verdict, frame_.now_ms, effects_);
    if (fate == Postbox::Fate::waits || fate == Postbox::Fate::lost) return;
    const bool delivered = fate != Postbox::Fate::given_up;
    counts_.emplace_back(std::string(sent.channel), delivered);
    if (fate == Postbox::Fate::repeated) return;
    std::string data;
    JsonWriter json(data);
    json.object().text("channel", sent.channel).plain("to", channel_type_name(sent.type));
    json.text("notification_id", sent.id).text("dedup_key", sent.dedup_key);
    json.plain("status", notification_status_name(sent.status));
    json.integer("decided_at", sent.at_ms).integer("tries", sent.tries + 1);
    json.text_if_any("why", verdict.why).end();
    std::string id = std::string(sent.id) + ':' + std::string(sent.channel);
    std::string hash;
    // Of any length, and of letters that no id has.
    append_hex(hash, bytes_of(sha256(id)).substr(0, 12));
    alerting_.facts.add(FactType::custom, delivered ? "delivered" : "given_up", "ntf_" + hash,
                        frame_.now_ms, data, effects_);
  }

  void settle_facts(std::string_view answered, MessagePacker& packer) {
    const CallAnswer called = parse_call(answered);
    AppendRequest request;
    AppendReply reply;
    if (called.outcome == Z0_OK && decode(called.request, request) && decode(called.reply, reply))
      add_appended(packer, request, reply);
    if (alerting_.loaded) alerting_.facts.settle(course_.facts, answered, frame_.now_ms, effects_);
  }

  static constexpr std::string_view unreadable = "unreadable";

  Alerting& alerting_;
  const Frame& frame_;
  Effects& effects_;
  AlertsCourse course_;
  std::size_t next_ = 0;
  std::vector<std::pair<std::string, bool>> counts_;
};

}  // namespace

bool has_mail(const Alerting& alerting, std::int64_t now_ms) {
  const std::int64_t next = alerting.postbox.next_ms(now_ms);
  return (next != 0 && next <= now_ms) || alerting.facts.due(now_ms) ||
         alerting.dead_man.due(now_ms);
}

void begin_mail(Alerting& alerting, const Frame& frame, Effects& effects) {
  Mail(alerting, frame, effects).begin();
}

void go_on_with_mail(Alerting& alerting, AlertsCourse&& course, const Frame& frame,
                     Effects& effects) {
  Mail(alerting, frame, effects).go_on(std::move(course));
}

}  // namespace z0
