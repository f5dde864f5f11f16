// How a task's needs are answered: at once from its own rows, else in turn with everybody else's.
#include <algorithm>
#include <utility>

#include "world.hpp"
#include "z0/base/limits.hpp"

namespace z0::world {
namespace {

constexpr const char* stuck_words = " for the last time: nothing new comes of it";

}  // namespace

// Answers what can be answered at once, and begins the rest.
void World::wait(const Running& task) {
  task->answers.assign(task->needs.size(), {});
  std::size_t place = 0;
  for (const Effect& need : task->needs) {
    if (need.kind == Z0_NEED_RESUME) {
      const auto next = carried_by<ResumeNeed>(need);
      task->kind = Z0_FRAME_RESUME;
      task->method = 0;
      task->parts = {std::string(next.continuation)};
      if (task->steps >= next.steps_max) throw Stuck(std::string(next.where) + stuck_words);
      continue;
    }
    if (need.kind == Z0_NEED_ROWS)
      append_rows(task->answers[place],
                  object(task->object).storage.run(carried_by<RowsNeed>(need).statement)->rows);
    else
      ++task->missing;
    ++place;
  }
  task->answers.resize(place);
  task->begun = 0;
  const std::size_t at_once = std::min(task->missing, limits::calls_at_once_max);
  const std::size_t first = ready_.size();
  for (std::size_t i = 0; i < at_once; ++i) begin_need(task);
  // The first one on top.
  std::reverse(ready_.begin() + static_cast<std::ptrdiff_t>(first), ready_.end());
}

void World::begin_need(const Running& task) {
  while (task->begun < task->answers.size() && task->needs[task->begun].kind == Z0_NEED_ROWS)
    ++task->begun;
  if (task->begun < task->answers.size()) ready_.push_back({task, task->begun++});
}

namespace {

NeedSpan span_of(const Carried& need) {
  if (const auto* call = std::get_if<CallNeed>(&need)) return call->span;
  if (const auto* query = std::get_if<QueryNeed>(&need)) return query->span;
  if (const auto* fetch = std::get_if<FetchNeed>(&need)) return fetch->span;
  return {};
}

}  // namespace

// The span of a need, as the host ends it. Nobody's clock moves meanwhile.
void World::end_span(const Effect& need, std::string_view answer) {
  const std::string_view members = span_of(carried_by(need)).members;
  if (!span || members.empty()) return;
  const std::string us = std::to_string(now_ms) + "000";
  const bool failed = need.kind == Z0_NEED_QUERY ? answer.starts_with(std::string_view("\0\0", 2))
                                                 : answer.empty() || answer[0] != Z0_OK;
  std::string json = "{" + std::string(members) + ",\"start_us\":" + us + ",\"end_us\":" + us;
  if (failed) json += ",\"status\":\"error\"";
  span(json + "}");
}

void World::answered(const Running& task, std::size_t place, std::string bytes) {
  if (task->end != Task::End::none) return;  // it was killed meanwhile
  end_span(task->needs[place], bytes);
  task->answers[place] = std::move(bytes);
  if (--task->missing == 0)
    ready_.push_back({task});
  else
    begin_need(task);
}

void World::ended(const Running& task, Task::End end) {
  if (task->end != Task::End::none) return;
  task->end = end;
  std::erase(running_, task);
  if (!task->caller) return;
  const bool reset = end == Task::End::reset;
  if (!reset && faults.lose_reply && faults.lose_reply(task->object))
    return reply_to_call(task, Z0_FAILED, "the connection was lost");
  reply_to_call(task, reset ? Z0_FAILED : Z0_OK, reset ? task->message : task->outcome.body);
}

void World::answer_need(const Running& task, std::size_t place) {
  const Carried need = carried_by(task->needs[place]);
  if (const auto* call = std::get_if<CallNeed>(&need)) return answer_call(task, place, *call);
  if (const auto* query = std::get_if<QueryNeed>(&need))
    return answered(task, place, answer_query(*query));
  if (const auto* fetch_need = std::get_if<FetchNeed>(&need))
    return answered(task, place, answer_fetch(*fetch_need));
  if (const auto* secret = std::get_if<SecretNeed>(&need))
    return answered(task, place, answer_secret(*secret));
  if (const auto* zone_need = std::get_if<ZoneNeed>(&need))
    return answered(task, place, answer_zone(*zone_need));
  answered(task, place, answer_sign(std::get<SignNeed>(need)));
}

std::string World::answer_query(const QueryNeed& need) {
  std::string bytes;
  ByteWriter out(bytes);
  const auto fail = [&](std::string_view message) {
    bytes.clear();
    out.u16(0);
    out.bytes(message);
    return bytes;
  };
  if (faults.query && faults.query()) return fail("D1 is down");
  Database& database = d1(need.database);
  out.u16(static_cast<std::uint16_t>(need.statements.size()));
  database.begin();
  for (std::size_t i = 0; i < need.statements.size(); ++i) {
    const auto answer = database.run(need.statements[i]);
    if (answer->rows.failed || (faults.query_statement && faults.query_statement(i))) {
      database.roll_back();
      return fail(answer->rows.failed ? answer->message : "D1 failed in the middle");
    }
    std::string rows;
    append_rows(rows, answer->rows);
    out.bytes(rows);
  }
  database.commit();
  if (faults.query_after_commit && faults.query_after_commit()) return fail("D1 timed out");
  return bytes;
}

std::string World::answer_sign(const SignNeed& need) {
  if (sign) return sign(need.text);
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(1);
  out.bytes("no key");
  return bytes;
}

std::string World::answer_fetch(const FetchNeed& need) {
  std::string bytes;
  ByteWriter out(bytes);
  const Fetched fetched = fetch ? fetch(need) : Fetched(0);
  if (fetched.http != 0) {
    out.u8(Z0_OK);
    out.u16(fetched.http);
    out.u32(fetched.retry_after_s);
    out.bytes(fetched.body.size() <= need.answer_bytes_max ? std::string_view(fetched.body)
                                                           : std::string_view{});
  } else {
    out.u8(fetch ? Z0_TIMEOUT : Z0_FAILED);
    out.bytes("nobody answers");
  }
  return bytes;
}

std::string World::answer_secret(const SecretNeed& need) const {
  std::string bytes;
  ByteWriter out(bytes);
  const auto found = named_secrets.find(need.name);
  out.u8(found == named_secrets.end() ? 1 : 0);
  out.bytes(found == named_secrets.end() ? std::string_view("there is no such secret")
                                         : std::string_view(found->second));
  return bytes;
}

std::string World::answer_zone(const ZoneNeed& need) const {
  std::string bytes;
  ByteWriter out(bytes);
  std::int64_t offset_min = 0;
  std::int64_t until_ms = need.at_ms + std::int64_t{86'400'000};
  const bool known = zone ? zone(need.zone, need.at_ms, offset_min, until_ms) : need.zone == "UTC";
  out.u8(known ? 0 : 1);
  if (!known) {
    out.bytes("there is no such zone");
    return bytes;
  }
  out.u64(static_cast<std::uint64_t>(offset_min));
  out.u64(static_cast<std::uint64_t>(until_ms));
  return bytes;
}

void World::answer_call(const Running& task, std::size_t place, const CallNeed& need) {
  const std::string name(need.object);
  auto call = std::make_shared<Task>();
  call->kind = Z0_FRAME_CALL;
  call->target = need.target;
  call->method = need.method;
  call->request = need.request;
  call->parts = {name, call->request};
  call->object = name;
  call->caller = task;
  call->place = place;
  z0_outcome outcome = Z0_FAILED;
  std::string reply;
  if (faults.delay && faults.delay(call->method, name, call->request))
    return reply_to_call(call, Z0_TIMEOUT, "no reply in time");
  if (faults.call && faults.call(name, outcome, reply)) return reply_to_call(call, outcome, reply);
  if (task->end != Task::End::none) return;  // everything died while it was asked
  running_.push_back(call);
  ready_.push_back({call});
}

void World::reply_to_call(const Running& call, z0_outcome outcome, std::string_view reply) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(outcome));
  out.bytes(reply);
  out.bytes(call->request);
  answered(call->caller, call->place, std::move(bytes));
}

}  // namespace z0::world
