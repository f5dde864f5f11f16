// Laws of cached states over random facts, against a model that keeps all facts and looks through
// them for every answer.
#include <algorithm>
#include <ctime>
#include <map>
#include <set>
#include <vector>

#include "laws/random.hpp"
#include "unit/catch.hpp"
#include "unit/folds/cached_facts.hpp"
#include "z0/base/limits.hpp"

using namespace z0;
using namespace z0::test;

namespace {

constexpr std::int64_t most = limits::amount_max;

enum class Unit : std::uint8_t { ever, month, week, day, hour };

// The same for two times in the same unit of the calendar, as the C library has it.
std::int64_t calendar(Unit unit, std::int64_t at_ms) {
  const std::time_t seconds = static_cast<std::time_t>(at_ms / 1'000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  const std::int64_t month = utc.tm_year * 100 + utc.tm_mon;
  if (unit == Unit::ever) return 0;
  if (unit == Unit::month) return month;
  // Its Monday, as a day since 1970.
  if (unit == Unit::week) return seconds / 86'400 - (utc.tm_wday + 6) % 7;
  return (month * 100 + utc.tm_mday) * 100 + (unit == Unit::hour ? utc.tm_hour : 0);
}

bool in_range(std::int64_t sum) { return sum >= -most && sum <= most; }

class Model {
 public:
  // Takes the fact unless a law of sums or of limits forbids it.
  FoldError take(const OwnedFact& f) {
    facts_.push_back(f);
    const FoldError error = judge(f);
    if (error != FoldError::none) facts_.pop_back();
    return error;
  }

  std::string json(CacheType type, std::int64_t at_ms) const {
    std::string body;
    if (type == CacheType::budget) body = budget(at_ms);
    if (type == CacheType::cap) body = cap(at_ms);
    if (type == CacheType::access) body = access_list();
    if (type == CacheType::contact) body = contact();
    std::int64_t seq = 0;
    for (const auto& f : facts_) {
      if (feeds(f.type, type) && (type != CacheType::budget || f.has_amount)) seq = f.seq;
    }
    return '{' + body + ",\"last_seq\":" + std::to_string(seq) +
           ",\"last_fact_id\":" + (seq == 0 ? "null" : "\"f_" + std::to_string(seq) + '"') + '}';
  }

  // What charges and corrections of a currency come to, in the unit of a time.
  std::int64_t spent(const std::string& currency, Unit unit, std::int64_t at_ms) const {
    std::int64_t sum = 0;
    for (const auto& f : facts_) {
      const bool spends = f.type == FactType::charge || f.type == FactType::correction;
      if (spends && f.has_amount && f.currency == currency &&
          calendar(unit, f.recorded_at) == calendar(unit, at_ms)) {
        sum += f.amount;
      }
    }
    return sum;
  }

 private:
  std::int64_t sum(FactType type, const std::string& currency) const {
    std::int64_t total = 0;
    for (const auto& f : facts_) total += f.type == type && f.currency == currency ? f.amount : 0;
    return total;
  }

  std::set<std::string> currencies() const {
    std::set<std::string> all;
    for (const auto& f : facts_) {
      if (feeds(f.type, CacheType::budget) && f.has_amount) all.insert(f.currency);
    }
    return all;
  }

  std::map<std::string, std::pair<std::string, std::int64_t>> users() const {
    std::map<std::string, std::pair<std::string, std::int64_t>> all;
    for (const auto& f : facts_) {
      if (f.type == FactType::access_revoked) all.erase(f.user_id);
      if (f.type == FactType::access_granted || f.type == FactType::access_modified)
        all[f.user_id] = {f.data.empty() ? "" : f.data.substr(9, f.data.size() - 11), f.seq};
    }
    return all;
  }

  FoldError judge(const OwnedFact& f) const {
    if (currencies().size() > limits::currencies_per_ledger_max ||
        users().size() > limits::access_users_max) {
      return FoldError::full;
    }
    if (!feeds(f.type, CacheType::budget) || !f.has_amount) return FoldError::none;
    const std::int64_t in = sum(FactType::deposit, f.currency);
    const std::int64_t credits = sum(FactType::credit_issued, f.currency);
    const std::int64_t out = spent(f.currency, Unit::ever, 0);
    bool fits = in_range(in) && in_range(credits) && in_range(out) && in_range(in + credits - out);
    for (const auto unit : {Unit::day, Unit::week, Unit::month})
      fits = fits && in_range(spent(f.currency, unit, f.recorded_at));
    return fits ? FoldError::none : FoldError::overflow;
  }

  std::string one_currency(const std::string& currency, std::int64_t at_ms) const {
    const std::int64_t in = sum(FactType::deposit, currency);
    const std::int64_t credits = sum(FactType::credit_issued, currency);
    const std::int64_t out = spent(currency, Unit::ever, 0);
    std::string json = "\"currency\":\"" + currency + "\",\"deposited\":" + std::to_string(in) +
                       ",\"credits\":" + std::to_string(credits) +
                       ",\"spent\":" + std::to_string(out) +
                       ",\"remaining\":" + std::to_string(in + credits - out);
    json += ",\"day_spent\":" + std::to_string(spent(currency, Unit::day, at_ms));
    json += ",\"week_spent\":" + std::to_string(spent(currency, Unit::week, at_ms));
    return json + ",\"month_spent\":" + std::to_string(spent(currency, Unit::month, at_ms));
  }

  std::string budget(std::int64_t at_ms) const {
    auto all = currencies();
    const std::string first = all.empty() || all.count("USD") > 0 ? "USD" : *all.begin();
    all.erase(first);
    std::string others;
    for (const auto& currency : all)
      others += (others.empty() ? "{" : ",{") + one_currency(currency, at_ms) + '}';
    return one_currency(first, at_ms) + ",\"currencies\":[" + others + ']';
  }

  std::string cap(std::int64_t at_ms) const {
    std::string json;
    for (const auto& [name, unit] :
         std::vector<std::pair<std::string, Unit>>{{"total", Unit::ever},
                                                   {"hour", Unit::hour},
                                                   {"day", Unit::day},
                                                   {"month", Unit::month}}) {
      const auto count = std::count_if(facts_.begin(), facts_.end(), [&, u = unit](auto& fact) {
        return fact.type == FactType::invocation &&
               calendar(u, fact.recorded_at) == calendar(u, at_ms);
      });
      json += (json.empty() ? "\"" : ",\"") + name + "\":" + std::to_string(count);
    }
    return json;
  }

  std::string access_list() const {
    std::string json;
    for (const auto& [user_id, held] : users()) {
      json += (json.empty() ? "" : ",") + ("{\"user_id\":\"" + user_id) + "\",\"role\":\"" +
              held.first + "\",\"since_seq\":" + std::to_string(held.second) + '}';
    }
    return "\"users\":[" + json + ']';
  }

  std::string contact() const {
    std::string id = "null";
    for (const auto& f : facts_) {
      if (f.type == FactType::contact_merged && !f.data.empty())
        id = f.data.substr(14, f.data.size() - 15);
    }
    return "\"contact_id\":" + id;
  }

  std::vector<OwnedFact> facts_;
};

// A story of one ledger: times ascend, from an hour's steps to a month's.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed), step_ms_(3'600'000 << random_.below(8)) {
    at_ms_ = random_.between(0, 2'000'000'000'000);
  }

