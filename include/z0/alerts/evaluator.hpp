// Evaluates rules over sums that somebody else keeps up to date.
//
// Rules ask for operands: what some metrics came to in a window, by tenant and labels. Groups of one
// kind (the same `by`) are numbered together, so an operand is a flat array of sums, an alert's state
// lies at its rule and group, and a tick is a walk over arrays. What a series adds to is found once
// (targets) and then added without a look at any text.
//
// A shard of the monitor feeds an evaluator from its windows, the root from what shards answer, a
// backtest from recorded facts: the rules behave the same everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/habits.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/base/bytes.hpp"

namespace z0 {

class Evaluator {
 public:
  // Where a measurement counts: an operand of the window's length, and a group of it.
  struct Target {
    std::uint32_t operand = 0;
    std::uint32_t group = 0;
  };
  struct Operand {
    std::vector<Selector> of;  // added up
    std::int64_t window_ms = 0;
    std::uint32_t space = 0;
    bool by_bucket = false;  // a histogram's, with its buckets
    bool is_gauge = false;
  };

  // `states_max`: rules times their groups, of which further ones are counted in left_out().
  explicit Evaluator(std::vector<Rule> rules = {}, std::size_t states_max = SIZE_MAX);
  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<Operand>& operands() const { return operands_; }

  // Appends where a series counts. Groups are made as they come, at most limits::alert_groups_max;
  // further ones are counted in left_out().
  void targets(Metric metric, std::string_view tenant_id, std::span<const std::string_view> labels,
               std::vector<Target>& out);
  std::int64_t left_out() const { return left_out_ + habits_.left_out(); }

  // What comes into a window and what leaves it. What is open is there until clear_open().
  void add(Target target, std::uint64_t amount, std::uint32_t bucket) {
    count(target, static_cast<std::int64_t>(amount), bucket);
  }
  void take_out(Target target, std::uint64_t amount, std::uint32_t bucket) {
    count(target, -static_cast<std::int64_t>(amount), bucket);
  }
  void set_gauge(Target target, double value, std::int64_t heard_ms);
  // Of several series that fall into one group: together as the metric's row says.
  void merge_gauge(Target target, double value, std::int64_t heard_ms);
  // As if nothing had ever been counted. Groups and states stay.
  void clear_sums();
  void clear_gauges();

  // How many alerts a tick looks at: the groups of each rule.
  std::size_t states() const;

  // What the sums come to, for an evaluator of the same rules that adds up several; and whether there
  // is anything but zeros and gauges that nobody hears any more.
  void encode_sums(ByteWriter& out) const;
  [[nodiscard]] bool add_sums(ByteReader& in);
  bool has_sums(std::int64_t now_ms) const;

  // What the sums are of. `part`: of some of those who count, so that what more of them could take back is
  // not judged, and nothing ends. `most`: somebody may never come back; all is judged, and nothing ends.
  enum class Cover : std::uint8_t { part, most, all };
  // Judges every rule. Ticks may come late, twice or not at all.
  void tick(std::int64_t now_ms, Cover cover = Cover::all);
  // Alerts that began to wait, to fire, or ended, since this was made.
  std::uint64_t turns() const { return turns_; }
  // What a tick would learn of what is usual, without judging: no alert changes.
  void learn(std::int64_t now_ms);

  // An alert that is not idle.
  struct Alert {
    const Rule* rule = nullptr;
    std::string_view tenant_id;
    std::vector<std::string_view> labels;  // in the order of the rule's `by`
    AlertState* state = nullptr;
    std::string words;  // of an anomaly: why
  };
  // In the order of rules and of groups as they came. Borrows until rules or groups change.
  std::vector<Alert> alerts();

  bool at_rest() const;  // whether all of them are idle

  // The states of all alerts, as they are kept in a row, and as they go on to another version of the
  // rules.
  void encode_states(ByteWriter& out) const;
  // False for bytes that encode_states did not write. A rule is known by its name and what it tells
  // series apart by, as in Prometheus; states of others are dropped.
  [[nodiscard]] bool decode_states(ByteReader& in);

