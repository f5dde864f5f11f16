#include "world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "z0/base/limits.hpp"
#include "z0/http/token.hpp"

namespace z0::world {
namespace {

// An alarm that failed goes off again, as in bindings/worker/ledger.js.
constexpr std::int64_t alarm_pause_ms = 30'000;

// The object was reset on the way; the caller sees a failure.
struct ObjectReset : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The process is gone, with everybody who waited for something.
struct Killed {};

constexpr const char* stuck_words = " for the last time: nothing new comes of it";

struct Restore {
  std::string& place;
  const std::string& before;
  ~Restore() { place = before; }
};

}  // namespace

std::string HttpReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

World::World(std::uint64_t seed, const std::string& d1_schema)
    : core_(std::make_unique<Core>()), d1_schema_(d1_schema), random_(seed * 2 + 1) {}

World::~World() = default;

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t World::random() {
  random_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string World::entropy() {
  std::string bytes;
  ByteWriter out(bytes);
  for (int i = 0; i < Z0_ENTROPY_BYTES / 8; ++i) out.u64(random());
  return bytes;
}

World::Object& World::object(std::string_view name) {
  const auto found = objects_.find(name);
  if (found != objects_.end()) return found->second;
  Object& made = objects_.try_emplace(std::string(name)).first->second;
  made.incarnation = random();
  return made;
}

Database& World::d1(std::string_view binding) {
  const auto found = d1_.find(binding);
  if (found != d1_.end()) return found->second;
  Database& made = d1_.try_emplace(std::string(binding)).first->second;
  made.script(d1_schema_);
  return made;
}

Database& World::storage_of(std::string_view name) { return object(name).storage; }

std::int64_t World::alarm_of(std::string_view name) const {
  const auto found = objects_.find(name);
  return found == objects_.end() ? 0 : found->second.alarm_at;
}

void World::evict(std::string_view name) { object(name).incarnation = random(); }

void World::crash() {
  for (auto& [name, object] : objects_) object.incarnation = random();
  core_ = std::make_unique<Core>();
}

Headers World::authorization(std::string_view tenant, std::uint8_t scopes) {
  Claims claims;
  claims.tenant_id = tenant;
  claims.all_tenants = tenant.empty();
  claims.scopes = scopes;
  claims.expires_s = now_ms / 1000 + 3600;
  return {{"authorization", "Bearer " + mint_token(claims, secrets, now_ms / 1000)}};
}

void World::kill() {
  crash();
  ready_.clear();
  for (const Running& task : std::exchange(running_, {})) task->end = Task::End::killed;
}

void World::call(std::uint8_t method, std::string_view name, std::string_view request) {
  finish(begin(Z0_FRAME_CALL, {std::string(name), std::string(request)}, name, method));
}

HttpReply World::request(std::string_view method, std::string_view url, const Headers& headers,
                         std::string_view body) {
  std::vector<std::string> parts{std::string(method), std::string(url), std::string(body), secrets};
  for (const auto& [name, value] : headers) {
    parts.push_back(name);
    parts.push_back(value);
  }
  const Running task = begin(Z0_FRAME_REQUEST, std::move(parts), {});
  finish(task);
  if (!task->replied) return {};
  return {task->outcome.status, task->outcome.headers, task->outcome.body};
}

bool World::acknowledges(z0_frame_kind kind, const std::vector<std::string>& parts) {
  const Running task = begin(kind, parts, {});
  finish(task);
  return task->replied && task->outcome.status == 200;
}

bool World::deliver_copy(const std::string& message) {
  return acknowledges(Z0_FRAME_MESSAGE, {message});
}

bool World::deliver(std::size_t place) {
  const std::string message = queue.at(place);
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(place));
  const bool acknowledged = deliver_copy(message);
  if (!acknowledged) queue.push_back(message);
  return acknowledged;
}

void World::deliver_all() {
  while (!queue.empty() && deliver()) {
  }
}

bool World::dead_letter(std::string_view id, std::string_view body) {
  return acknowledges(Z0_FRAME_DEAD_LETTER, {std::string(id), std::string(body)});
}

std::size_t World::run_alarms() {
  std::vector<std::string> due;
  for (const auto& [name, object] : objects_) {
    if (object.alarm_at != 0 && object.alarm_at <= now_ms) due.push_back(name);
  }
  for (const auto& name : due) ring(name);
  return due.size();
}

bool World::ring(std::string_view name) { return ring_all({std::string(name)}) == 1; }

std::size_t World::ring_all(const std::vector<std::string>& names) {
  std::vector<Running> tasks;
  tasks.reserve(names.size());
  for (const auto& name : names) tasks.push_back(begin_alarm(name));
  std::size_t good = 0;
  for (const auto& task : tasks) {
    finish(task);
    if (end_alarm(*task)) ++good;
  }
  return good;
}

World::Running World::begin_alarm(std::string_view name) {
  Object& self = object(name);
  if (self.alarm_at <= now_ms) self.alarm_at = 0;
  return begin(Z0_FRAME_ALARM, {std::string(name)}, name);
}

bool World::end_alarm(const Task& task) {
  Object& self = object(task.object);
  if (task.end == Task::End::reset) self.alarm_at = now_ms + alarm_pause_ms;
  // Nobody has said that it is done: the platform makes it go off again.
  if (task.end == Task::End::killed && self.alarm_at == 0) self.alarm_at = now_ms;
  return task.end == Task::End::done;
}

void World::lose_alarm(std::string_view name) { object(name).alarm_at = 0; }

// -- the event loop -------------------------------------------------------------------------------

World::Running World::begin(z0_frame_kind kind, std::vector<std::string> parts,
                            std::string_view object_name, std::uint8_t method) {
  auto task = std::make_shared<Task>();
  task->kind = kind;
  task->target = target_of(kind, object_name);
  task->method = method;
  task->parts = std::move(parts);
  task->object = object_name;
  running_.push_back(task);
  ready_.push_back({task});
  return task;
}

void World::finish(const Running& task) {
  while (task->end == Task::End::none) {
    if (ready_.empty()) throw std::logic_error("somebody waits for nothing");
    const std::size_t last = ready_.size() - 1;
    const std::size_t chosen = faults.next && last > 0 ? faults.next(last + 1) : last;
    Ready ready = std::move(ready_.at(chosen));
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(chosen));
    go_on(std::move(ready));
  }
}

