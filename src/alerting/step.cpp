// Frames to the object of alerts: its rows come first, then one thing is done and what changed is saved.
// Its alarm judges, or sends what waits; the two take turns, so that neither waits for long.
#include <algorithm>

#include "alerting/turn.hpp"
#include "calls/replying.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/notify/limits.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view create_rows =
    R"(CREATE TABLE IF NOT EXISTS alert_rows (kind INTEGER, id TEXT, bytes BLOB NOT NULL,
      PRIMARY KEY (kind, id)) WITHOUT ROWID)";
constexpr std::string_view select_rows = "SELECT kind, id, bytes FROM alert_rows ORDER BY kind, id";
namespace of_rows {
enum Column : std::size_t { kind, id, bytes };
}
constexpr std::string_view put_row =
    "INSERT OR REPLACE INTO alert_rows (kind, id, bytes) VALUES (?1, ?2, ?3)";
constexpr std::string_view drop_row = "DELETE FROM alert_rows WHERE kind = ?1 AND id = ?2";
// Beside the kinds of Desk's rows.
constexpr std::int64_t channels_row = 100;
// What is late by less is only busy.
constexpr std::int64_t delay_told_ms = 30'000;
// An alarm that is late by more was lost.
constexpr std::int64_t alarm_lost_ms = 120'000;

// A row that cannot be read is passed over: alerts are judged anew, and a desk that never came back
// would tell of none.
void load(Alerting& alerting, const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t kind = rows.at(i, of_rows::kind).integer;
    const std::string_view id = rows.at(i, of_rows::id).bytes;
    const std::string_view bytes = rows.at(i, of_rows::bytes).bytes;
    if (kind == channels_row)
      alerting.channels.set(id, bytes);
    else
      static_cast<void>(alerting.desk.load(kind, id, bytes));
  }
}

// False until the rows are there, which were asked for; or that they cannot be read was answered.
bool loaded(Alerting& alerting, const Frame& frame, Effects& effects) {
  if (alerting.loaded) return true;
  constexpr std::size_t of_postbox = 2;
  constexpr std::size_t of_facts = of_postbox + Postbox::rows_asked;
  if (frame.answers.size() < of_facts + AlertFacts::rows_asked) {
    effects.need_rows(create_rows, {});
    effects.need_rows(select_rows, {});
    Postbox::ask_rows(effects);
    AlertFacts::ask_rows(effects);
    return false;
  }
  const Rows rows = parse_rows(frame.answers[1]);
  const bool good = !rows.failed &&
                    alerting.postbox.load(frame.answers[of_postbox + 2],
                                          frame.answers[of_postbox + 3], frame.now_ms) &&
                    alerting.facts.load(frame.answers[of_facts + 1], frame.now_ms);
  if (!good) {
    alerting.postbox = Postbox();
    if (frame.kind == Z0_FRAME_ALARM)
      effects.alarm(frame.now_ms + limits::alert_quiet_ms);
    else
      reply_status(effects, Status::storage_error);
    return false;
  }
  load(alerting, rows);
  alerting.desk.end_loading(frame.now_ms);
  alerting.desk.dispatch().each_episode(
      [&](std::string_view id, std::int64_t fired_ms, std::int64_t over_ms) {
        alerting.facts.remember(id, fired_ms, over_ms);
      });
  alerting.loaded = true;
  return true;
}

// What the object measures of itself, before it judges. `late_ms`: how late its alarm is.
void measure(Alerting& alerting, std::int64_t late_ms, std::int64_t now_ms) {
  const std::int64_t delay_ms = std::max(late_ms, alerting.desk.overdue_ms(now_ms));
  std::int64_t waits_ms = 0;
  for (const auto& [channel, lane] : alerting.postbox.lanes())
    if (lane.oldest_ms != 0) waits_ms = std::max(waits_ms, now_ms - lane.oldest_ms);
  alerting.desk.set_own({{Metric::alerts_evaluation_delay, static_cast<double>(delay_ms)},
                         {Metric::notifications_delay, static_cast<double>(waits_ms)}});
}

// For the graphs. Nothing is said of what is in time: whoever judges would have to judge that, too.
void tell_delays(const Alerting& alerting, Effects& effects) {
  for (const auto& [metric, value] : alerting.desk.own())
    if (value > delay_told_ms) gauge(effects, metric, {}, static_cast<std::int64_t>(value));
}

