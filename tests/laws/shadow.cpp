#include "shadow.hpp"

#include "unit/carried.hpp"
#include "z0/core/words.hpp"

namespace z0::laws {

void Shadow::fail(std::string_view what, std::string_view where) {
  if (broken_.empty())
    broken_ = "rebuilt from rows, " + std::string(what) + ": " + std::string(where);
}

void Shadow::finished(const CallSeen& call) {
  if (!call.kind.of_ledger()) return;
  auto& storage = storages_[call.object];
  if (!storage) storage = std::make_unique<world::Database>();
  const std::string mine = run(call, *storage);
  compare(call, mine);
  if (!call.committed) return;
  storage->begin();
  for (const Write& write : test::carried<Write>(mine)) {
    if (storage->run(write.statement)->rows.failed) fail("a write fails", call.object);
  }
  storage->commit();
}

std::string Shadow::run(const CallSeen& call, world::Database& storage) {
  Frame frame;
  frame.kind = call.kind.is(LedgerMethod::alarm) ? Z0_FRAME_ALARM : Z0_FRAME_CALL;
  frame.target = call.kind.target;
  frame.method = call.kind.method;
  frame.now_ms = call.now_ms;
  frame.incarnation = ++incarnation_;
  frame.entropy = Entropy(call.entropy);
  frame.parts = {call.object, call.request};
  std::string continuation;
  std::vector<std::string> answers;
  asked_ = 0;
  for (;;) {
    const std::string effect_bytes(core_.step(encode_frame(frame)));
    std::vector<Effect> effects;
    REQUIRE(parse_effects(effect_bytes, effects));
    if (effects.empty() || effects[0].phase != Phase::need) return effect_bytes;
    answers.clear();
    for (const Effect& need : effects) {
      if (need.kind != Z0_NEED_RESUME) {
        answers.push_back(answer(need, call, storage));
        continue;
      }
      frame.kind = Z0_FRAME_RESUME;
      continuation = carried_by<ResumeNeed>(need).continuation;
    }
    frame.parts = {continuation};
    frame.answers.assign(answers.begin(), answers.end());
  }
}

std::string Shadow::answer(const Effect& need, const CallSeen& call, world::Database& storage) {
  if (from_outside(need.kind)) {
    if (asked_ < call.answers_from_outside.size()) return call.answers_from_outside[asked_++];
    fail("D1 or the directory is asked", call.object);
    return {};
  }
  std::string bytes;
  append_rows(bytes, storage.run(carried_by<RowsNeed>(need).statement)->rows);
  return bytes;
}

// The alarm apart, which a rebuilt state sets anew because it cannot know that one is set.
void Shadow::compare(const CallSeen& call, std::string_view mine) {
  const auto split = [](std::string_view bytes, std::string& rest) {
    std::vector<Effect> effects;
    REQUIRE(parse_effects(bytes, effects));
    bool alarm = false;
    for (const Effect& effect : effects) {
      if (effect.kind == Z0_ALARM)
        alarm = true;
      else
        rest += std::to_string(effect.kind) + ' ' + std::string(effect.payload) + '\n';
    }
    return alarm;
  };
  std::string first;
  std::string again;
  const bool alarm = split(call.effects, first);
  if (alarm && !split(mine, again)) fail("no alarm is set", call.object);
  if (!alarm) split(mine, again);
  if (first == again) return;
  fail("the effects differ", call.object + "\nremembered:\n" + describe_effects(call.effects) +
                                 "rebuilt:\n" + describe_effects(mine));
}

void Shadow::settle(world::World& world) {
  constexpr std::string_view everything[] = {
      "SELECT * FROM meta", "SELECT * FROM segments ORDER BY first_seq",
      "SELECT * FROM id_runs ORDER BY key", "SELECT * FROM tree_nodes ORDER BY key"};
  for (auto& [object, storage] : storages_) {
    for (const auto sql : everything) {
      std::string first;
      std::string again;
      append_rows(first, world.storage_of(object).run({sql, {}})->rows);
      append_rows(again, storage->run({sql, {}})->rows);
      // The counts of changes in front say how the rows came, not what they are.
      const std::size_t rows_at = 5;
      if (first.substr(rows_at) != again.substr(rows_at)) fail("the rows differ", object);
    }
  }
}

}  // namespace z0::laws
