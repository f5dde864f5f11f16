// Rules, operands, groups, and the states of their alerts.
#include "z0/alerts/evaluator.hpp"

#include <algorithm>
#include <utility>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t states_version = 1;

// A group's name: the values in the order of `by`, the tenant first, each with its size in front.
void append_part(std::string& key, std::string_view value) {
  ByteWriter(key).short_bytes(value.substr(0, limits::id_bytes_max));
}

void write(ByteWriter& out, const AlertState& state) {
  out.u8(static_cast<std::uint8_t>(state.phase));
  for (const std::int64_t at : {state.active_at_ms, state.fired_at_ms, state.resolved_at_ms,
                                state.quiet_since_ms, state.sent_at_ms})
    out.varint(static_cast<std::uint64_t>(at));
  out.f64(state.value);
}

bool read(ByteReader& in, AlertState& state) {
  const std::uint8_t phase = in.u8();
  for (std::int64_t* at : {&state.active_at_ms, &state.fired_at_ms, &state.resolved_at_ms,
                           &state.quiet_since_ms, &state.sent_at_ms})
    *at = static_cast<std::int64_t>(in.varint());
  state.value = in.f64();
  state.phase = static_cast<AlertPhase>(phase);
  return in.ok() && phase <= static_cast<std::uint8_t>(AlertPhase::firing);
}

bool asks_for(const Rule& rule, SignalKind kind, Aspect aspect) {
  return rule.kind == kind || (rule.kind == SignalKind::anomaly && rule.aspect == aspect);
}

// A rule as rows name it: by its name and what it tells series apart by, as in Prometheus.
void write_name(ByteWriter& out, const Rule& rule) {
  out.short_bytes(rule.name);
  out.u8(rule.by_tenant ? 1 : 0);
  out.varint(rule.by.size());
  for (const std::string& name : rule.by) out.short_bytes(name);
}

std::vector<std::string> read_by_labels(ByteReader& in) {
  std::vector<std::string> by(
      static_cast<std::size_t>(std::min<std::uint64_t>(in.varint(), in.left())));
  for (std::string& label : by) label = in.short_bytes();
  return by;
}

}  // namespace

Evaluator::Evaluator(std::vector<Rule> rules, std::size_t states_max)
    : rules_(std::move(rules)), states_max_(states_max) {
  by_metric_.resize(static_cast<std::size_t>(Metric::count_));
  states_.resize(rules_.size());
  for (const Rule& rule : rules_) {
    Reads& reads = reads_.emplace_back();
    reads.space = space_of(rule);
    if (rule.of.empty()) continue;
    reads.of = operand_of(rule, rule.of, rule.window_ms, reads.space);
    if (!rule.to.empty()) reads.to = operand_of(rule, rule.to, rule.window_ms, reads.space);
    if (rule.kind != SignalKind::burn) continue;
    reads.long_of = operand_of(rule, rule.of, rule.long_window_ms, reads.space);
    reads.long_to = operand_of(rule, rule.to, rule.long_window_ms, reads.space);
  }
}

std::uint32_t Evaluator::space_of(const Rule& rule) {
  const auto same = [&rule](const Space& space) {
    return space.by_tenant == rule.by_tenant && space.by == rule.by;
  };
  const auto found = std::find_if(spaces_.begin(), spaces_.end(), same);
  if (found != spaces_.end()) return static_cast<std::uint32_t>(found - spaces_.begin());
  Space& made = spaces_.emplace_back();
  made.by_tenant = rule.by_tenant;
  made.by = rule.by;
  return static_cast<std::uint32_t>(spaces_.size() - 1);
}

std::uint32_t Evaluator::operand_of(const Rule& rule, const std::vector<Selector>& of,
                                    std::int64_t window_ms, std::uint32_t space) {
  const bool by_bucket = asks_for(rule, SignalKind::quantile, Aspect::quantile);
  const bool is_gauge = asks_for(rule, SignalKind::value, Aspect::value);
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    const Operand& one = operands_[i];
    if (one.of == of && one.window_ms == window_ms && one.space == space &&
        one.by_bucket == by_bucket && one.is_gauge == is_gauge)
      return static_cast<std::uint32_t>(i);
  }
  const auto number = static_cast<std::uint32_t>(operands_.size());
  operands_.push_back({of, window_ms, space, by_bucket, is_gauge});
  sums_.emplace_back();
  for (const Selector& selector : of) {
    auto& naming = by_metric_[static_cast<std::size_t>(selector.metric)];
    if (naming.empty() || naming.back() != number) naming.push_back(number);
  }
  return number;
}