  OwnedFact next() {
    using enum FactType;
    constexpr FactType types[] = {
        deposit,    credit_issued, charge,         charge,          charge,         correction,
        invocation, invocation,    access_granted, access_modified, access_revoked, contact_merged,
        outcome,    cost};
    at_ms_ += random_.between(0, step_ms_);
    OwnedFact f = fact_at(++seq_, random_.pick(types));
    f.recorded_at = at_ms_;
    f.has_amount = random_.percent(90);
    if (f.has_amount) {
      const bool huge = random_.percent(20);
      f.amount = random_.between(f.type == correction ? -most : 0, most) / (huge ? 1 : most >> 20);
      f.currency = random_.percent(70) ? "USD" : std::string("AA") + letter();
    }
    if (feeds(f.type, CacheType::access)) {
      f.user_id = std::string("usr_") + letter();
      if (random_.percent(50)) f.data = std::string("{\"role\":\"") + letter() + "\"}";
    }
    if (f.type == contact_merged && random_.percent(80))
      f.data = std::string("{\"contact_id\":\"con_") + letter() + "\"}";
    return f;
  }

  std::int64_t at_ms() const { return at_ms_; }
  laws::Random& random() { return random_; }

 private:
  char letter() { return static_cast<char>('A' + random_.below(26)); }
  laws::Random random_;
  std::int64_t step_ms_;
  std::int64_t at_ms_ = 0;
  std::int64_t seq_ = 0;
};