  // What rules about anomalies have learned, in chunks that are rows each. Encoding one marks it as saved; one
  // may have become empty.
  std::size_t habit_chunks() const { return habits_.chunks(); }
  bool habits_changed(std::size_t chunk) const { return habits_.changed(chunk); }
  void encode_habits(std::size_t chunk, ByteWriter& out);
  // False for bytes that encode_habits did not write. What rules no longer ask for is dropped.
  [[nodiscard]] bool decode_habits(ByteReader& in);
  Habits::Learned learned(std::size_t rule) const {
    return habits_.learned(static_cast<std::uint32_t>(rule));
  }
  // Fewer baselines than an object of alerts has room for.
  void limit_habits(std::size_t most) { habits_.limit(most); }

  std::size_t memory_bytes() const;

 private:
  // Groups of rules with the same `by`.
  struct Space {
    bool by_tenant = false;
    std::vector<std::string> by;
    std::map<std::string, std::uint32_t, std::less<>> numbers;
    std::vector<std::string> keys;
  };
  struct Sums {
    std::vector<std::uint8_t> known;                 // by group: whether a series counts there
    std::vector<std::int64_t> sums;                  // by group
    std::vector<std::vector<std::int64_t>> buckets;  // by group, where they are asked for
    std::vector<double> values;                      // of gauges
    std::vector<std::int64_t> heard_ms;
  };
  // What a rule reads: operands, or none.
  struct Reads {
    std::uint32_t space = 0;
    std::uint32_t of = none;
    std::uint32_t to = none;
    std::uint32_t long_of = none;
    std::uint32_t long_to = none;
  };
  struct Seen {
    bool has_data = false;
    bool holds = false;
    double value = 0;
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  std::uint32_t space_of(const Rule& rule);
  std::uint32_t operand_of(const Rule& rule, const std::vector<Selector>& of,
                           std::int64_t window_ms, std::uint32_t space);
  std::uint32_t group_of(std::uint32_t space, std::string_view key);
  // Inline, since a backtest counts as often as it looks.
  void count(Target target, std::int64_t amount, std::uint32_t bucket) {
    Sums& into = sums_[target.operand];
    into.sums[target.group] += amount;
    if (!into.buckets.empty()) count_bucket(into.buckets[target.group], amount, bucket);
  }
  static void count_bucket(std::vector<std::int64_t>& buckets, std::int64_t amount,
                           std::uint32_t bucket);
  bool knows(std::uint32_t operand, std::size_t group) const;
  std::int64_t sum(std::uint32_t operand, std::size_t group) const;
  Seen see(std::size_t rule, std::size_t group, std::int64_t now_ms) const;
  static Seen see_ratio(const Rule& rule, double threshold, std::int64_t part, std::int64_t whole);
  Seen see_burn(const Rule& rule, const Reads& reads, std::size_t group) const;
  Seen see_quantile(const Rule& rule, std::uint32_t operand, std::size_t group) const;
  Seen see_anomaly(std::size_t rule, std::size_t group) const;
  void learn(std::size_t rule, std::size_t group, std::int64_t now_ms);
  std::optional<double> point(const Rule& rule, const Reads& reads, std::size_t group,
                              std::int64_t now_ms) const;
  const Rule* rule_named(std::string_view name, bool by_tenant,
                         const std::vector<std::string>& by) const;
  Seen see_value(const Rule& rule, std::uint32_t operand, std::size_t group,
                 std::int64_t now_ms) const;

  std::vector<Rule> rules_;
  std::vector<Reads> reads_;
  std::vector<std::vector<AlertState>> states_;  // by rule and group
  std::vector<Operand> operands_;
  std::vector<Sums> sums_;
  std::vector<Space> spaces_;
  Habits habits_;
  std::vector<std::vector<std::uint32_t>> by_metric_;  // operands that name it
  std::int64_t left_out_ = 0;
  std::uint64_t turns_ = 0;
  std::size_t groups_ = 0;
  std::size_t states_count_ = 0;
  std::size_t states_max_;
};

}  // namespace z0