void tell_people(Alerting& alerting, const Frame& frame, Effects& effects) {
  const std::vector<Told> told =
      alerting.desk.decide(alerting.channels.listeners(), alerting.desk.zones(), frame.now_ms);
  for (const Told& one : told) {
    const Listener* listener = alerting.channels.find(one.channel);
    if (listener == nullptr) continue;
    alerting.postbox.put(one.channel, listener->channel.type, one.notification, frame.now_ms,
                         effects);
  }
}

void acknowledge(Alerting& alerting, const Frame& frame, Effects& effects) {
  AcknowledgeRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  AlertsReply reply;
  const bool known = alerting.desk.acknowledge(request, frame.now_ms, reply);
  if (!known) return reply_status(effects, Status::not_found);
  std::string data;
  JsonWriter json(data);
  json.object().plain("alert_id", request.id).text("author", request.author);
  json.text("reason", request.reason).end();
  alerting.facts.add(
      FactType::alert, "acknowledged",
      "alert_" + std::string(request.id) + "_acknowledged_" + std::to_string(frame.now_ms),
      frame.now_ms, data, effects);
  // Before anything else is taken: the answer borrows.
  const std::string value = encode_reply(reply);
  commit_alerts(alerting, frame, effects);
  effects.reply(info(Status::ok).http, {}, value);
}

// One that was ended says so by its end.
void note_silences(Alerting& alerting, const SilencesReply& reply, std::int64_t now_ms,
                   Effects& effects) {
  for (const SilenceView& one : reply.silences) {
    std::string data;
    JsonWriter json(data);
    json.object().text("silence_id", one.id).text_if_any("rule", one.rule);
    json.text_if_any("silenced_tenant_id", one.tenant_id).object("labels");
    for (std::size_t i = 0; i + 1 < one.labels.size(); i += 2)
      json.any_key(one.labels[i]).text(one.labels[i + 1]);
    json.end().text("author", one.author).text("reason", one.reason);
    json.integer("starts_at", one.starts_ms).integer("ends_at", one.ends_ms).end();
    alerting.facts.add(FactType::alert, "silenced",
                       "silence_" + std::string(one.id) + '_' + std::to_string(one.ends_ms), now_ms,
                       data, effects);
  }
}

void answer_silences(Alerting& alerting, const SilencesReply& reply, const Frame& frame,
                     Effects& effects) {
  note_silences(alerting, reply, frame.now_ms, effects);
  const std::string value = encode_reply(reply);
  commit_alerts(alerting, frame, effects);
  effects.reply(info(Status::ok).http, {}, value);
}

void silence(Alerting& alerting, const Frame& frame, Effects& effects) {
  SilenceRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  SilencesReply reply;
  alerting.desk.silence(request, frame.now_ms, reply);
  answer_silences(alerting, reply, frame, effects);
}

void unsilence(Alerting& alerting, const Frame& frame, Effects& effects) {
  UnsilenceRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  SilencesReply reply;
  const bool known = alerting.desk.unsilence(request, frame.now_ms, reply);
  if (!known) return reply_status(effects, Status::not_found);
  answer_silences(alerting, reply, frame, effects);
}

void list_silences(const Alerting& alerting, const Frame& frame, Effects& effects) {
  SilencesRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  reply_value(effects, alerting.desk.silences(request, frame.now_ms));
}

void publish_rules(Alerting& alerting, const Frame& frame, Effects& effects) {
  RulesSource source;
  if (!decode(frame.part(1), source)) return reply_status(effects, Status::storage_error);
  alerting.desk.set_rules(source);
  commit_alerts(alerting, frame, effects);
  reply_status(effects, Status::ok);
}

void publish_channels(Alerting& alerting, const Frame& frame, Effects& effects) {
  RulesSource source;
  if (!decode(frame.part(1), source)) return reply_status(effects, Status::storage_error);
  alerting.channels.set(source.config_id, source.settings);
  effects.write(put_row, {Value::of(channels_row), Value::text(source.config_id),
                          Value::blob(source.settings)});
  alerting.postbox.keep(
      [&](std::string_view key) { return alerting.channels.find(key) != nullptr; }, effects);
  const std::string of_config = std::string(source.config_id) + '/';
  for (const Listener& listener : alerting.channels.listeners())
    if (listener.key.starts_with(of_config)) alerting.postbox.try_again(listener.key, effects);
  commit_alerts(alerting, frame, effects);
  reply_status(effects, Status::ok);
}

