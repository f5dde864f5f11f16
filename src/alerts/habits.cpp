#include "z0/alerts/habits.hpp"

#include <algorithm>
#include <utility>

namespace z0 {
namespace {

constexpr std::uint8_t habit_version = 1;
// Zeros of windows that were missed: beyond a fortnight of hours they say nothing new.
constexpr std::int64_t missed_max = 336;

}  // namespace

Habits::Habit* Habits::mine(std::uint32_t rule, std::uint32_t group) {
  const bool known = rule < numbers_.size() && group < numbers_[rule].size();
  const std::uint32_t number = known ? numbers_[rule][group] : 0;
  return number == 0 ? nullptr : all_[number - 1].get();
}

const Habits::Habit* Habits::find(std::uint32_t rule, std::uint32_t group) const {
  return const_cast<Habits*>(this)->mine(rule, group);
}

Habits::Learned Habits::learned(std::uint32_t rule) const {
  Learned found;
  if (rule >= numbers_.size()) return found;
  for (const std::uint32_t number : numbers_[rule]) {
    if (number == 0) continue;
    found.any = true;
    found.settled = found.settled || all_[number - 1]->last.settled;
  }
  return found;
}

void Habits::touch(std::size_t number) {
  const std::size_t chunk = number / per_chunk;
  if (chunk >= changed_.size()) changed_.resize(chunk + 1);
  changed_[chunk] = true;
}

Habits::Habit* Habits::put(std::unique_ptr<Habit> habit) {
  auto place = std::find(all_.begin(), all_.end(), nullptr);
  if (place == all_.end()) {
    if (all_.size() >= most_) return nullptr;
    all_.emplace_back();
    place = all_.end() - 1;
  }
  const auto number = static_cast<std::size_t>(place - all_.begin());
  if (habit->rule >= numbers_.size()) numbers_.resize(std::size_t{habit->rule} + 1);
  auto& of_rule = numbers_[habit->rule];
  if (habit->group >= of_rule.size()) of_rule.resize(std::size_t{habit->group} + 1);
  of_rule[habit->group] = static_cast<std::uint32_t>(number + 1);
  *place = std::move(habit);
  touch(number);
  return place->get();
}

// One that was silent for long goes.
bool Habits::make_room(std::int64_t window_ms, std::int64_t step) {
  if (all_.size() < most_) return true;
  bool made = false;
  for (std::size_t i = 0; i < all_.size() && !made; ++i) {
    Habit* habit = all_[i].get();
    made = habit == nullptr || (step - habit->heard_step) * window_ms > forgotten_ms;
    if (!made || habit == nullptr) continue;
    numbers_[habit->rule][habit->group] = 0;
    all_[i].reset();
    touch(i);
  }
  return made;
}

bool Habits::due(std::uint32_t rule, std::uint32_t group, std::int64_t window_ms,
                 std::int64_t now_ms) {
  const std::int64_t step = now_ms / window_ms - 1;
  Habit* habit = mine(rule, group);
  if (habit != nullptr) {
    // A clock that was set back by more than a day goes on from there.
    if ((habit->step - step) * window_ms > 86'400'000) habit->step = step;
    return step > habit->step;
  }
  auto made = std::make_unique<Habit>();
  made->rule = rule;
  made->group = group;
  made->step = made->heard_step = step;
  if (!make_room(window_ms, step) || put(std::move(made)) == nullptr) ++left_out_;
  return false;
}

void Habits::learn(std::uint32_t rule, std::uint32_t group, std::int64_t window_ms,
                   std::int64_t now_ms, std::optional<double> value, bool steady) {
  Habit* habit = mine(rule, group);
  if (habit == nullptr) return;
  const std::int64_t step = now_ms / window_ms - 1;
  if (steady) {
    for (std::int64_t s = std::max(habit->step + 1, step - missed_max); s < step; ++s)
      static_cast<void>(habit->baseline.add(s * window_ms, 0));
  }
  habit->step = step;
  if (value && *value != 0) habit->heard_step = step;
  habit->last = value ? habit->baseline.add(step * window_ms, *value) : Reading{};
  touch(numbers_[rule][group] - 1);
}

std::size_t Habits::memory_bytes() const {
  const auto held = std::count_if(all_.begin(), all_.end(),
                                  [](const std::unique_ptr<Habit>& one) { return one != nullptr; });
  return static_cast<std::size_t>(held) * sizeof(Habit) + all_.capacity() * sizeof(void*);
}

void Habits::encode(const Habit& habit, ByteWriter& out) {
  out.u8(habit_version);
  out.signed_varint(habit.step);
  out.signed_varint(habit.heard_step);
  z0::encode(habit.last, out);
  std::string baseline;
  habit.baseline.store(baseline);
  out.bytes(baseline);
}

bool Habits::decode(ByteReader& in, Habit& habit) {
  if (in.u8() != habit_version) return false;
  habit.step = in.signed_varint();
  habit.heard_step = in.signed_varint();
  const bool read_last = z0::decode(in, habit.last);
  const std::string_view baseline = in.bytes();
  constexpr std::int64_t step_max = limits::timestamp_ms_max / 10'000;
  const bool sound =
      in.ok() && std::max(std::abs(habit.step), std::abs(habit.heard_step)) <= step_max;
  return sound && read_last && habit.baseline.restore(baseline);
}

}  // namespace z0