std::uint32_t Evaluator::group_of(std::uint32_t space, std::string_view key) {
  Space& in = spaces_[space];
  const auto found = in.numbers.find(key);
  if (found != in.numbers.end()) return found->second;
  const auto states = static_cast<std::size_t>(std::count_if(
      reads_.begin(), reads_.end(), [space](const Reads& one) { return one.space == space; }));
  if (groups_ >= limits::alert_groups_max || states > states_max_ - states_count_) {
    ++left_out_;
    return none;
  }
  ++groups_;
  states_count_ += states;
  const auto number = static_cast<std::uint32_t>(in.keys.size());
  in.keys.emplace_back(key);
  in.numbers.emplace(key, number);
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (reads_[i].space == space) states_[i].resize(in.keys.size());
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    if (operands_[i].space != space) continue;
    Sums& sums = sums_[i];
    sums.known.resize(in.keys.size());
    sums.sums.resize(in.keys.size());
    if (operands_[i].by_bucket) sums.buckets.resize(in.keys.size());
    if (!operands_[i].is_gauge) continue;
    sums.values.resize(in.keys.size());
    sums.heard_ms.resize(in.keys.size());
  }
  return number;
}

void Evaluator::targets(Metric metric, std::string_view tenant_id,
                        std::span<const std::string_view> labels, std::vector<Target>& out) {
  const auto names = info(metric).labels;
  for (const std::uint32_t operand : by_metric_[static_cast<std::size_t>(metric)]) {
    const Operand& asked = operands_[operand];
    for (const Selector& selector : asked.of) {
      if (selector.metric != metric || !selects(selector, labels)) continue;
      const Space& space = spaces_[asked.space];
      std::string key;
      if (space.by_tenant) append_part(key, tenant_id);
      for (const std::string& name : space.by) {
        const auto at =
            static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        append_part(key, at < labels.size() ? labels[at] : std::string_view{});
      }
      const std::uint32_t group = group_of(asked.space, key);
      if (group == none) continue;
      sums_[operand].known[group] = 1;
      out.push_back({operand, group});
    }
  }
}

void Evaluator::count_bucket(std::vector<std::int64_t>& buckets, std::int64_t amount,
                             std::uint32_t bucket) {
  if (buckets.size() <= bucket) buckets.resize(bucket + 1);
  buckets[bucket] += amount;
}

void Evaluator::set_gauge(Target target, double value, std::int64_t heard_ms) {
  Sums& into = sums_[target.operand];
  into.values[target.group] = value;
  into.heard_ms[target.group] = heard_ms;
}

void Evaluator::clear_sums() {
  clear_gauges();
  for (Sums& one : sums_) {
    std::fill(one.known.begin(), one.known.end(), 0);
    std::fill(one.sums.begin(), one.sums.end(), 0);
    for (auto& buckets : one.buckets) buckets.clear();
  }
}

void Evaluator::clear_gauges() {
  for (Sums& one : sums_) std::fill(one.heard_ms.begin(), one.heard_ms.end(), 0);
}

bool Evaluator::at_rest() const {
  return std::all_of(states_.begin(), states_.end(), [](const std::vector<AlertState>& states) {
    return std::all_of(states.begin(), states.end(),
                       [](const AlertState& state) { return state.idle(); });
  });
}

std::vector<Evaluator::Alert> Evaluator::alerts() {
  std::vector<Alert> found;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Space& space = spaces_[reads_[i].space];
    for (std::size_t group = 0; group < states_[i].size(); ++group) {
      if (states_[i][group].idle()) continue;
      Alert& alert = found.emplace_back();
      const Habits::Habit* habit =
          habits_.find(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(group));
      if (habit != nullptr) alert.words = words_of(habit->last);
      alert.rule = &rules_[i];
      alert.state = &states_[i][group];
      ByteReader key(space.keys[group]);
      if (space.by_tenant) alert.tenant_id = key.short_bytes();
      for (std::size_t k = 0; k < space.by.size(); ++k) alert.labels.push_back(key.short_bytes());
    }
  }
  return found;
}

