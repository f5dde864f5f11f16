// Any bytes as a written cached state, and any facts folded into what could be read.
//
// The first byte says which cache; then the state's bytes with their length as a varint in front;
// then facts, each a signed varint of time and a submission with its length.
#include "step_law.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/folds/cached_state.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr CacheType caches[] = {CacheType::budget, CacheType::cap, CacheType::access,
                                CacheType::contact};

void check_state(const CachedState& state, std::int64_t at_ms) {
  for (const CacheType type : caches) {
    const std::string bytes = state.encode(type);
    CachedState again;
    if (!again.decode(type, bytes)) broken("what was written can be read");
    if (!again.same(type, state)) broken("writing and reading change nothing");
    std::string shown;
    JsonWriter json(shown);
    json.object();
    state.write_members(json, type, at_ms);
    json.end();
    if (!is_json(shown)) broken("a state is shown as JSON");
    std::string none;
    JsonWriter no_delta(none);
    state.write_delta(no_delta, type, again, at_ms);
    if (none != "{}") broken("equal states do not differ");
    std::string some;
    JsonWriter delta(some);
    state.write_delta(delta, type, {}, at_ms);
    if (!is_json(some)) broken("a difference is shown as JSON");
  }
  if (state.money_delta(state) != 0) broken("equal states do not differ in money");
}

void check_fold(CachedState& state, const Fact& fact) {
  const CachedState before = state;
  const FoldError told = state.check(fact);
  if (state.apply(fact) != told) broken("check tells what apply does");
  for (const CacheType type : caches) {
    const bool may_change = told == FoldError::none && feeds(fact.type, type);
    if (!may_change && !state.same(type, before)) broken("only what a fact feeds is changed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in({reinterpret_cast<const char*>(data), size});
  const CacheType type = caches[in.u8() % std::size(caches)];
  const std::string_view snapshot = in.short_bytes();
  CachedState state;
  if (state.decode(type, snapshot)) {
    if (state.encode(type) != snapshot) broken("what was read is written alike");
  } else if (!state.same(type, {})) {
    broken("what cannot be read leaves nothing");
  }
  check_state(state, 0);
  std::int64_t seq = state.last_seq(type);
  while (in.ok() && !in.done() && seq < limits::version_max) {
    // A quarter of all times, so that the units that hold them have a beginning.
    const std::int64_t at_ms = in.signed_varint() / 4;
    Fact fact;
    if (!parse_submission(in.short_bytes(), "acct_1", fact)) break;
    if (!valid_id(fact.id)) fact.id = "f_1";
    fact.seq = ++seq;
    fact.recorded_at = at_ms;
    check_fold(state, fact);
    check_state(state, at_ms);
  }
  return 0;
}