void report(Alerting& alerting, const Frame& frame, Effects& effects) {
  ShardReportReply reply;
  measure(alerting, 0, frame.now_ms);
  if (!alerting.desk.take(frame.part(1), frame.now_ms, reply))
    return reply_status(effects, Status::storage_error);
  commit_alerts(alerting, frame, effects);
  reply_value(effects, reply);
  tell_delays(alerting, effects);
}

constexpr std::string_view too_many_channels =
    "it is told nothing: all configs together have more than 50 channels, and it comes after them";
static_assert(limits::channels_max == 50);

void add_channels(const Alerting& alerting, const std::map<std::string, LaneState>& lanes,
                  AlertsReply& reply) {
  for (const Listener& listener : alerting.channels.listeners()) {
    AlertsReply::ChannelView& view = reply.channels.emplace_back();
    view.channel = listener.key;
    view.to = channel_type_name(listener.channel.type);
    const auto lane = lanes.find(listener.key);
    if (lane == lanes.end()) continue;
    const LaneState& state = lane->second;
    view.off = state.off;
    view.why = state.why;
    view.waiting = state.waiting;
    view.delivered = state.delivered;
    view.given_up = state.given_up;
    view.lost = state.lost;
    view.delivered_at_ms = state.delivered_ms;
    view.again_at_ms = state.again_ms;
  }
  for (const ChannelBook::LeftOut& one : alerting.channels.left_out()) {
    AlertsReply::ChannelView& view = reply.channels.emplace_back();
    view.channel = one.key;
    view.to = channel_type_name(one.type);
    view.off = too_many_channels;
  }
}

void list(Alerting& alerting, const Frame& frame, Effects& effects) {
  AlertsRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  AlertsReply reply = alerting.desk.answer(request, frame.now_ms);
  const std::map<std::string, LaneState> lanes = alerting.postbox.lanes();
  if (request.all_tenants) {
    add_channels(alerting, lanes, reply);
    reply.has_dead_man = alerting.dead_man.is_wanted();
    reply.dead_man_heard_at_ms = alerting.dead_man.heard_ms();
    reply.dead_man_why = alerting.dead_man.why();
  }
  // Whoever looks after a restart does not wait for the next report.
  if (has_shards_to_ask(alerting)) {
    alerting.judge_at_ms = frame.now_ms;
    set_alerts_alarm(alerting, frame.now_ms, effects);
  }
  reply_value(effects, reply);
}

// A sign of life is given by who has just judged.
bool has_to_judge_first(Alerting& alerting, std::int64_t now_ms) {
  const bool due = alerting.judge_at_ms != 0 && now_ms >= alerting.judge_at_ms;
  if (due && alerting.carried_last) return true;
  if (!alerting.dead_man.due(now_ms)) return false;
  const std::int64_t judged_ms = alerting.desk.judged_ms();
  return now_ms - judged_ms > limits::alert_quiet_ms / 2 || judged_ms > now_ms;
}

void judge(Alerting& alerting, const Frame& frame, Effects& effects) {
  alerting.carried_last = false;
  measure(alerting, alerting.late_ms, frame.now_ms);
  alerting.late_ms = 0;
  alerting.desk.tick(frame.now_ms);
  commit_alerts(alerting, frame, effects);
  tell_delays(alerting, effects);
}

void alarm(Alerting& alerting, const Frame& frame, Effects& effects) {
  // Before all else: what they say decides what is to be sent.
  if (has_shards_to_ask(alerting) && asks_first(alerting, frame, effects)) return;
  const bool may_look = !has_mail(alerting, frame.now_ms) || alerting.carried_last;
  if (may_look && begin_looking(alerting, frame, effects)) return;
  if (has_mail(alerting, frame.now_ms) && !has_to_judge_first(alerting, frame.now_ms)) {
    alerting.carried_last = true;
    return begin_mail(alerting, frame, effects);
  }
  if (!asks_first(alerting, frame, effects)) judge(alerting, frame, effects);
}

