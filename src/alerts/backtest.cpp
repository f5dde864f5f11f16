#include "z0/alerts/backtest.hpp"

#include <algorithm>
#include <utility>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// What encode writes.
constexpr std::uint8_t backtest_version = 2;

std::string key_of_series(Metric metric, std::string_view tenant_id,
                          std::span<const std::string_view> labels) {
  std::string key(1, static_cast<char>(metric));
  ByteWriter out(key);
  out.short_bytes(tenant_id);
  for (const std::string_view label : labels) out.short_bytes(label);
  return key;
}

void write_firing(ByteWriter& out, const Firing& firing) {
  out.varint(firing.rule);
  out.short_bytes(firing.tenant_id);
  out.varint(firing.labels.size());
  for (const std::string& label : firing.labels) out.short_bytes(label);
  for (const std::int64_t at : {firing.active_at_ms, firing.fired_at_ms, firing.resolved_at_ms})
    out.varint(static_cast<std::uint64_t>(at));
  out.f64(firing.value);
  out.short_bytes(firing.why);
  out.short_bytes(firing.cost.currency);
  out.signed_varint(firing.cost.lost);
  out.signed_varint(firing.cost.at_risk_per_hour);
}

std::vector<std::string> read_labels(ByteReader& in) {
  std::vector<std::string> labels(
      static_cast<std::size_t>(std::min<std::uint64_t>(in.varint(), in.left())));
  for (std::string& label : labels) label = in.short_bytes();
  return labels;
}

Firing read_firing(ByteReader& in) {
  Firing firing;
  firing.rule = static_cast<std::uint32_t>(in.varint());
  firing.tenant_id = in.short_bytes();
  firing.labels = read_labels(in);
  for (std::int64_t* at : {&firing.active_at_ms, &firing.fired_at_ms, &firing.resolved_at_ms})
    *at = static_cast<std::int64_t>(in.varint());
  firing.value = in.f64();
  firing.why = in.short_bytes();
  firing.cost.currency = in.short_bytes();
  firing.cost.lost = in.signed_varint();
  firing.cost.at_risk_per_hour = in.signed_varint();
  return firing;
}

}  // namespace

bool asks_of_business(std::span<const Rule> rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const Rule& rule) { return rule.kind == SignalKind::business; });
}

Backtest::Backtest(std::vector<Rule> rules, std::int64_t step_ms, std::size_t firings_max)
    : playback_(std::move(rules), step_ms),
      step_ms_(std::max<std::int64_t>(step_ms, 1)),
      firings_max_(firings_max) {
  warm_up_ms_ = limits::gauge_stale_ms;
  for (const Evaluator::Operand& operand : playback_.evaluator().operands())
    warm_up_ms_ = std::max(warm_up_ms_, operand.window_ms);
  warm_up_ms_ += step_ms_;
  judged_.resize(this->rules().size());
  for (const Rule& rule : this->rules()) {
    const bool learns = rule.kind == SignalKind::anomaly;
    if (learns && std::find(windows_.begin(), windows_.end(), rule.window_ms) == windows_.end())
      windows_.push_back(rule.window_ms);
  }
}

std::int64_t Backtest::learning_ms() const {
  if (!windows_.empty()) return backtest_learning_ms_max;
  return asks_of_business(rules()) ? backtest_business_ms_max : 0;
}

std::int64_t Backtest::learns_from_ms(std::int64_t first_ms, std::int64_t from_ms) const {
  return windows_.empty()
             ? from_ms
             : std::clamp<std::int64_t>(
                   first_ms, std::max<std::int64_t>(from_ms - backtest_learning_ms_max, 0),
                   from_ms);
}

// Whether a window has ended since the step before.
bool Backtest::learns_at(std::int64_t now_ms) const {
  return std::any_of(windows_.begin(), windows_.end(), [this, now_ms](std::int64_t window_ms) {
    return now_ms / window_ms != (now_ms - step_ms_) / window_ms;
  });
}

void Backtest::note_learned(std::int64_t now_ms) {
  for (std::size_t i = 0; i < rules().size(); ++i) {
    JudgedSince& since = judged_[i];
    if (rules()[i].kind != SignalKind::anomaly || since.judged_from_ms != 0) continue;
    const Habits::Learned learned = playback_.evaluator().learned(i);
    if (learned.any && since.learned_from_ms == 0) since.learned_from_ms = now_ms;
    if (learned.settled) since.judged_from_ms = now_ms;
  }
}

std::uint32_t Backtest::series(Metric metric, std::string_view tenant_id,
                               std::span<const std::string_view> labels) {
  std::string key = key_of_series(metric, tenant_id, labels);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second.number;
  Known known{metric, std::string(tenant_id), {labels.begin(), labels.end()}, 0};
  known.number = playback_.series(metric, tenant_id, labels);
  heard_.set(static_cast<std::size_t>(metric));
  return known_.emplace(std::move(key), std::move(known)).first->second.number;
}

std::string Backtest::key_of(std::uint32_t rule, std::string_view tenant_id,
                             std::span<const std::string_view> labels) const {
  std::string key;
  ByteWriter out(key);
  out.varint(rule);
  out.short_bytes(tenant_id);
  for (const std::string_view label : labels) out.short_bytes(label);
  return key;
}

