// Laws of the monitor's shard, over its rows: whatever is lost, late, repeated or reordered, and whenever
// the shard leaves memory or dies, nothing is counted twice, and what is missing is said exactly.
//
// The model knows which flushes arrived, and forgets what was not saved when the shard dies.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "laws/random.hpp"
#include "sqlite.hpp"
#include "unit/catch.hpp"
#include "unit/monitor/flushes.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/calls/reports.hpp"
#include "z0/core/core.hpp"
#include "z0/wire/read_effects.hpp"

namespace {

using z0::Metric;
using z0::test::Isolate;

constexpr const char* tenants[] = {"north", "south", ""};

// One object over one database, with a core that may be dropped.
class Host {
 public:
  std::int64_t now_ms = 1'774'915'200'000;

  // The body of the reply; empty for an alarm.
  std::string step(std::uint8_t kind, std::uint8_t method, const std::string& part) {
    z0::Frame frame;
    frame.kind = kind;
    frame.target = Z0_TARGET_MONITOR;
    frame.method = method;
    frame.now_ms = now_ms;
    frame.incarnation = incarnation_;
    frame.parts = {"metrics_0", part};
    std::vector<std::string> answers;
    for (int steps = 0; steps < 10'000; ++steps) {
      frame.answers.assign(answers.begin(), answers.end());
      const std::string bytes(core_->step(z0::encode_frame(frame)));
      std::vector<z0::Effect> effects;
      REQUIRE(z0::parse_effects(bytes, effects));
      if (effects.empty() || effects[0].phase != z0::Phase::need) return carry_out(effects);
      answers.clear();
      for (const auto& effect : effects) {
        const auto need = z0::carried_by<z0::RowsNeed>(effect);
        z0::append_rows(answers.emplace_back(), rows_.run(need.statement)->rows);
      }
    }
    FAIL("a step that needs rows for ever");
    return {};
  }
  void die() {
    ++incarnation_;
    alarm_ = alarm_ == 0 ? 0 : now_ms;
  }
  void crash() {
    core_ = std::make_unique<z0::Core>();
    die();
  }
  std::int64_t alarm() const { return alarm_; }
  void ring() {
    alarm_ = 0;
    step(Z0_FRAME_ALARM, 0, {});
  }

 private:
  std::string carry_out(const std::vector<z0::Effect>& effects) {
    std::string body;
    for (const auto& effect : effects) {
      if (effect.kind == Z0_WRITE)
        REQUIRE_FALSE(rows_.run(z0::carried_by<z0::Write>(effect).statement)->rows.failed);
      if (effect.kind == Z0_ALARM) alarm_ = z0::carried_by<z0::AlarmAt>(effect).at_ms;
      if (effect.kind == Z0_REPLY) body = z0::carried_by<z0::HttpAnswer>(effect).body;
    }
    return body;
  }

  z0::world::Database rows_;
  std::unique_ptr<z0::Core> core_ = std::make_unique<z0::Core>();
  std::uint64_t incarnation_ = 1;
  std::int64_t alarm_ = 0;
};

struct Flush {
  std::string bytes;
  std::uint64_t stream = 0;
  std::int64_t number = 0;
  std::int64_t told = 0;                       // events up to its end
  std::map<std::string, std::int64_t> events;  // by tenant
};

// What a shard should know.
struct Book {
  std::map<std::string, std::int64_t> counted;
  std::map<std::uint64_t, std::set<std::int64_t>> arrived;
  std::map<std::uint64_t, std::int64_t> told;
  std::int64_t total = 0;

  void take(const Flush& flush) {
    auto& numbers = arrived[flush.stream];
    const std::int64_t highest = numbers.empty() ? 0 : *numbers.rbegin();
    if (highest - flush.number >= 64 || !numbers.insert(flush.number).second) return;
    told[flush.stream] = std::max(told[flush.stream], flush.told);
    for (const auto& [tenant, events] : flush.events) {
      counted[tenant] += events;
      total += events;
    }
  }
  std::int64_t missing() const {
    std::int64_t sum = -total;
    for (const auto& [stream, events] : told) sum += events;
    return sum;
  }
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {
    for (std::uint64_t i = 0; i < 4; ++i)
      isolates_.push_back({i + 1, 1 + static_cast<std::int64_t>(i), 0, 0});
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      host_.now_ms += static_cast<std::int64_t>(random_.below(3'000));
      act();
      if (host_.alarm() != 0 && host_.now_ms >= host_.alarm()) save();
      if (random_.below(8) == 0) check();
    }
    // Each isolate is heard once more: now all that was told of is known.
    for (Isolate& isolate : isolates_) deliver(write(isolate));
    check();
  }

 private:
  void act() {
    switch (random_.below(12)) {
      case 0:  // the object is evicted, or its isolate dies
        random_.below(2) == 0 ? host_.die() : host_.crash();
        now_ = saved_;
        return;
      case 1:
        return save();
      case 2:
      case 3:  // something late, which may have come before
        if (!sent_.empty()) deliver(sent_[random_.below(sent_.size())]);
        return;
      case 4:  // lost, or on its way
        static_cast<void>(write(isolates_[random_.below(isolates_.size())]));
        return;
      default:
        deliver(write(isolates_[random_.below(isolates_.size())]));
    }
  }

  const Flush& write(Isolate& isolate) {
    Flush flush;
    std::vector<std::string> points;
    std::int64_t events = 0;
    for (std::uint64_t n = random_.below(4); n > 0; --n) {
      const std::string tenant = tenants[random_.below(3)];
      const auto count = static_cast<std::int64_t>(random_.below(5));
      points.push_back(z0::test::point(Metric::facts_written, tenant,
                                       {"charge", "", "ast_" + std::to_string(random_.below(40))},
                                       static_cast<double>(count)));
      flush.events[tenant] += count;
      events += count;
    }
    flush.bytes = isolate.flush(points, events);
    flush.stream = isolate.stream;
    flush.number = isolate.number;
    flush.told = isolate.told;
    sent_.push_back(flush);
    return sent_.back();
  }

  void deliver(const Flush& flush) {
    std::string told;
    z0::ByteWriter(told).bytes(flush.bytes);
    host_.step(Z0_FRAME_TELL, 0, told);
    now_.take(flush);
    // Whatever is not saved has an alarm.
    CHECK(host_.alarm() != 0);
  }

  void save() {
    host_.ring();
    saved_ = now_;
    CHECK(host_.alarm() == 0);
  }

  void check() {
    z0::SeriesRequest request;
    request.totals = request.all_tenants = true;
    const std::string body = host_.step(
        Z0_FRAME_CALL, static_cast<std::uint8_t>(z0::MonitorMethod::series), encode(request));
    z0::SeriesReply reply;
    REQUIRE(z0::decode(body, reply));
    std::map<std::string, std::int64_t> counted;
    for (const auto& group : reply.groups) {
      for (const auto& amount : group.amounts)
        counted[std::string(group.tenant_id)] += amount.amount;
    }
    for (const char* tenant : tenants) CHECK(counted[tenant] == now_.counted[tenant]);
    CHECK(reply.missing == now_.missing());
    CHECK(reply.memory_bytes < 4 << 20);
  }

  z0::laws::Random random_;
  Host host_;
  std::vector<Isolate> isolates_;
  std::vector<Flush> sent_;
  Book now_;
  Book saved_;
};

}  // namespace

TEST_CASE("Nothing is counted twice, and what is missing is said, whatever happens to flushes",
          "[laws]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Story(seed).run(400);
  }
}
