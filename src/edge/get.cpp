// Reads that one object answers: a ledger's facts, its head, the monitor's live window.
#include <algorithm>

#include "edge/handlers.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/reports.hpp"

namespace z0 {
namespace {

// limit and from_seq, with their defaults. False with the name of the parameter that is wrong.
bool read_numbers(const Request& request, ReadRequest& read, std::string_view& wrong) {
  if (!read_limit(request, read.limit)) {
    wrong = "limit";
    return false;
  }
  const std::string_view from = request.parameter("from_seq");
  if (!from.empty() && (!parse_number(from, read.from_seq) || read.from_seq < 1 ||
                        read.from_seq > limits::version_max)) {
    wrong = "from_seq";
    return false;
  }
  return true;
}

bool valid_types(std::string_view types) {
  for (std::size_t at = 0; at < types.size();) {
    const std::size_t end = std::min(types.find(',', at), types.size());
    if (!valid_type(types.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

void read_ledger(const RouteCall& call, LedgerMethod method) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  // An id that cannot be one does not exist, as one that nobody made: the answer is the same.
  if (!names_ledger(entity_id)) {
    return reply_error(effects, context, Status::not_found, {});
  }
  ReadRequest read;
  std::string_view wrong;
  if (!read_numbers(request, read, wrong))
    return reply_error(effects, context, Status::bad_parameter, wrong);
  const std::string_view records = request.parameter("records");
  if (!records.empty() && records != "true" && records != "false")
    return reply_bad_value(effects, context, "records", "true or false");
  read.records = records == "true";
  read.types = request.parameter("types");
  if (!valid_types(read.types))
    return reply_error(effects, context, Status::bad_parameter, "types");
  read.tenant_id = claims.tenant_id;
  read.entity_id = entity_id;
  std::string bytes;
  read.encode(bytes);
  effects.need_call(method, ledger_object_name(entity_id), limits::read_timeout_ms, bytes);
  resume_with(context, effects);
}

}  // namespace

void get_ledger_facts(const RouteCall& call) { read_ledger(call, LedgerMethod::read); }
void get_ledger_head(const RouteCall& call) { read_ledger(call, LedgerMethod::head); }

void resume_ledger_reply(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  std::string_view json;
  if (ledger_answer(frame, context, effects, json)) reply_json(effects, context, 200, json);
}

void get_live(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  effects.need_call(MonitorMethod::live, monitor_object, limits::read_timeout_ms, {});
  resume_with(context, effects);
}

void resume_live(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const CallAnswer answer =
      parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (answer.outcome == Z0_OK) return reply_json(effects, context, 200, answer.reply);
  reply_error(effects, context, status_of(answer.outcome), {});
}

}  // namespace z0
