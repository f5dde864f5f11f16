#include "z0/core/words.hpp"

#include <algorithm>
#include <iterator>

#include "core/row_words.hpp"
#include "directory/step.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/sha256.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/message.hpp"
#include "z0/calls/reports.hpp"
#include "z0/calls/traces.hpp"
#include "z0/edge/routes.hpp"
#include "z0/facts/fact.hpp"
#include "z0/monitor/monitor.hpp"
#include "z0/traces/traces.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/read_effects.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// "ledger_append", "directory_alarm", "resume" of the edge.
std::string method_words(std::uint8_t target, std::uint8_t method) {
  if (method == Z0_METHOD_TRAP) return "trap";
  if (target == Z0_TARGET_MONITOR) {
    const auto asked = static_cast<MonitorMethod>(method);
    if (asked == MonitorMethod::metrics) return "metrics";
    if (asked == MonitorMethod::replication) return "replication";
    if (asked == MonitorMethod::report) return "report";
    return asked == MonitorMethod::series ? "series" : "live";
  }
  if (target == Z0_TARGET_DIRECTORY && method < std::size(directory_method_names))
    return std::string(directory_method_names[method]);
  if (target == Z0_TARGET_TRACES && method < std::size(traces_method_names))
    return std::string(traces_method_names[method]);
  if (target == Z0_TARGET_ALERTS && method < std::size(alerts_method_names))
    return std::string(alerts_method_names[method]);
  if (target == Z0_TARGET_LEDGER && method < std::size(ledger_method_names))
    return std::string(ledger_method_names[method]);
  return "unknown";
}

std::string frame_name(const Frame& frame) {
  constexpr std::string_view kinds[] = {"unknown", "request", "message", "dead_letter", "call",
                                        "tell",    "alarm",   "resume",  "tail"};
  constexpr std::string_view targets[] = {"ledger_",  "monitor_", "directory_", "",
                                          "message_", "traces_",  "tail_",      "alerts_"};
  if (frame.kind >= std::size(kinds) || frame.target >= std::size(targets)) return "unknown";
  if (frame.kind <= Z0_FRAME_DEAD_LETTER) return std::string(kinds[frame.kind]);
  std::string name(targets[frame.target]);
  if (frame.kind == Z0_FRAME_CALL) return name + method_words(frame.target, frame.method);
  return name.append(kinds[frame.kind]);
}

// -- batches, messages, receipts, reports -------------------------------------------------------

std::string batch_words(std::string_view request) {
  AppendRequest batch;
  if (!decode(request, batch)) return shown(request);
  std::string out = std::string(batch.tenant_id) + " to " + std::string(batch.entity_id) +
                    (batch.atomic() ? ", atomic:" : ":");
  for (const auto submission : batch.submissions) {
    Fact fact;
    if (!parse_submission(submission, batch.entity_id, fact)) return out + " unreadable";
    out += ' ' + std::string(fact.name()) + ' ' + std::string(fact.id);
  }
  return out;
}

std::string read_words(std::string_view request) {
  ReadRequest read;
  if (!decode(request, read)) return shown(request);
  const std::string who = read.tenant_id.empty() ? "anyone" : std::string(read.tenant_id);
  std::string out = who + " from " + std::string(read.entity_id) + ": " + text(read.limit) +
                    " from " + text(read.from_seq);
  return read.types.empty() ? out : out + ", only " + std::string(read.types);
}

std::string request_words(std::uint8_t target, std::uint8_t number, std::string_view request) {
  const auto method = static_cast<LedgerMethod>(number);
  if (target != Z0_TARGET_LEDGER) return shown(request);
  if (method == LedgerMethod::append) return batch_words(request);
  if (method == LedgerMethod::read || method == LedgerMethod::head) return read_words(request);
  return shown(request);
}

std::string message_words(std::string_view bytes) {
  Message message;
  if (!parse_message(bytes, message)) return shown(bytes);
  std::string out;
  for (const auto& run : message.runs) {
    out += (out.empty() ? "facts " : ", ") + std::string(run.entity_id) + ' ' +
           text(run.first_seq) + ".." + text(run.first_seq + run.count - 1);
  }
  for (const auto& a : message.attempts) {
    out += (out.empty() ? "attempt " : ", attempt ") + std::string(a.entity_id) + ' ' +
           std::string(submission_id(a.submission)) + ' ' + std::string(a.code);
  }
  return out;
}

// A reply to a caller is text; between objects it is receipts, or a status and JSON.
std::string reply_words(std::string_view body) {
  if (body.empty()) return "nothing";
  AppendReply reply;
  if (printable(body)) return shown(body);
  if (!decode(body, reply)) {
    const auto status = static_cast<std::uint8_t>(body[0]);
    if (status >= static_cast<std::uint8_t>(Status::count_)) return shown(body);
    return std::string(info(static_cast<Status>(status)).name) + ' ' + shown(body.substr(1));
  }
  std::string out;
  for (const auto& r : reply.results) {
    if (!out.empty()) out += ", ";
    out += info(r.status).name;
    if (accepted(r.status)) out += ' ' + text(r.seq) + " at " + text(r.recorded_at);
    if (!r.field.empty()) out += " in " + std::string(r.field);
  }
  return out;
}

