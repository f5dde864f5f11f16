// A whole z0 in one process, without a network: the edge, a ledger object for each entity, the
// directory, the monitor, the replication queue and D1, over SQLite in memory. Time stands still
// unless it is told to move, and all randomness comes from a seed, so that whatever happens here
// happens again.
//
// It is an event loop: a step that asks for something outside of its object waits, and whatever
// else is ready may come first. Which of them does is for `faults.next` to say; without it a call
// runs to its end before the next one begins, so that a story reads from top to bottom.
//
// It does what bindings/worker does, no more: the core decides everything. The command-line tool
// checks submissions with it, and the tests tell stories with it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sqlite.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/calls/reports.hpp"
#include "z0/core/core.hpp"
#include "z0/wire/read_effects.hpp"

namespace z0::world {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;

  std::string header(std::string_view name) const;
};

// Where a host may die: between the phases of what it carries out.
enum class Moment : std::uint8_t { before_commit, before_reply, before_send, before_tell };
// What dies: nothing; the object, or where there is none the edge's isolate; everything at once.
enum class Death : std::uint8_t { none, one, all };

// A frame took as many steps as its resume allows, and asks again.
struct Stuck : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whose step a frame is, for an object's by its name.
inline z0_target target_of(z0_frame_kind kind, std::string_view object) {
  if (kind == Z0_FRAME_MESSAGE || kind == Z0_FRAME_DEAD_LETTER) return Z0_TARGET_QUEUE;
  if (kind == Z0_FRAME_TAIL) return Z0_TARGET_TAIL;
  if (object.empty()) return Z0_TARGET_EDGE;
  if (object == monitor_object || object.starts_with("metrics_")) return Z0_TARGET_MONITOR;
  if (object.starts_with("traces_")) return Z0_TARGET_TRACES;
  if (object.starts_with(alerts_object)) return Z0_TARGET_ALERTS;
  return object.starts_with("directory_") ? Z0_TARGET_DIRECTORY : Z0_TARGET_LEDGER;
}

// What goes wrong, asked for at each place where the platform may fail. Return false to let it
// work.
struct Faults {
  // Which of so many goes on; the last one is what came up last.
  std::function<std::size_t(std::size_t ready)> next;
  // Somebody dies. Before the reply it takes the reply with it, later only what would follow.
  std::function<Death(Moment moment, std::string_view object)> death;
  // How far a clock is from now_ms: an object's, or where the name is empty the edge's.
  std::function<std::int64_t(std::string_view object)> clock;
  // A call is answered as one that timed out; whoever asks for that makes it arrive, with
  // World::call, when they like or never.
  std::function<bool(std::uint8_t method, std::string_view object, std::string_view request)> delay;
  // A call of another object fails before it arrives; `outcome` and `message` say how.
  std::function<bool(std::string_view object, z0_outcome& outcome, std::string& message)> call;
  // The call arrives and is carried out, but its reply is lost.
  std::function<bool(std::string_view object)> lose_reply;
  // The object's transaction fails.
  std::function<bool(std::string_view object)> commit;
  // A D1 batch fails: before it began, at one of its statements, or after it was committed.
  std::function<bool()> query;
  std::function<bool(std::size_t statement)> query_statement;
  std::function<bool()> query_after_commit;
  // A message is lost on its way to the queue.
  std::function<bool()> send;
};

class World {
 public:
  // d1_schema: the migrations' SQL; without it nothing of D1 works. seed: of all entropy.
  explicit World(std::uint64_t seed, const std::string& d1_schema);
  ~World();

  std::int64_t now_ms = 1'774'915'200'000;
  std::string secrets = "world-secret";
  std::string settings;  // JSON, see settings.hpp
  bool debug = false;    // what only tests and developers may ask for is allowed
  // The answer to Z0_NEED_SIGN for a text; without it there is no key.
  std::function<std::string(std::string_view text)> sign;
  // What configs may name; others are none.
  std::map<std::string, std::string, std::less<>> named_secrets;
  // What clocks of a zone show, and until when; false: there is no such zone. Without it there is UTC.
  std::function<bool(std::string_view zone, std::int64_t at_ms, std::int64_t& offset_min,
                     std::int64_t& until_ms)>
      zone;
  // Takes what steps measure; `tell` is the way on, in flushes.
  std::function<void(const DataPoint& point)> measured;
  // Who is outside: the HTTP status that it replies (0: it does not answer in time), the seconds that it asks to be left alone for, and
  // the body; without it nobody answers.
  struct Fetched {
    Fetched(int status, std::uint32_t seconds = 0, std::string text = {})
        : http(static_cast<std::uint16_t>(status)), retry_after_s(seconds), body(std::move(text)) {}
    std::uint16_t http;
    std::uint32_t retry_after_s;
    std::string body;
  };
  std::function<Fetched(const FetchNeed& need)> fetch;
  // Takes each span that ended, as JSON; those of needs, too.
  std::function<void(std::string_view json)> span;
  Faults faults;
  // Sees every frame with its effects.
  std::function<void(std::string_view frame, std::string_view effects)> watch;
  // An object's transaction was committed, of the frame that was seen last.
  std::function<void(std::string_view object)> committed;

  HttpReply request(std::string_view method, std::string_view url, const Headers& headers,
                    std::string_view body);
  // A bearer header for this world's secret: all tenants when tenant is empty.
  Headers authorization(std::string_view tenant, std::uint8_t scopes);

