// Frames to the object of alerts: its rows come first, then one thing is done and what changed is saved.
#include "calls/replying.hpp"
#include "z0/alerting/desk.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
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

// A row that cannot be read is passed over: alerts are judged anew, and a desk that never came back
// would tell of none.
void load(Desk& desk, const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    static_cast<void>(desk.load(rows.at(i, of_rows::kind).integer, rows.at(i, of_rows::id).bytes,
                                rows.at(i, of_rows::bytes).bytes));
  }
}

// False until the rows are there, which were asked for; or that they cannot be read was answered.
bool loaded(Desk& desk, const Frame& frame, Effects& effects) {
  if (desk.is_loaded()) return true;
  if (frame.answers.size() < 2) {
    effects.need_rows(create_rows, {});
    effects.need_rows(select_rows, {});
    return false;
  }
  const Rows rows = parse_rows(frame.answers[1]);
  if (rows.failed) {
    if (frame.kind == Z0_FRAME_ALARM)
      effects.alarm(frame.now_ms + limits::alert_quiet_ms);
    else
      reply_status(effects, Status::storage_error);
    return false;
  }
  load(desk, rows);
  desk.end_loading(frame.now_ms);
  return true;
}

void commit(Desk& desk, const Frame& frame, Effects& effects) {
  desk.save([&effects](std::int64_t kind, std::string_view id, std::string_view bytes) {
    if (bytes.empty())
      effects.write(drop_row, {Value::of(kind), Value::text(id)});
    else
      effects.write(put_row, {Value::of(kind), Value::text(id), Value::blob(bytes)});
  });
  const std::int64_t at_ms = desk.next_ms(frame.now_ms);
  if (desk.take_alarm(at_ms)) effects.alarm(at_ms);
}

void acknowledge(Desk& desk, const Frame& frame, Effects& effects) {
  AcknowledgeRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  AlertsReply reply;
  const bool known = desk.acknowledge(request, frame.now_ms, reply);
  if (!known) return reply_status(effects, Status::not_found);
  commit(desk, frame, effects);
  reply_value(effects, reply);
}

void silence(Desk& desk, const Frame& frame, Effects& effects) {
  SilenceRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  SilencesReply reply;
  desk.silence(request, frame.now_ms, reply);
  commit(desk, frame, effects);
  reply_value(effects, reply);
}

void unsilence(Desk& desk, const Frame& frame, Effects& effects) {
  UnsilenceRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  SilencesReply reply;
  const bool known = desk.unsilence(request, frame.now_ms, reply);
  if (!known) return reply_status(effects, Status::not_found);
  commit(desk, frame, effects);
  reply_value(effects, reply);
}

void list_silences(const Desk& desk, const Frame& frame, Effects& effects) {
  SilencesRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  reply_value(effects, desk.silences(request, frame.now_ms));
}

void publish_rules(Desk& desk, const Frame& frame, Effects& effects) {
  RulesSource source;
  if (!decode(frame.part(1), source)) return reply_status(effects, Status::storage_error);
  desk.set_rules(source);
  commit(desk, frame, effects);
  reply_status(effects, Status::ok);
}

void report(Desk& desk, const Frame& frame, Effects& effects) {
  ShardReportReply reply;
  const std::int64_t shards = settings_monitor_shards(frame.settings);
  if (!desk.take(frame.part(1), shards, frame.now_ms, reply))
    return reply_status(effects, Status::storage_error);
  commit(desk, frame, effects);
  reply_value(effects, reply);
}

void list(Desk& desk, const Frame& frame, Effects& effects) {
  AlertsRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  reply_value(effects, desk.answer(request, frame.now_ms));
}

}  // namespace

void step_alerts(Desk& desk, const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_ALARM) desk.alarm_went_off();
  if (!loaded(desk, frame, effects)) return;
  if (frame.kind == Z0_FRAME_ALARM) {
    desk.tick(settings_monitor_shards(frame.settings), frame.now_ms);
    return commit(desk, frame, effects);
  }
  switch (static_cast<AlertsMethod>(frame.method)) {
    case AlertsMethod::report:
      return report(desk, frame, effects);
    case AlertsMethod::list:
      return list(desk, frame, effects);
    case AlertsMethod::publish_rules:
      return publish_rules(desk, frame, effects);
    case AlertsMethod::acknowledge:
      return acknowledge(desk, frame, effects);
    case AlertsMethod::silences:
      return list_silences(desk, frame, effects);
    case AlertsMethod::silence:
      return silence(desk, frame, effects);
    case AlertsMethod::unsilence:
      return unsilence(desk, frame, effects);
    default:
      trap("the object of alerts is asked what stands in calls/alerts.hpp");
  }
}

}  // namespace z0