CachedState random_state(std::uint64_t seed, std::size_t facts) {
  Story story(seed);
  CachedState state;
  for (std::size_t i = 0; i < facts; ++i) (void)state.apply(story.next().fact());
  return state;
}

}  // namespace

TEST_CASE("A fold says what looking through all facts says", "[cached_state]") {
  int wrong = 0;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 60 && wrong == 0; ++seed) {
    INFO("seed " << seed);
    Story story(seed);
    CachedState state;
    Model model;
    for (int i = 0; i < 120; ++i) {
      const OwnedFact f = story.next();
      const FoldError expected = model.take(f);
      wrong += state.check(f.fact()) == expected ? 0 : 1;
      wrong += state.apply(f.fact()) == expected ? 0 : 1;
      refused += expected == FoldError::none ? 0 : 1;
      if (i % 10 != 9) continue;
      const std::int64_t at_ms = story.at_ms() + story.random().between(0, 90'000'000);
      for (const CacheType type : all_caches)
        wrong += shown(state, type, at_ms) == model.json(type, at_ms) ? 0 : 1;
      wrong +=
          state.spent("USD", Period::week, at_ms) == model.spent("USD", Unit::week, at_ms) ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
  CHECK(refused > 100);
}

TEST_CASE("A fold may stop after any fact, be written down and go on", "[cached_state]") {
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    INFO("seed " << seed);
    Story story(seed);
    CachedState whole;
    CachedState parts;
    for (int i = 0; i < 150; ++i) {
      const OwnedFact f = story.next();
      REQUIRE(whole.apply(f.fact()) == parts.apply(f.fact()));
      if (!story.random().percent(20)) continue;
      CachedState next;
      for (const CacheType type : all_caches) REQUIRE(next.decode(type, parts.encode(type)));
      parts = next;
    }
    CHECK(equal(whole, parts));
  }
}