std::string call_words(std::string_view bytes) {
  constexpr std::string_view outcomes[] = {"ok", "overloaded", "timeout", "failed"};
  const CallAnswer answer = parse_call(bytes);
  return std::string(outcomes[answer.outcome]) + ": " + reply_words(answer.reply);
}

std::string report_words(const RequestReport& report) {
  struct Count {
    std::string_view name;
    std::int64_t count;
  };
  std::string out;
  for (const auto& [name, count] :
       {Count{"recorded", report.recorded}, Count{"duplicate", report.duplicate},
        Count{"conflict", report.conflict}, Count{"refused", report.refused},
        Count{"failed", report.failed}}) {
    if (count > 0) out += (out.empty() ? "" : ", ") + text(count) + ' ' + std::string(name);
  }
  for (const auto& head : report.heads)
    out += ", " + std::string(head.entity_id) + " at " + text(head.seq);
  return out;
}

std::string report_words(const LedgerReport& report) {
  return std::string(report.entity_id) + " at " + text(report.seq) + ", confirmed " +
         text(report.confirmed_seq) + ", oldest from " + text(report.oldest_at) + ", sent again " +
         text(report.resent);
}

std::string report_words(const MessageReport& report) {
  std::string out = report.failed ? "message failed" : report.dead ? "message dead" : "message";
  out += ", facts " + text(report.facts) + ", new " + text(report.inserted) + ", lag " +
         text(report.lag_ms_max);
  for (const auto& head : report.heads)
    out += ", " + std::string(head.entity_id) + " to " + text(head.contiguous_seq);
  return out;
}

template <class T>
std::string report_words(std::string_view bytes) {
  T report;
  return decode(bytes.substr(1), report) ? report_words(report) : shown(bytes);
}

std::string told_words(std::string_view bytes) {
  switch (static_cast<Report>(bytes.empty() ? 0 : bytes[0])) {
    case Report::request:
      return report_words<RequestReport>(bytes);
    case Report::ledger:
      return report_words<LedgerReport>(bytes);
    case Report::message:
      return report_words<MessageReport>(bytes);
  }
  return shown(bytes);
}

// -- effects ------------------------------------------------------------------------------------

struct EffectWords {
  std::string operator()(const RowsNeed& need) const {
    return "need rows: " + shown(need.statement);
  }
  std::string operator()(const QueryNeed& need) const {
    std::string out = "need query:";
    for (const Statement& statement : need.statements) out += "\n    " + shown(statement);
    if (need.database == default_database) return out;
    return out + "\n    of " + std::string(need.database);
  }
  std::string operator()(const CallNeed& need) const {
    constexpr std::string_view targets[] = {"ledger", "monitor", "directory", "",
                                            "",       "traces",  "",          "alerts"};
    const std::string target(targets[std::min<std::size_t>(need.target, Z0_TARGET_ALERTS)]);
    std::string out = "need " + target + ' ' + std::string(need.object);
    out += ' ' + target + '_' + method_words(need.target, need.method) + " within ";
    out += std::to_string(need.timeout_ms) + " ms: ";
    return out + request_words(need.target, need.method, need.request);
  }
  std::string operator()(const SignNeed& need) const {
    return "need signature: " + shown(need.text);
  }
  std::string operator()(const FetchNeed& need) const {
    std::string out = "need " + std::string(need.method) + ' ' + shown(need.url);
    for (const auto& [name, value] : need.headers)
      out += ' ' + std::string(name) + '=' + shown(value);
    return out + " within " + std::to_string(need.timeout_ms) + " ms: " + shown(need.body);
  }
  std::string operator()(const SecretNeed& need) const {
    return "need secret " + std::string(need.name);
  }
  std::string operator()(const ZoneNeed& need) const { return "need zone " + shown(need.zone); }
  std::string operator()(const ResumeNeed& need) const {
    return "go on: " + std::string(need.where);
  }
  std::string operator()(const Write& write) const { return "write: " + shown(write.statement); }
  std::string operator()(const AlarmAt& alarm) const {
    return "alarm at " + std::to_string(alarm.at_ms);
  }
  std::string operator()(const HttpAnswer& answer) const {
    std::string out = "reply " + std::to_string(answer.http);
    for (const auto& [name, value] : answer.headers)
      out += ' ' + std::string(name) + '=' + std::string(value);
    return out + ": " + reply_words(answer.body);
  }
  std::string operator()(const QueueMessage& message) const {
    return "send " + message_words(message.bytes);
  }
  std::string operator()(const ToldReport& told) const { return "tell " + told_words(told.report); }
  std::string operator()(const DataPoint& point) const {
    std::string out = "point " + std::string(point.index);
    for (const std::string_view blob : point.blobs) out += ' ' + (blob.empty() ? "-" : shown(blob));
    out += " by " + std::to_string(point.how_much);
    if (point.kind != Z0_POINT_COUNTER) out += " at " + std::to_string(point.value);
    return point.trace_id.empty() ? out : out + " of trace " + std::string(point.trace_id);
  }
  std::string operator()(const LogLine& line) const {
    return (line.error ? "log error " : "log info ") + shown(line.json);
  }
  std::string operator()(const SpanLine& line) const { return "span " + shown(line.json); }
};