void go_on(Alerting& alerting, const Frame& frame, Effects& effects) {
  // A look takes the alarm of the judgement that was due, so it is made here.
  if (resumes_look(frame.part(0))) {
    if (end_looking(alerting, frame, effects)) judge(alerting, frame, effects);
    return;
  }
  AlertsCourse course;
  if (!decode(frame.part(0), course)) trap("a turn of alerts goes round as it was written");
  if (course.stage != AlertsStage::before)
    return go_on_with_mail(alerting, std::move(course), frame, effects);
  // Its state left memory meanwhile: the alarm comes again, and reads it.
  if (!alerting.loaded) return effects.alarm(frame.now_ms);
  hear_zones(alerting, course, frame);
  judge(alerting, frame, effects);
}

}  // namespace

void commit_alerts(Alerting& alerting, const Frame& frame, Effects& effects) {
  tell_people(alerting, frame, effects);
  AlertsRequest all;
  all.all_tenants = true;
  alerting.facts.watch(alerting.desk.answer(all, frame.now_ms), effects);
  alerting.desk.save([&effects](std::int64_t kind, std::string_view id, std::string_view bytes) {
    if (bytes.empty())
      effects.write(drop_row, {Value::of(kind), Value::text(id)});
    else
      effects.write(put_row, {Value::of(kind), Value::text(id), Value::blob(bytes)});
  });
  alerting.judge_at_ms = alerting.desk.next_ms(frame.now_ms);
  if (!zones_to_ask(alerting.channels.listeners(), alerting.desk.zones(), frame.now_ms).empty())
    alerting.judge_at_ms = frame.now_ms;
  set_alerts_alarm(alerting, frame.now_ms, effects);
}

void resume_alerts(const AlertsCourse& course, Effects& effects) {
  effects.resume(encode(course), limits::alerts_steps_max, "notifications on their way");
}

void set_alerts_alarm(Alerting& alerting, std::int64_t now_ms, Effects& effects) {
  std::int64_t at_ms = 0;
  for (const std::int64_t one :
       {alerting.judge_at_ms, alerting.desk.next_look_ms(now_ms), alerting.postbox.next_ms(now_ms),
        alerting.facts.next_ms(now_ms), alerting.dead_man.next_ms(now_ms)}) {
    if (one != 0 && (at_ms == 0 || one < at_ms)) at_ms = one;
  }
  const bool comes = alerting.alarm_ms != 0 && alerting.alarm_ms + alarm_lost_ms > now_ms;
  if (at_ms == 0 || (comes && alerting.alarm_ms <= at_ms)) return;
  alerting.alarm_ms = at_ms;
  effects.alarm(at_ms);
}

void step_alerts(Alerting& alerting, const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_RESUME) return go_on(alerting, frame, effects);
  if (!loaded(alerting, frame, effects)) return;
  alerting.channels.set_links(settings_links(frame.settings));
  alerting.dead_man.heed(settings_deadman(frame.settings));
  if (frame.kind == Z0_FRAME_ALARM) {
    // What is late for a letter or a look makes no judgement late that is not due.
    if (alerting.alarm_ms != 0 && alerting.judge_at_ms != 0)
      alerting.late_ms = std::max(alerting.late_ms, frame.now_ms - alerting.judge_at_ms);
    alerting.alarm_ms = 0;
    return alarm(alerting, frame, effects);
  }
  switch (static_cast<AlertsMethod>(frame.method)) {
    case AlertsMethod::report:
      return report(alerting, frame, effects);
    case AlertsMethod::list:
      return list(alerting, frame, effects);
    case AlertsMethod::publish_rules:
      return publish_rules(alerting, frame, effects);
    case AlertsMethod::acknowledge:
      return acknowledge(alerting, frame, effects);
    case AlertsMethod::silences:
      return list_silences(alerting, frame, effects);
    case AlertsMethod::silence:
      return silence(alerting, frame, effects);
    case AlertsMethod::unsilence:
      return unsilence(alerting, frame, effects);
    case AlertsMethod::publish_channels:
      return publish_channels(alerting, frame, effects);
    default:
      trap("the object of alerts is asked what stands in calls/alerts.hpp");
  }
}

}  // namespace z0
