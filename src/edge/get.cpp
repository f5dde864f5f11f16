// Reads that one object answers: a ledger's facts, its head, the monitor's live window.
#include <algorithm>

#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/reports.hpp"
#include "z0/facts/fact.hpp"

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
  effects.need_call(method, ledger_object_name(entity_id), limits::read_timeout_ms, encode(read));
  resume_with(context, effects);
}

}  // namespace

void get_ledger_facts(const RouteCall& call) { read_ledger(call, LedgerMethod::read); }
void get_ledger_head(const RouteCall& call) { read_ledger(call, LedgerMethod::head); }

void resume_facts(const RouteResume& resumed) {
  ReadRequest read;
  ReadReply page;
  if (!value_or_refuse(resumed, read, page)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", read.entity_id).array("facts");
  Fact fact;
  ByteReader facts(page.records);
  while (!facts.done()) {
    const char* const from = facts.at();
    if (!next_record(facts, read.entity_id, fact)) trap("what a ledger sent can be read");
    json.object();
    write_fact(json, fact, page.tenant_id);
    if (read.records) {
      RecordBytes record;
      ByteReader again({from, static_cast<std::size_t>(facts.at() - from)});
      if (!next_record_bytes(again, record)) trap("what was read once can be read again");
      json.plain("record", base64_encode(record.leaf));
    }
    json.end();
  }
  json.end();
  write_integer_or_null(json, "next_seq", page.next_seq);
  json.end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void resume_head(const RouteResume& resumed) {
  HeadReply head;
  TypeCounts counts;
  if (!value_or_refuse(resumed, head)) return;
  if (!counts.decode(head.counts)) trap("what a ledger sent can be read");
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", head.entity_id).text("type", ledger_type(head.entity_id));
  json.text("tenant_id", head.tenant_id).integer("created_at", head.created_at);
  json.plain("lifecycle", lifecycle_name(head.lifecycle)).integer("seq", head.seq);
  json.hex("root", head.root).integer("recorded_at", head.recorded_at);
  json.integer("replicated_seq", head.replicated_seq).integer("verified_seq", head.verified_seq);
  counts.write_json(json.key("counts"));
  json.end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void get_live(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  effects.need_call(MonitorMethod::live, monitor_object, limits::read_timeout_ms, {});
  resume_with(context, effects);
}

void resume_live(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const CallAnswer answer = first_call(frame);
  if (answer.outcome == Z0_OK) return reply_json(effects, context, 200, answer.reply);
  reply_error(effects, context, status_of(answer.outcome), {});
}

}  // namespace z0
