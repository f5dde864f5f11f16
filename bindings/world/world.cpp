#include "world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

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

std::string World::call(std::uint8_t method, std::string_view name, std::string_view request) {
  const Running task =
      begin(Z0_FRAME_CALL, {std::string(name), std::string(request)}, name, method);
  finish(task);
  return task->replied ? task->outcome.body : std::string();
}

bool World::tell(std::string_view shard, std::string flushes) {
  const Running task = begin(Z0_FRAME_TELL, {std::string(shard), std::move(flushes)}, shard);
  finish(task);
  return task->replied && task->outcome.status == 200;
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

bool World::tail(const std::string& invocations) {
  return acknowledges(Z0_FRAME_TAIL, {invocations});
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

// An object whose clock is ahead sets its alarms by that.
std::int64_t World::latest_ms(std::string_view name) const {
  return now_ms + std::max<std::int64_t>(0, faults.clock ? faults.clock(name) : 0);
}

World::Running World::begin_alarm(std::string_view name) {
  Object& self = object(name);
  if (self.alarm_at <= latest_ms(name)) self.alarm_at = 0;
  return begin(Z0_FRAME_ALARM, {std::string(name)}, name);
}

bool World::end_alarm(const Task& task) {
  Object& self = object(task.object);
  if (task.end == Task::End::reset) self.alarm_at = latest_ms(task.object) + alarm_pause_ms;
  // Nobody has said that it is done: the platform makes it go off again.
  if (task.end == Task::End::killed && self.alarm_at == 0) self.alarm_at = latest_ms(task.object);
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
    frame.flags = debug ? flag_debug : 0;
    frame.now_ms = now_ms + (faults.clock ? faults.clock(task->object) : 0);
    frame.incarnation = task->object.empty() ? 0 : object(task->object).incarnation;
    const std::string random_bytes = entropy();
    frame.entropy = Entropy(random_bytes);
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

void World::commit(const std::vector<Effect>& effects, Object& object) {
  object.storage.begin();
  for (const auto& effect : effects) {
    if (effect.kind == Z0_ALARM) object.alarm_at = carried_by<AlarmAt>(effect).at_ms;
    if (effect.kind != Z0_WRITE) continue;
    const auto answer = object.storage.run(carried_by<Write>(effect).statement);
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

// The monitor's root asks for nothing, so it hears of it at once.
void World::tell_root(std::string report) {
  const auto task = std::make_shared<Task>();
  task->kind = Z0_FRAME_TELL;
  task->target = Z0_TARGET_MONITOR;
  task->parts = {std::string(monitor_object), std::move(report)};
  task->object = monitor_object;
  step(task);
}

// What is done once a step has committed.
struct World::After {
  World& world;
  Outcome& outcome;

  void operator()(const HttpAnswer& answer) {
    outcome.status = answer.http;
    for (const auto& [name, value] : answer.headers)
      outcome.headers.emplace_back(std::string(name), std::string(value));
    outcome.body = answer.body;
  }
  void operator()(const QueueMessage& message) {
    if (world.faults.send && world.faults.send()) return;
    if (world.sends)
      world.sends(message.bytes);
    else
      world.queue.emplace_back(message.bytes);
  }
  void operator()(const ToldReport& told) {
    std::string report;
    ByteWriter(report).bytes(told.report);
    world.tell_root(std::move(report));
  }
  void operator()(const DataPoint& point) {
    if (world.measured) world.measured(point);
  }
  void operator()(const SpanLine& line) {
    if (world.span) world.span(line.json);
  }
  template <class Other>
  void operator()(const Other&) {}
};

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
    if (committed) committed(object_name);
  }
  live_through(Moment::before_reply, object_name);
  Phase phase = Phase::reply;
  for (const auto& effect : effects) {
    for (; phase < effect.phase; phase = static_cast<Phase>(static_cast<int>(phase) + 1)) {
      const Moment next = phase == Phase::reply ? Moment::before_send : Moment::before_tell;
      if (dies(next, object_name) != Death::none) return outcome;
    }
    std::visit(After{*this, outcome}, carried_by(effect));
  }
  return outcome;
}

}  // namespace z0::world