  // Takes the messages in the stead of `queue`, for whoever collects, delays or loses them.
  std::function<void(std::string_view message)> sends;

  // The queue, oldest first. deliver takes the message at a place out and gives it to the consumer;
  // it goes back to the end when it is refused. Returns whether it was acknowledged.
  std::deque<std::string> queue;
  bool deliver(std::size_t place = 0);
  // Gives a message to the consumer that stays where it is: a redelivery.
  bool deliver_copy(const std::string& message);
  // Until the queue is empty or a delivery fails.
  void deliver_all();
  bool dead_letter(std::string_view id, std::string_view body);
  // Gives the Tail Worker invocations that ended, as traces/tail.hpp has them. Whether it was done.
  bool tail(const std::string& invocations);

  // The alarms that are due by now_ms, each once. Returns how many went off.
  std::size_t run_alarms();
  // One alarm goes off, due or not; one that is set for later stays set. False when it failed: then
  // it is set again.
  bool ring(std::string_view object);
  // Several go off at one moment. Returns how many did not fail.
  std::size_t ring_all(const std::vector<std::string>& objects);
  // The object whose effects are being carried out; empty for the edge and for the queue's
  // consumer.
  std::string_view acting() const { return acting_; }
  std::int64_t alarm_of(std::string_view object) const;
  // The platform forgets an alarm, as it does with one that failed too often.
  void lose_alarm(std::string_view object);

  // The object leaves memory; its rows stay. Then all of them and the core.
  void evict(std::string_view object);
  void crash();
  // As crash, and whatever was being carried out ends there: its callers get no reply.
  void kill();

  // A call that arrives by itself, as when nobody waits for its reply any more. Empty where there was none.
  std::string call(std::uint8_t method, std::string_view object, std::string_view request);
  // Flushes for a shard of the monitor. Whether they were taken.
  bool tell(std::string_view shard, std::string flushes);

  Database& d1(std::string_view binding = "DB");
  Database& storage_of(std::string_view object);

 private:
  struct Object {
    Database storage;
    std::uint64_t incarnation = 0;
    std::int64_t alarm_at = 0;
  };
  struct Outcome {
    int status = 0;
    Headers headers;
    std::string body;
  };
  // One frame on its way to its end.
  struct Task {
    enum class End : std::uint8_t { none, done, reset, killed };
    End end = End::none;
    bool replied = false;  // also when the process died right after
    Outcome outcome;
    std::string message;  // of a reset
    std::uint8_t kind = 0;
    std::uint8_t target = 0;
    std::uint8_t method = 0;
    std::vector<std::string> parts;
    std::vector<std::string> answers;
    std::string object;
    std::size_t steps = 0;
    // What it waits for: the effects that say it, those that were begun, those that were answered.
    std::string effects;
    std::vector<Effect> needs;
    std::size_t begun = 0;
    std::size_t missing = 0;
    // Who waits for its reply, for which answer, and the request to send back with it.
    std::shared_ptr<Task> caller;
    std::size_t place = 0;
    std::string request;
  };
  using Running = std::shared_ptr<Task>;
  // A task that can go on, or a need of its that can be answered.
  struct Ready {
    static constexpr std::size_t step = ~std::size_t{0};
    Running task;
    std::size_t need = step;
  };

  Object& object(std::string_view name);
  std::uint64_t random();
  std::string entropy();
  Running begin(z0_frame_kind kind, std::vector<std::string> parts, std::string_view object_name,
                std::uint8_t method = 0);
  std::int64_t latest_ms(std::string_view name) const;
  Running begin_alarm(std::string_view object);
  bool end_alarm(const Task& task);
  // Until the task has ended; others go on meanwhile.
  void finish(const Running& task);
  void go_on(Ready ready);
  void step(const Running& task);
  void wait(const Running& task);
  void begin_need(const Running& task);
  void answer_need(const Running& task, std::size_t place);
  void answered(const Running& task, std::size_t place, std::string bytes);
  void ended(const Running& task, Task::End end);
  // Of messages and dead letters.
  bool acknowledges(z0_frame_kind kind, const std::vector<std::string>& parts);
  void end_span(const Effect& need, std::string_view answer);
  std::string answer_query(const QueryNeed& need);
  std::string answer_sign(const SignNeed& need);
  std::string answer_fetch(const FetchNeed& need);
  std::string answer_secret(const SecretNeed& need) const;
  std::string answer_zone(const ZoneNeed& need) const;
  void answer_call(const Running& task, std::size_t place, const CallNeed& need);
  void reply_to_call(const Running& task, z0_outcome outcome, std::string_view reply);
  struct After;
  Outcome carry_out(const std::vector<Effect>& effects, std::string_view object_name);
  void tell_root(std::string report);
  void commit(const std::vector<Effect>& effects, Object& object);
  Death dies(Moment moment, std::string_view object_name);
  void live_through(Moment moment, std::string_view object_name);

  std::unique_ptr<Core> core_;
  std::map<std::string, Object, std::less<>> objects_;
  std::string d1_schema_;
  std::map<std::string, Database, std::less<>> d1_;
  std::uint64_t random_;
  std::vector<Running> running_;
  std::vector<Ready> ready_;
  std::string acting_;
};

}  // namespace z0::world
