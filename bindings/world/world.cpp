#include "world.hpp"

#include <stdexcept>

#include "z0/token.hpp"

namespace z0::world {
namespace {

constexpr std::string_view monitor_object = "root";
constexpr std::string_view directory_objects = "directory_";
// An alarm that failed goes off again, as in bindings/worker/ledger.js.
constexpr std::int64_t alarm_pause_ms = 30'000;

// The object was reset on the way; the caller sees a failure.
struct ObjectReset : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The process is gone, with everybody who waited for something.
struct Killed {};

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
  ++life_;
}

void World::call(std::uint16_t kind, std::string_view name, std::string_view request) {
  try {
    run(kind, {std::string(name), std::string(request)}, name);
  } catch (const ObjectReset&) {
  } catch (const Killed&) {
  }
}

HttpReply World::request(std::string_view method, std::string_view url, const Headers& headers,
                         std::string_view body) {
  std::vector<std::string> parts{std::string(method), std::string(url), std::string(body), secrets};
  for (const auto& [name, value] : headers) {
    parts.push_back(name);
    parts.push_back(value);
  }
  try {
    const Outcome outcome = run(Z0_FRAME_REQUEST, parts, {});
    return {outcome.status, outcome.headers, outcome.body};
  } catch (const ObjectReset&) {
  } catch (const Killed&) {
  }
  return {};
}

bool World::acknowledges(std::uint16_t kind, const std::vector<std::string>& parts) {
  try {
    return run(kind, parts, {}).status == 200;
  } catch (const ObjectReset&) {
  } catch (const Killed&) {
  }
  return false;
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

bool World::ring(std::string_view name) {
  Object& self = object(name);
  if (self.alarm_at <= now_ms) self.alarm_at = 0;
  const std::uint64_t life = life_;
  try {
    const bool directory = name.starts_with(directory_objects);
    run(directory ? Z0_FRAME_DIRECTORY_ALARM : Z0_FRAME_LEDGER_ALARM, {std::string(name), {}},
        name);
  } catch (const ObjectReset&) {
    self.alarm_at = now_ms + alarm_pause_ms;
    return false;
  } catch (const Killed&) {
  }
  if (life == life_) return true;
  // Nobody has said that it is done: the platform makes it go off again.
  if (self.alarm_at == 0) self.alarm_at = now_ms;
  return false;
}

void World::lose_alarm(std::string_view name) { object(name).alarm_at = 0; }

World::Outcome World::run(std::uint16_t kind, const std::vector<std::string>& parts,
                          std::string_view object_name) {
  std::vector<std::string> owned = parts;
  std::vector<std::string> answers;
  const std::uint64_t life = life_;
  for (std::size_t steps = 1;; ++steps) {
    if (life != life_) throw Killed();
    Frame frame;
    frame.kind = kind;
    frame.now_ms = now_ms + (faults.clock ? faults.clock(object_name) : 0);
    frame.incarnation = object_name.empty() ? 0 : object(object_name).incarnation;
    const std::string random_bytes = entropy();
    frame.entropy = random_bytes;
    for (const auto& part : owned) frame.parts.push_back(part);
    for (const auto& a : answers) frame.answers.push_back(a);
    frame.settings = settings;
    const std::string bytes = encode_frame(frame);
    const std::string effect_bytes(core_->step(bytes));
    if (watch) watch(bytes, effect_bytes);
    std::vector<Effect> effects;
    if (!parse_effects(effect_bytes, effects))
      throw std::logic_error("the core returned no effects");
    if (effects.empty() || effects[0].phase != Phase::need) return carry_out(effects, object_name);
    answers.clear();
    for (const auto& need : effects) {
      if (need.kind != Z0_NEED_RESUME) {
        answers.push_back(answer(need, object_name));
        continue;
      }
      ByteReader in(need.payload);
      kind = in.u16();
      owned = {std::string(in.bytes())};
      if (steps >= in.u16())
        throw std::logic_error(std::string(in.bytes()) + " after " + std::to_string(steps) +
                               " steps: nothing new comes of it");
    }
  }
}

std::string World::answer(const Effect& need, std::string_view object_name) {
  ByteReader in(need.payload);
  if (need.kind == Z0_NEED_QUERY) return answer_query(in);
  if (need.kind == Z0_NEED_CALL) return answer_call(in);
  if (need.kind == Z0_NEED_SIGN) return answer_sign(in);
  std::string bytes;
  append_rows(bytes, object(object_name).storage.run(parse_statement(in))->rows);
  return bytes;
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

std::string World::answer_call(ByteReader& in) {
  const auto target = static_cast<z0_target>(in.u8());
  const std::string name(target == Z0_TARGET_MONITOR ? monitor_object : in.bytes());
  if (target == Z0_TARGET_MONITOR) in.bytes();
  const std::uint16_t kind = in.u16();
  in.u32();  // the timeout: here nothing is slow
  const std::string request(in.bytes());
  z0_outcome outcome = Z0_FAILED;
  std::string reply;
  if (faults.delay && faults.delay(kind, name, request)) {
    outcome = Z0_TIMEOUT;
    reply = "no reply in time";
  } else if (!faults.call || !faults.call(name, outcome, reply)) {
    try {
      outcome = Z0_OK;
      reply = run(kind, {name, request}, name).body;
      if (faults.lose_reply && faults.lose_reply(name))
        throw ObjectReset("the connection was lost");
    } catch (const ObjectReset& error) {
      outcome = Z0_FAILED;
      reply = error.what();
    }
  }
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(outcome));
  out.bytes(reply);
  out.bytes(request);
  return bytes;
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

bool World::dies(Moment moment, std::string_view object_name) {
  const Death death = faults.death ? faults.death(moment, object_name) : Death::none;
  if (death == Death::all) kill();
  if (death == Death::one && !object_name.empty()) object(object_name).incarnation = random();
  return death != Death::none;
}

void World::live_through(Moment moment, std::string_view object_name) {
  const std::uint64_t life = life_;
  if (!dies(moment, object_name)) return;
  if (life != life_) throw Killed();
  throw ObjectReset("the object was reset");
}

World::Outcome World::carry_out(const std::vector<Effect>& effects, std::string_view object_name) {
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
      if (dies(next, object_name)) return outcome;
    }
    if (effect.kind == Z0_REPLY) {
      outcome.status = in.u16();
      for (std::uint16_t n = in.u16(); n > 0; --n) {
        const std::string name(in.bytes());
        outcome.headers.emplace_back(name, in.bytes());
      }
      outcome.body = in.bytes();
    } else if (effect.kind == Z0_SEND) {
      if (faults.send && faults.send()) continue;
      if (sends)
        sends(in.bytes());
      else
        queue.emplace_back(in.bytes());
    } else if (effect.kind == Z0_TELL) {
      std::string report;
      ByteWriter(report).bytes(in.bytes());
      run(Z0_FRAME_MONITOR_TELL, {std::string(monitor_object), report}, monitor_object);
    }
  }
  return outcome;
}

}  // namespace z0::world
