#include "z0/notify/answer.hpp"

#include <set>
#include <sstream>

#include "laws/random.hpp"
#include "unit/catch.hpp"
#include "z0/notify/limits.hpp"

using z0::ChannelType;
using z0::LetterFate;

namespace {

LetterFate delivery_of(const std::string& word) {
  if (word == "delivered") return LetterFate::delivered;
  if (word == "retry") return LetterFate::retry;
  return word == "disable" ? LetterFate::disable : LetterFate::give_up;
}

}  // namespace

TEST_CASE("An answer is delivered, worth another try, or the end, as each receiver means it",
          "[notify]") {
  std::istringstream table(R"(
    status  pagerduty  slack      alertmanager  webhook
    0       retry      retry      retry         retry
    100     retry      retry      retry         retry
    200     delivered  delivered  delivered     delivered
    202     delivered  delivered  delivered     delivered
    204     delivered  delivered  delivered     delivered
    301     give_up    give_up    give_up       retry
    400     give_up    give_up    give_up       retry
    401     give_up    give_up    give_up       retry
    403     give_up    give_up    give_up       retry
    404     give_up    give_up    give_up       retry
    408     retry      retry      retry         retry
    410     give_up    give_up    give_up       disable
    413     give_up    give_up    give_up       retry
    425     retry      retry      retry         retry
    429     retry      retry      retry         retry
    499     give_up    give_up    give_up       retry
    500     retry      retry      retry         retry
    503     retry      retry      retry         retry
    599     retry      retry      retry         retry
    700     retry      retry      retry         retry
  )");
  std::string word;
  for (int i = 0; i < 5; ++i) table >> word;
  int rows = 0;
  for (std::int32_t status = 0; table >> status; ++rows) {
    for (int type = 0; type < static_cast<int>(ChannelType::count_); ++type) {
      table >> word;
      INFO(status << " " << z0::channel_type_name(static_cast<ChannelType>(type)));
      const auto verdict = judge(static_cast<ChannelType>(type), {status, 0}, 3, 12'345);
      CHECK(verdict.delivery == delivery_of(word));
      CHECK(verdict.why.empty() == (verdict.delivery == LetterFate::delivered));
      CHECK((verdict.wait_ms == 0 || verdict.delivery == LetterFate::retry));
    }
  }
  CHECK(rows == 20);
}

TEST_CASE("Pauses double, up to five minutes", "[notify]") {
  const auto longest = [](std::int64_t tries) {
    // The greatest remainder there is.
    const std::int64_t bound =
        std::min<std::int64_t>(1'000 << std::min<std::int64_t>(tries, 20), 300'000);
    return z0::backoff_ms(tries, static_cast<std::uint64_t>(bound));
  };
  CHECK(longest(0) == 1'000);
  CHECK(longest(1) == 2'000);
  CHECK(longest(8) == 256'000);
  CHECK(longest(9) == 300'000);
  CHECK(longest(1'000'000) == 300'000);
  CHECK(z0::backoff_ms(-1, 1'000) == 1'000);
  CHECK(z0::backoff_ms(0, 1'001) == 0);
}

TEST_CASE("Those who failed together come back one by one", "[notify]") {
  z0::laws::Random random(1);
  std::int64_t sum = 0;
  std::set<std::int64_t> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t pause = z0::backoff_ms(20, random.next());
    REQUIRE(pause >= 0);
    REQUIRE(pause <= z0::limits::notify_pause_ms_max);
    sum += pause;
    seen.insert(pause / 30'000);
  }
  CHECK(seen.size() >= 10);  // ten tenths, and perhaps the very end
  CHECK(sum / 10'000 > 145'000);
  CHECK(sum / 10'000 < 155'000);
}

TEST_CASE("What a receiver asks for is waited for, up to an hour, and not by all at once",
          "[notify]") {
  for (const auto type : {ChannelType::pagerduty, ChannelType::slack, ChannelType::alertmanager,
                          ChannelType::webhook}) {
    CHECK(judge(type, {429, 30}, 0, 0).wait_ms == 30'000);
    CHECK(judge(type, {429, 30}, 0, 700).wait_ms == 30'700);
    CHECK(judge(type, {503, 30}, 0, 0).wait_ms == 30'000);
    CHECK(judge(type, {503, 3'600}, 0, 0).wait_ms == 3'600'000);
    CHECK(judge(type, {503, 3'601}, 0, 0).wait_ms == 3'600'000);
    CHECK(judge(type, {503, UINT32_MAX}, 0, 0).wait_ms == 3'600'000);
    CHECK(judge(type, {200, 30}, 0, 700).wait_ms == 0);
  }
}