void Backtest::note(const Evaluator::Alert& alert, std::int64_t now_ms, const FiringCost& cost) {
  const AlertState& state = *alert.state;
  const bool fires = state.phase == AlertPhase::firing && state.fired_at_ms == now_ms;
  const bool ends = state.phase == AlertPhase::inactive && state.resolved_at_ms == now_ms;
  const bool goes_on = state.phase == AlertPhase::firing && !cost.currency.empty();
  if (!fires && !ends && !goes_on) return;
  const auto rule = static_cast<std::uint32_t>(alert.rule - rules().data());
  std::string key = key_of(rule, alert.tenant_id, alert.labels);
  if (ends) {
    const auto found = open_.find(key);
    if (found == open_.end()) return;  // there was no room for it
    firings_[found->second].resolved_at_ms = now_ms;
    open_.erase(found);
    return;
  }
  if (!fires) {
    const auto found = open_.find(key);
    if (found != open_.end()) firings_[found->second].cost.lost = cost.lost;
    return;
  }
  if (firings_.size() >= firings_max_) {
    ++left_out_;
    return;
  }
  open_[std::move(key)] = firings_.size();
  firings_.push_back({rule,
                      std::string(alert.tenant_id),
                      {alert.labels.begin(), alert.labels.end()},
                      state.active_at_ms,
                      state.fired_at_ms,
                      0,
                      state.value,
                      alert.words,
                      cost});
}

void Backtest::find_open() {
  open_.clear();
  for (std::size_t i = 0; i < firings_.size(); ++i) {
    const Firing& firing = firings_[i];
    if (firing.resolved_at_ms != 0) continue;
    const std::vector<std::string_view> labels(firing.labels.begin(), firing.labels.end());
    open_[key_of(firing.rule, firing.tenant_id, labels)] = i;
  }
}

void Backtest::leave_out(std::size_t rule, std::string_view why_not) {
  judged_[rule] = {0, 0, std::string(why_not)};
  std::erase_if(firings_, [rule](const Firing& firing) { return firing.rule == rule; });
  find_open();
}

void Backtest::tick(std::int64_t now_ms, std::span<const Playback::Rise> rises) {
  playback_.tick(now_ms, rises);
  if (learns_at(now_ms)) note_learned(now_ms);
  for (const Evaluator::Alert& alert : playback_.evaluator().alerts()) note(alert, now_ms, {});
}

void Backtest::learn(std::int64_t now_ms, std::span<const Playback::Rise> rises) {
  playback_.advance(now_ms, rises);
  playback_.evaluator().learn(now_ms);
  note_learned(now_ms);
}

// What cannot be judged without a measurement has none: a ratio needs its whole.
bool Backtest::has_history(const Rule& rule) const {
  const std::vector<Selector>& needed = rule.to.empty() ? rule.of : rule.to;
  return std::any_of(needed.begin(), needed.end(), [this](const Selector& one) {
    return heard_.test(static_cast<std::size_t>(one.metric));
  });
}

void Backtest::encode(ByteWriter& out) {
  out.u8(backtest_version);
  // As they came, so that groups are in the same order afterwards.
  std::vector<const Known*> in_order(known_.size());
  for (const auto& [key, known] : known_) in_order[known.number] = &known;
  out.varint(in_order.size());
  for (const Known* known : in_order) {
    out.u8(static_cast<std::uint8_t>(known->metric));
    out.short_bytes(known->tenant_id);
    out.varint(known->labels.size());
    for (const std::string& label : known->labels) out.short_bytes(label);
  }
  out.varint(firings_.size());
  for (const Firing& firing : firings_) write_firing(out, firing);
  out.varint(static_cast<std::uint64_t>(left_out_));
  playback_.evaluator().encode_states(out);
  for (const JudgedSince& since : judged_) {
    out.varint(static_cast<std::uint64_t>(since.learned_from_ms));
    out.varint(static_cast<std::uint64_t>(since.judged_from_ms));
    out.short_bytes(since.why_not);
  }
  std::string habits;
  ByteWriter habits_out(habits);
  for (std::size_t i = 0; i < playback_.evaluator().habit_chunks(); ++i)
    playback_.evaluator().encode_habits(i, habits_out);
  out.bytes(habits);
}

bool Backtest::decode(ByteReader& in) {
  if (in.u8() != backtest_version) return false;
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const auto metric = static_cast<Metric>(in.u8());
    const std::string tenant_id(in.short_bytes());
    const std::vector<std::string> labels = read_labels(in);
    if (metric >= Metric::count_ || labels.size() != info(metric).labels.size()) return false;
    const std::vector<std::string_view> views(labels.begin(), labels.end());
    series(metric, tenant_id, views);
  }
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    firings_.push_back(read_firing(in));
    if (firings_.back().rule >= rules().size()) return false;
  }
  find_open();
  left_out_ = static_cast<std::int64_t>(in.varint());
  if (!in.ok() || !playback_.evaluator().decode_states(in)) return false;
  for (JudgedSince& since : judged_) {
    since.learned_from_ms = static_cast<std::int64_t>(in.varint());
    since.judged_from_ms = static_cast<std::int64_t>(in.varint());
    since.why_not = in.short_bytes();
  }
  ByteReader habits(in.bytes());
  return in.ok() && playback_.evaluator().decode_habits(habits);
}

}  // namespace z0