// -- frames -------------------------------------------------------------------------------------

// Secrets and tokens are for nobody's eyes.
std::string http_words(const Frame& frame) {
  std::string out = "  " + shown(frame.part(0)) + ' ' + shown(frame.part(1)) + '\n';
  for (std::size_t i = 4; i + 1 < frame.parts.size(); i += 2) {
    const bool secret = frame.parts[i] == "authorization";
    out += "  " + shown(frame.parts[i]) + ": " + (secret ? "(secret)" : shown(frame.parts[i + 1])) +
           '\n';
  }
  return frame.part(2).empty() ? out : out + "  " + shown(frame.part(2)) + '\n';
}

std::string part_words(const Frame& frame, std::size_t i) {
  const std::string_view part = frame.parts[i];
  switch (frame.kind) {
    case Z0_FRAME_MESSAGE:
      return message_words(part);
    case Z0_FRAME_DEAD_LETTER:
      return i == 1 ? message_words(part) : shown(part);
    case Z0_FRAME_RESUME:
      return "(continuation of " + text(part.size()) + " bytes)";
    default:
      return i == 1 ? request_words(frame.target, frame.method, part) : shown(part);
  }
}

// What was asked, and so what the answers are: the continuation remembers.
z0_effect_kind asked_before(const Frame& frame) {
  const std::string_view continuation = frame.part(0);
  if (frame.target == Z0_TARGET_EDGE) return edge_asked(continuation);
  if (frame.target == Z0_TARGET_LEDGER) return ledger_asked(continuation);
  if (frame.target == Z0_TARGET_QUEUE) return Z0_NEED_QUERY;
  if (frame.target == Z0_TARGET_MONITOR) return monitor_asked(continuation);
  // A turn of sending gets rows, secrets and what receivers answered: all of it is for nobody's eyes.
  if (frame.target == Z0_TARGET_ALERTS)
    return frame.kind == Z0_FRAME_RESUME ? Z0_NEED_SECRET : Z0_NEED_ROWS;
  if (frame.target == Z0_TARGET_TRACES) return traces_asked(continuation);
  if (frame.target == Z0_TARGET_TAIL) return Z0_NEED_CALL;
  const auto stage = static_cast<DirectoryStage>(ByteReader(continuation).u8());
  return stage == DirectoryStage::called ? Z0_NEED_CALL : Z0_NEED_ROWS;
}

std::string fetch_words(const FetchAnswer& answer) {
  if (answer.outcome == Z0_OK) return "HTTP " + std::to_string(answer.http);
  return "no answer: " + shown(answer.message);
}

std::string zone_words(std::string_view answer) {
  std::int64_t offset_min = 0;
  std::int64_t until_ms = 0;
  if (!parse_zone(answer, offset_min, until_ms)) return "no such zone";
  return std::to_string(offset_min) + " min until " + text(until_ms);
}

std::string answer_words(z0_effect_kind asked, std::string_view answer) {
  if (asked == Z0_NEED_QUERY) return query_words(answer);
  if (asked == Z0_NEED_CALL) return call_words(answer);
  if (asked == Z0_NEED_ROWS) return rows_words(parse_rows(answer));
  if (asked == Z0_NEED_SECRET) return '(' + text(answer.size()) + " bytes)";
  if (asked == Z0_NEED_ZONE) return zone_words(answer);
  if (asked == Z0_NEED_FETCH) return fetch_words(parse_fetch(answer));
  const std::size_t signatures = parse_signatures(answer).size();
  return signatures == 0 ? "not signed" : "signed by " + text(signatures) + " keys";
}

}  // namespace

std::string describe_frame(std::string_view bytes) {
  Frame frame;
  if (!parse_frame(bytes, frame)) return "not a frame: " + shown(bytes) + '\n';
  std::string out = frame_name(frame) + " at " + text(frame.now_ms) + '\n';
  if (frame.kind == Z0_FRAME_REQUEST) return out + http_words(frame);
  for (std::size_t i = 0; i < frame.parts.size(); ++i) {
    if (!frame.parts[i].empty()) out += "  " + part_words(frame, i) + '\n';
  }
  if (frame.answers.empty()) return out;
  const z0_effect_kind asked = asked_before(frame);
  for (const auto answer : frame.answers) out += "  answer: " + answer_words(asked, answer) + '\n';
  return out;
}

std::string describe_effects(std::string_view bytes) {
  std::vector<Effect> effects;
  if (!parse_effects(bytes, effects)) return "not effects: " + shown(bytes) + '\n';
  std::string out;
  for (const auto& e : effects) out += "  " + std::visit(EffectWords{}, carried_by(e)) + '\n';
  return out;
}

}  // namespace z0