TEST_CASE("Every change of one byte is refused or is another state's encoding", "[cached_state]") {
  std::size_t taken = 0;
  std::size_t refused = 0;
  std::size_t wrong = 0;
  for (std::uint64_t seed = 200; seed < 204; ++seed) {
    const CachedState state = random_state(seed, 40);
    for (const CacheType type : all_caches) {
      const std::string bytes = state.encode(type);
      for (std::size_t i = 0; i < bytes.size() * 256; ++i) {
        std::string changed = bytes;
        changed[i / 256] = static_cast<char>(i % 256);
        CachedState other;
        if (other.decode(type, changed)) {
          ++taken;
          wrong += other.encode(type) == changed ? 0 : 1;
          wrong += other.same(type, state) == (changed == bytes) ? 0 : 1;
        } else {
          ++refused;
          wrong += other.same(type, {}) && other.encode(type) == CachedState().encode(type) ? 0 : 1;
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(taken > 1'000);
  CHECK(refused > 1'000);
}

TEST_CASE("Encodings that are cut, go on or break an order are refused", "[cached_state]") {
  const CachedState state = random_state(300, 60);
  for (const CacheType type : all_caches) {
    const std::string bytes = state.encode(type);
    CachedState other;
    for (std::size_t n = 0; n < bytes.size(); ++n)
      CHECK_FALSE(other.decode(type, bytes.substr(0, n)));
    CHECK_FALSE(other.decode(type, bytes + '\0'));
    CHECK(CachedState().encode(type) == std::string("\x01\0", 2));
    CHECK(other.decode(type, std::string("\x01\0", 2)));
  }
  struct Row {
    CacheType type;
    std::string_view why;
    std::string fold;
    bool valid;
  };
  using namespace std::string_literals;
  const std::string usd = "USD\0\0\0\0\0\0\0"s;
  const std::string eur = "EUR\0\0\0\0\0\0\0"s;
  const Row rows[] = {
      {CacheType::budget, "two in order", "\2"s + eur + usd, true},
      {CacheType::budget, "out of order", "\2"s + usd + eur, false},
      {CacheType::budget, "twice the same", "\2"s + eur + eur, false},
      {CacheType::budget, "none", "\0"s, false},
      {CacheType::budget, "no currency", "\1usd\0\0\0\0\0\0\0"s, false},
      {CacheType::budget, "a long zero", "\1USD\x80\0\0\0\0\0\0\0"s, false},
      {CacheType::budget, "the greatest sum", "\1USD\xfe\xff\xff\xff\xff\xff\xff\x1f\0\0\0\0\0\0"s,
       true},
      {CacheType::budget, "one more", "\1USD\x80\x80\x80\x80\x80\x80\x80\x20\0\0\0\0\0\0"s, false},
      {CacheType::budget, "remaining beyond it",
       "\1USD\xfe\xff\xff\xff\xff\xff\xff\x1f\2\0\0\0\0\0"s, false},
      {CacheType::cap, "one invocation", "\1\0\1\1\1"s, true},
      {CacheType::cap, "no invocation", "\0\0\0\0\0"s, false},
      {CacheType::cap, "an hour above its day", "\2\0\2\1\2"s, false},
      {CacheType::cap, "a month above the total", "\1\0\1\1\2"s, false},
      {CacheType::cap, "an hour beyond time", "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\1\1"s,
       false},
      {CacheType::access, "nobody", "\0"s, true},
      {CacheType::access, "two in order", "\2\1a\0\1\1b\1r\3"s, true},
      {CacheType::access, "out of order", "\2\1b\0\1\1a\0\1"s, false},
      {CacheType::access, "twice the same", "\2\1a\0\1\1a\0\1"s, false},
      {CacheType::access, "since a later fact", "\1\1a\0\4"s, false},
      {CacheType::access, "since no fact", "\1\1a\0\0"s, false},
      {CacheType::access, "no user id", "\1\1 \0\1"s, false},
      {CacheType::access, "a role that is no text", "\1\1a\1\xff\1"s, false},
      {CacheType::contact, "a contact", "\1c"s, true},
      {CacheType::contact, "none yet", "\0"s, true},
      {CacheType::contact, "no id", "\1 "s, false},
  };
  for (const Row& row : rows) {
    INFO(cache_name(row.type) << ": " << row.why);
    CachedState other;
    CHECK(other.decode(row.type, "\1\3\1f"s + row.fold) == row.valid);
    CHECK_FALSE(other.decode(row.type, "\2\3\1f"s + row.fold));  // another version
    CHECK_FALSE(other.decode(row.type, "\1\3\1 "s + row.fold));  // no fact id
    CHECK_FALSE(other.decode(row.type, "\1\0"s + row.fold));     // something of no fact
  }
}