void World::go_on(Ready ready) {
  const Running task = std::move(ready.task);
  try {
    if (ready.need == Ready::step)
      step(task);
    else
      answer_need(task, ready.need);
  } catch (const ObjectReset& error) {
    task->message = error.what();
    ended(task, Task::End::reset);
  } catch (const Killed&) {
  }
}

// Steps without a pause for as long as the task asks for its own rows alone.
void World::step(const Running& task) {
  for (;;) {
    Frame frame;
    frame.kind = task->kind;
    frame.target = task->target;
    frame.method = task->method;
    frame.now_ms = now_ms + (faults.clock ? faults.clock(task->object) : 0);
    frame.incarnation = task->object.empty() ? 0 : object(task->object).incarnation;
    const std::string random_bytes = entropy();
    frame.entropy = random_bytes;
    for (const auto& part : task->parts) frame.parts.push_back(part);
    for (const auto& a : task->answers) frame.answers.push_back(a);
    frame.settings = settings;
    const std::string bytes = encode_frame(frame);
    task->effects = core_->step(bytes);
    ++task->steps;
    if (watch) watch(bytes, task->effects);
    task->needs.clear();
    if (!parse_effects(task->effects, task->needs))
      throw std::logic_error("the core returned no effects");
    if (task->needs.empty() || task->needs[0].phase != Phase::need) {
      task->outcome = carry_out(task->needs, task->object);
      task->replied = true;
      return ended(task, Task::End::done);
    }
    wait(task);
    if (task->missing > 0) return;
  }
}

