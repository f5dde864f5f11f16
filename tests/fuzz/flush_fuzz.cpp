// Any bytes as what befalls a shard of the monitor: isolates write flushes, which come late, again, in any
// order, damaged or never; the shard saves, dies and comes back from its rows, which may be damaged, too.
// Each event counts once, what is missing is said, and what was saved is what is read.
//
// Each step is a byte that says what happens, and the bytes that it takes.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laws/flush_book.hpp"
#include "step_law.hpp"
#include "unit/monitor/flushes.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/monitor/shard.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr Metric metrics[] = {Metric::facts_written, Metric::facts_write_duration,
                              Metric::replication_queue_depth, Metric::config_reads};
constexpr std::string_view tenants[] = {"north", "south", ""};
constexpr std::int64_t hour_ms = 3'600'000;

class Story {
 public:
  explicit Story(std::string_view script) : script_(script) {
    for (std::uint64_t i = 0; i < isolates_.size(); ++i) isolates_[i].stream = i + 1;
  }

  void run() {
    for (int steps = 0; !script_.empty() && steps < 100; ++steps) act();
    check();
  }

 private:
  std::uint8_t next() {
    if (script_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(script_[0]);
    script_.remove_prefix(1);
    return byte;
  }

  // Cut short, or a byte of it is another one.
  void alter(std::string& bytes) {
    const std::size_t at = (std::size_t{next()} * 256 + next()) % bytes.size();
    if (next() % 4 == 0)
      bytes.resize(at);
    else
      bytes[at] = static_cast<char>(next());
  }

  void act() {
    switch (next() % 12) {
      case 0:
        die();
        return;
      case 1:
        save();
        return;
      case 2:
        if (!sent_.empty()) deliver(sent_[next() % sent_.size()]);
        return;
      case 3:
        static_cast<void>(write());
        return;
      case 4:
        if (!sent_.empty()) damage(sent_[next() % sent_.size()].bytes);
        return;
      case 5:
        // Back, too, and sometimes for so long that streams are forgotten.
        now_ms_ += (static_cast<std::int64_t>(next()) - 40) * (next() < 16 ? hour_ms / 8 : 1'000);
        return;
      case 6:
        return check();
      case 7:
        return damage_row();
      case 8:
        return begin_stream();
      default:
        deliver(write());
    }
  }

  laws::Flush write() {
    test::Isolate& isolate = isolates_[next() % isolates_.size()];
    laws::Flush flush;
    std::vector<std::string> points;
    std::int64_t events = 0;
    for (int n = next() % 4; n > 0; --n) {
      const Metric metric = metrics[next() % std::size(metrics)];
      const std::string tenant(tenants[next() % std::size(tenants)]);
      std::vector<std::string> labels(info(metric).labels.size(), std::to_string(next() % 9));
      const bool gauge = info(metric).kind == MetricKind::gauge;
      const std::int64_t count = gauge ? 1 : next() % 5;
      points.push_back(test::point(metric, tenant, labels, static_cast<double>(count), next()));
      flush.events[{tenant, static_cast<std::int64_t>(metric)}] += count;
      events += count;
    }
    // What there was no room for is told of with the next flush.
    isolate.told += next() % 3;
    flush.bytes = isolate.flush(points, events);
    flush.stream = isolate.stream;
    flush.number = isolate.number;
    flush.told = isolate.told;
    sent_.push_back(flush);
    return flush;
  }

  void begin_stream() {
    test::Isolate& isolate = isolates_[next() % isolates_.size()];
    isolate = {++streams_, now_ms_ < 0 ? 0 : now_ms_, 0, 0};
  }

  void deliver(const laws::Flush& flush) {
    if (!shard_->take(flush.bytes, now_ms_)) broken("what an isolate wrote can be read");
    book_.take(flush, now_ms_);
  }

  // Bytes that no isolate wrote are refused as a whole, or count as somebody's.
  void damage(std::string bytes) {
    alter(bytes);
    const std::string before = answers();
    if (shard_->take(bytes, now_ms_))
      sound_ = false;
    else if (answers() != before)
      broken("what cannot be read changes nothing");
  }

  SeriesRequest totals() const {
    SeriesRequest request;
    request.totals = request.all_tenants = true;
    return request;
  }
  SeriesRequest window() const {
    SeriesRequest request;
    request.all_tenants = true;
    request.metric = static_cast<std::int64_t>(Metric::facts_written);
    request.by = 1;
    request.window_ms = 48 * hour_ms;
    return request;
  }
  std::string answers() const {
    SeriesReply all = shard_->answer(totals(), now_ms_);
    SeriesReply two_days = shard_->answer(window(), now_ms_);
    // Room that is reserved is not what is saved.
    all.memory_bytes = two_days.memory_bytes = 0;
    return encode(all) + encode(two_days);
  }

  void save() {
    effects_.begin_step();
    shard_->save(now_ms_, effects_);
    std::vector<Effect> effects;
    if (!parse_effects(effects_.finish(), effects)) broken("effects can be read");
    for (const Effect& effect : effects) {
      const Statement statement = carried_by<Write>(effect).statement;
      if (statement.sql.starts_with("DELETE")) rows_.clear();
      if (statement.values.size() != 3) continue;
      rows_[{statement.values[0].integer, statement.values[1].integer}] = statement.values[2].bytes;
    }
    book_.save(now_ms_);
    const std::string before = answers();
    die();
    if (sound_ && answers() != before) broken("what was saved is what is read");
  }

  // Its rows bring it back.
  void die() {
    shard_ = std::make_unique<Shard>();
    book_.die();
    Frame frame;
    std::string answer;
    for (int rounds = 0; rounds < 10'000; ++rounds) {
      effects_.begin_step();
      if (shard_->loaded(frame, effects_)) return;
      std::vector<Effect> effects;
      if (!parse_effects(effects_.finish(), effects) || !asks(effects))
        broken("a shard asks for its rows");
      const Statement statement = carried_by<RowsNeed>(effects[0]).statement;
      const std::pair after{statement.values[0].integer, statement.values[1].integer};
      Rows rows;
      rows.failed = false;
      rows.columns = 3;
      for (auto row = rows_.upper_bound(after); row != rows_.end(); ++row) {
        if (static_cast<std::int64_t>(rows.size()) >= statement.values[2].integer) break;
        rows.cells.push_back(Value::of(row->first.first));
        rows.cells.push_back(Value::of(row->first.second));
        rows.cells.push_back(Value::blob(row->second));
      }
      answer.clear();
      append_rows(answer, rows);
      frame.answers = {answer};
    }
    broken("a shard reads its rows to their end");
  }

  // A shard comes back from whatever stands there, and takes what comes.
  void damage_row() {
    if (rows_.empty()) return;
    auto row = rows_.begin();
    std::advance(row, next() % rows_.size());
    std::string& bytes = row->second;
    if (bytes.empty()) return;
    alter(bytes);
    sound_ = rows_sound_ = false;
    die();
  }

  void check() {
    const std::string bytes = encode(shard_->answer(totals(), now_ms_));
    SeriesReply reply;
    if (!decode(bytes, reply)) broken("an answer can be read");
    static_cast<void>(answers());
    if (!sound_) {
      std::int64_t counted = 0;
      for (const SeriesGroup& group : reply.groups) {
        for (const SeriesAmount& amount : group.amounts) counted += amount.amount;
      }
      const bool more = counted + reply.lost + reply.missing > reply.told;
      if (more && rows_sound_) broken("no more is counted than was told of");
      return;
    }
    const std::string law = book_.broken_by(reply);
    if (!law.empty()) broken(law);
  }

  std::string_view script_;
  std::array<test::Isolate, 3> isolates_;
  std::uint64_t streams_ = 100;
  std::vector<laws::Flush> sent_;
  laws::FlushBook book_;
  bool sound_ = true;       // nothing was damaged
  bool rows_sound_ = true;  // but for flushes
  std::int64_t now_ms_ = 1'774'915'200'000;
  std::unique_ptr<Shard> shard_ = std::make_unique<Shard>();
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> rows_;
  Effects effects_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Story({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