void Evaluator::encode_states(ByteWriter& out) const {
  out.u8(states_version);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto awake = std::count_if(states_[i].begin(), states_[i].end(),
                                     [](const AlertState& state) { return !state.idle(); });
    if (awake == 0) continue;
    const Space& space = spaces_[reads_[i].space];
    write_name(out, rules_[i]);
    out.varint(static_cast<std::uint64_t>(awake));
    for (std::size_t group = 0; group < states_[i].size(); ++group) {
      if (states_[i][group].idle()) continue;
      out.short_bytes(space.keys[group]);
      write(out, states_[i][group]);
    }
  }
  out.short_bytes({});
}

const Rule* Evaluator::rule_named(std::string_view name, bool by_tenant,
                                  const std::vector<std::string>& by) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& one) {
    return one.name == name && one.by_tenant == by_tenant && one.by == by;
  });
  return found == rules_.end() ? nullptr : &*found;
}

bool Evaluator::decode_states(ByteReader& in) {
  if (in.u8() != states_version) return false;
  while (in.ok()) {
    const std::string_view name = in.short_bytes();
    if (name.empty()) return in.ok();
    const bool by_tenant = in.u8() != 0;
    const Rule* rule = rule_named(name, by_tenant, read_by_labels(in));
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      const std::string_view key = in.short_bytes();
      AlertState state;
      if (!read(in, state)) return false;
      if (rule == nullptr) continue;
      const auto i = static_cast<std::size_t>(rule - rules_.data());
      const std::uint32_t group = group_of(reads_[i].space, key);
      if (group != none) states_[i][group] = state;
    }
  }
  return false;
}

std::size_t Evaluator::states() const {
  std::size_t count = 0;
  for (const auto& states : states_) count += states.size();
  return count;
}

void Evaluator::encode_habits(std::size_t chunk, ByteWriter& out) {
  for (std::size_t i = 0; i < Habits::per_chunk; ++i) {
    const Habits::Habit* habit = habits_.at(chunk * Habits::per_chunk + i);
    if (habit == nullptr) continue;
    write_name(out, rules_[habit->rule]);
    out.short_bytes(spaces_[reads_[habit->rule].space].keys[habit->group]);
    Habits::encode(*habit, out);
  }
  habits_.saved(chunk);
}

bool Evaluator::decode_habits(ByteReader& in) {
  while (in.ok() && !in.done()) {
    const std::string_view name = in.short_bytes();
    const bool by_tenant = in.u8() != 0;
    const Rule* rule = rule_named(name, by_tenant, read_by_labels(in));
    const std::string_view key = in.short_bytes();
    auto habit = std::make_unique<Habits::Habit>();
    if (!Habits::decode(in, *habit)) return false;
    if (rule == nullptr || rule->kind != SignalKind::anomaly) continue;
    const auto i = static_cast<std::size_t>(rule - rules_.data());
    const std::uint32_t group = group_of(reads_[i].space, key);
    if (group == none) continue;
    habit->rule = static_cast<std::uint32_t>(i);
    habit->group = group;
    static_cast<void>(habits_.put(std::move(habit)));
  }
  return in.ok();
}

std::size_t Evaluator::memory_bytes() const {
  constexpr std::size_t group_bytes = 120;
  constexpr std::size_t vector_bytes = sizeof(std::vector<std::int64_t>);
  std::size_t bytes = groups_ * group_bytes + habits_.memory_bytes();
  for (const auto& states : states_) bytes += states.capacity() * sizeof(AlertState);
  for (const Sums& one : sums_) {
    bytes += (one.sums.capacity() + one.values.capacity() + one.heard_ms.capacity()) * 8;
    for (const auto& buckets : one.buckets) bytes += buckets.capacity() * 8 + vector_bytes;
  }
  return bytes;
}

}  // namespace z0
