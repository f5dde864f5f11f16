// What watching over rules costs where nothing goes wrong: requests of objects, rows that they write, and
// statements of D1, in a day of twenty tenants at work and in a day on which nobody comes. A whole z0 in
// one process (bindings/world), whose time is made; so what is counted is exact and the same each time.
//
//   alerting_cost_bench      two lines of JSON: a busy day, and an idle one two days later
//
// Alerting's are: all that is asked of its objects and written by them, the ledger of what they did, alarms
// of the monitor's shards that save nothing but what is known of rules, and the rows of that.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "bindings/world/world.hpp"
#include "tests/d1_schema.hpp"
#include "tests/unit/monitor/flushes.hpp"
#include "z0/base/limits.hpp"
#include "z0/http/token.hpp"
#include "z0/monitor/windows.hpp"

namespace {

using namespace z0;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
// How often isolates tell what they measured.
constexpr std::int64_t flush_ms = 5 * second_ms;
constexpr std::int64_t day_hours = 24;
constexpr int tenants = 20;
// What stands for a busy day, and how many such there are in one.
constexpr std::int64_t sample_hours = 2;
constexpr std::int64_t samples_a_day = day_hours / sample_hours;
// Nobody came for so long before the idle day: whatever was left to do is done.
constexpr std::int64_t calm_hours = 2 * day_hours;
// Rows of a shard by kind, as src/monitor/shard.cpp numbers them: its head, slots of each level, and what it
// knows of rules.
constexpr std::int64_t head_kind = 0;
constexpr std::int64_t slots_kind = 2;
constexpr std::int64_t watch_kind = slots_kind + static_cast<std::int64_t>(Windows::level_count);

struct Counts {
  std::int64_t requests = 0;
  std::int64_t rows = 0;
  std::int64_t statements = 0;  // of D1
};

class Z0 : public world::World {
 public:
  Z0() : World(1, test::d1_schema()) {
    measured = [this](const DataPoint& point) {
      points_.push_back(test::encode_point(point));
      events_ += static_cast<std::int64_t>(point.how_much);
    };
    watch = [this](std::string_view frame, std::string_view effects) { count(frame, effects); };
  }

  Counts all;
  Counts alerting;

  // Time passes; each minute each tenant's request brings an invocation and a charge.
  void work(std::int64_t ms) {
    for (const std::int64_t until = now_ms + ms; now_ms < until; now_ms += flush_ms) {
      if (now_ms % minute_ms == 0)
        for (int i = 0; i < tenants; ++i) post("t" + std::to_string(i));
      deliver_all();
      flush();
      run_alarms();
    }
  }
  // From one alarm to the next.
  void rest(std::int64_t ms) {
    const std::int64_t until = now_ms + ms;
    for (std::int64_t next = next_alarm(); next != 0 && next <= until; next = next_alarm()) {
      now_ms = std::max(now_ms, next);
      run_alarms();
      deliver_all();
      flush();
    }
    now_ms = until;
  }

 private:
  void post(const std::string& tenant) {
    const std::string trace = R"("trace_id": "0af7651916cd43dd8448eb211c80319c")";
    request("POST", "/v1/facts", authorization(tenant, scope_facts_write),
            R"([{"type": "invocation", "entity_id": "ast_)" + tenant +
                R"(", "tool_id": "tool_a", )" + trace +
                R"(}, {"type": "charge", "entity_id": "acct_)" + tenant +
                R"(", "amount": 250, "source_id": "outcome_a"}])");
  }
  // What an isolate collected goes to the shard at once.
  void flush() {
    if (points_.empty()) return;
    // As bindings/worker/streams.js does.
    if (now_ms - flushed_ms_ >= limits::stream_silence_ms / 2)
      isolate_ = test::Isolate{isolate_.stream + 1, now_ms, 0, 0};
    flushed_ms_ = now_ms;
    std::string told;
    ByteWriter(told).bytes(isolate_.flush(points_, events_));
    points_.clear();
    events_ = 0;
    tell(monitor_shard_name(0), std::move(told));
  }
  std::int64_t next_alarm() const {
    std::int64_t next = 0;
    for (const std::string& object : objects_) {
      const std::int64_t at = alarm_of(object);
      if (at != 0 && (next == 0 || at < next)) next = at;
    }
    return next;
  }

  void count(std::string_view frame_bytes, std::string_view effects_bytes) {
    Frame frame;
    std::vector<Effect> effects;
    if (!parse_frame(frame_bytes, frame) || !parse_effects(effects_bytes, effects)) std::abort();
    const bool begins =
        frame.kind == Z0_FRAME_CALL || frame.kind == Z0_FRAME_ALARM || frame.kind == Z0_FRAME_TELL;
    if (begins) {
      const std::string object(frame.part(0));
      if (frame.kind != Z0_FRAME_TELL) objects_.insert(object);
      if (frame.target == Z0_TARGET_LEDGER)
        of_alerts_ledger_ = object.ends_with(std::string("_").append(alerts_ledger));
    }
    Counts seen;
    seen.requests = begins ? 1 : 0;
    std::int64_t watch_rows = 0;
    bool saves = false;
    for (const Effect& effect : effects) {
      if (effect.kind == Z0_NEED_QUERY)
        seen.statements +=
            static_cast<std::int64_t>(carried_by<QueryNeed>(effect).statements.size());
      if (effect.kind != Z0_WRITE) continue;
      const Statement statement = carried_by<Write>(effect).statement;
      if (statement.values.empty()) continue;
      ++seen.rows;
      const bool metric = statement.sql.find("metric_rows") != std::string_view::npos;
      if (metric && statement.values[0].integer == watch_kind) ++watch_rows;
      if (metric && statement.values[0].integer == head_kind) saves = true;
    }
    add(all, seen);
    const bool ledger = frame.target == Z0_TARGET_LEDGER && of_alerts_ledger_;
    if (frame.target == Z0_TARGET_ALERTS || ledger) return add(alerting, seen);
    alerting.rows += watch_rows;
    const bool judges = frame.target == Z0_TARGET_MONITOR && frame.kind == Z0_FRAME_ALARM && !saves;
    alerting.requests += judges && frame.part(0).starts_with("metrics_") ? 1 : 0;
  }
  static void add(Counts& to, const Counts& seen) {
    to.requests += seen.requests;
    to.rows += seen.rows;
    to.statements += seen.statements;
  }

  std::set<std::string> objects_;
  bool of_alerts_ledger_ = false;
  test::Isolate isolate_;
  std::vector<std::string> points_;
  std::int64_t events_ = 0;
  std::int64_t flushed_ms_ = 0;
};

void print(const char* day, const Z0& z0, std::int64_t samples) {
  const auto times = [samples](std::int64_t n) { return static_cast<long long>(n * samples); };
  std::printf(R"({"day":"%s","all":{"requests":%lld,"rows":%lld,"statements":%lld},)"
              R"("alerting":{"requests":%lld,"rows":%lld,"statements":%lld}})"
              "\n",
              day, times(z0.all.requests), times(z0.all.rows), times(z0.all.statements),
              times(z0.alerting.requests), times(z0.alerting.rows), times(z0.alerting.statements));
}

}  // namespace

int main() {
  Z0 z0;
  z0.work(hour_ms);
  z0.all = z0.alerting = Counts{};
  z0.work(sample_hours * hour_ms);
  print("busy", z0, samples_a_day);
  z0.rest(calm_hours * hour_ms);
  z0.all = z0.alerting = Counts{};
  z0.rest(day_hours * hour_ms);
  print("idle", z0, 1);
  return 0;
}