// Answers what can be answered at once, and begins the rest.
void World::wait(const Running& task) {
  task->answers.assign(task->needs.size(), {});
  std::vector<Effect> outside;
  std::size_t place = 0;
  for (const Effect& need : task->needs) {
    if (need.kind == Z0_NEED_RESUME) {
      const ResumeNeed next = parse_resume(need.payload);
      task->kind = Z0_FRAME_RESUME;
      task->method = 0;
      task->parts = {std::string(next.continuation)};
      if (task->steps >= next.steps_max) throw Stuck(std::string(next.where) + stuck_words);
      continue;
    }
    ByteReader in(need.payload);
    if (need.kind == Z0_NEED_ROWS)
      append_rows(task->answers[place],
                  object(task->object).storage.run(parse_statement(in))->rows);
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

void World::answered(const Running& task, std::size_t place, std::string bytes) {
  if (task->end != Task::End::none) return;  // it was killed meanwhile
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
  const Effect& need = task->needs[place];
  if (need.kind == Z0_NEED_CALL) return answer_call(task, place);
  ByteReader in(need.payload);
  std::string bytes = need.kind == Z0_NEED_QUERY ? answer_query(in) : answer_sign(in);
  answered(task, place, std::move(bytes));
}

std::string World::answer_query(ByteReader& in) {
  std::string bytes;
  ByteWriter out(bytes);
  const auto fail = [&](std::string_view message) {
    bytes.clear();
    out.u16(0);
    out.bytes(message);
    return bytes;
  };
  if (faults.query && faults.query()) return fail("D1 is down");
  const std::uint16_t count = in.u16();
  std::vector<Statement> statements;
  for (std::uint16_t i = 0; i < count; ++i) statements.push_back(parse_statement(in));
  Database& database = d1(in.bytes());
  out.u16(count);
  database.begin();
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto answer = database.run(statements[i]);
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

std::string World::answer_sign(ByteReader& in) {
  if (sign) return sign(in.bytes());
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(1);
  out.bytes("no key");
  return bytes;
}

void World::answer_call(const Running& task, std::size_t place) {
  const CallNeed need = parse_call_need(task->needs[place].payload);  // nothing here is slow
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

void World::commit(const std::vector<Effect>& effects, Object& object) {
  object.storage.begin();
  for (const auto& effect : effects) {
    ByteReader in(effect.payload);
    if (effect.kind == Z0_ALARM) object.alarm_at = static_cast<std::int64_t>(in.u64());
    if (effect.kind != Z0_WRITE) continue;
    const auto answer = object.storage.run(parse_statement(in));
    if (!answer->rows.failed) continue;
    object.storage.roll_back();
    object.incarnation = random();
    throw ObjectReset(answer->message);
  }
  object.storage.commit();
}

Death World::dies(Moment moment, std::string_view object_name) {
  const Death death = faults.death ? faults.death(moment, object_name) : Death::none;
  if (death == Death::all) kill();
  if (death == Death::one && !object_name.empty()) object(object_name).incarnation = random();
  return death;
}

void World::live_through(Moment moment, std::string_view object_name) {
  const Death death = dies(moment, object_name);
  if (death == Death::all) throw Killed();
  if (death == Death::one) throw ObjectReset("the object was reset");
}

// The monitor asks for nothing, so it hears of it at once.
void World::tell(std::string report) {
  const auto task = std::make_shared<Task>();
  task->kind = Z0_FRAME_TELL;
  task->target = Z0_TARGET_MONITOR;
  task->parts = {std::string(monitor_object), std::move(report)};
  task->object = monitor_object;
  step(task);
}

World::Outcome World::carry_out(const std::vector<Effect>& effects, std::string_view object_name) {
  const std::string outer = std::exchange(acting_, std::string(object_name));
  const Restore restore{acting_, outer};
  Outcome outcome;
  bool commits = false;
  for (const auto& effect : effects) commits = commits || effect.phase == Phase::commit;
  if (commits) {
    live_through(Moment::before_commit, object_name);
    Object& self = object(object_name);
    if (faults.commit && faults.commit(object_name)) {
      self.incarnation = random();
      throw ObjectReset("the storage transaction failed");
    }
    commit(effects, self);
  }
  live_through(Moment::before_reply, object_name);
  Phase phase = Phase::reply;
  for (const auto& effect : effects) {
    ByteReader in(effect.payload);
    for (; phase < effect.phase; phase = static_cast<Phase>(static_cast<int>(phase) + 1)) {
      const Moment next = phase == Phase::reply ? Moment::before_send : Moment::before_tell;
      if (dies(next, object_name) != Death::none) return outcome;
    }
    if (effect.kind == Z0_REPLY) {
      const HttpAnswer answer = parse_reply(effect.payload);
      outcome.status = answer.http;
      for (const auto& [name, value] : answer.headers)
        outcome.headers.emplace_back(std::string(name), std::string(value));
      outcome.body = answer.body;
    } else if (effect.kind == Z0_SEND) {
      if (faults.send && faults.send()) continue;
      if (sends)
        sends(in.bytes());
      else
        queue.emplace_back(in.bytes());
    } else if (effect.kind == Z0_TELL) {
      std::string report;
      ByteWriter(report).bytes(in.bytes());
      tell(std::move(report));
    }
  }
  return outcome;
}

}  // namespace z0::world
