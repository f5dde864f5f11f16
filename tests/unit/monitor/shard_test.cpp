// A shard of the monitor: windows, merging, the guard, what comes late, twice or never, and its rows.
#include "z0/monitor/shard.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/monitor/flushes.hpp"
#include "z0/alerts/rule_book.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/reply.hpp"
#include "z0/metrics/histogram.hpp"

namespace {

using z0::Metric;
using z0::SeriesReply;
using z0::SeriesRequest;
using z0::Shard;
using z0::test::Isolate;
using z0::test::point;

constexpr std::int64_t start = 1'774'915'200'000;
constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t day = 24 * hour;

void take(Shard& shard, const std::string& flush, std::int64_t now_ms) {
  REQUIRE(shard.take(flush, now_ms));
}

// So many charges of a tenant, told by an isolate.
std::string charges(Isolate& isolate, std::int64_t count, const char* tenant = "north") {
  return isolate.flush(
      {point(Metric::facts_written, tenant, {"charge", "", ""}, static_cast<double>(count))},
      count);
}

SeriesReply ask(const Shard& shard, Metric metric, std::int64_t window_ms, std::int64_t now_ms,
                std::int64_t by = 0, std::string_view tenant = {}, std::int64_t step_ms = 0) {
  SeriesRequest request;
  request.metric = static_cast<std::int64_t>(metric);
  request.window_ms = window_ms;
  request.by = by;
  request.step_ms = step_ms;
  request.tenant_id = tenant;
  request.all_tenants = tenant.empty();
  return shard.answer(request, now_ms);
}

std::int64_t sum(const SeriesReply& reply) {
  std::int64_t all = 0;
  for (const auto& group : reply.groups) {
    for (const auto& amount : group.amounts) all += amount.amount;
  }
  return all;
}

std::int64_t written(const Shard& shard, std::int64_t window_ms, std::int64_t now_ms) {
  return sum(ask(shard, Metric::facts_written, window_ms, now_ms));
}

}  // namespace

TEST_CASE("A window holds whole slots, of ten seconds for an hour and of five minutes for two days",
          "[shard]") {
  Shard shard;
  Isolate isolate;
  take(shard, charges(isolate, 1), start);
  take(shard, charges(isolate, 10), start + 9'999);
  take(shard, charges(isolate, 100), start + 10'000);
  CHECK(written(shard, 10'000, start + 10'000) == 100);
  CHECK(written(shard, 20'000, start + 10'000) == 111);
  CHECK(written(shard, hour, start + hour - 1) == 111);
  CHECK(written(shard, hour, start + hour) == 100);
  CHECK(written(shard, hour, start + hour + 10'000) == 0);
  CHECK(written(shard, 2 * day, start + 2 * day - 1) == 111);
  CHECK(written(shard, 2 * day, start + 2 * day) == 0);
  // The same slots an hour and two days later hold what came then.
  take(shard, charges(isolate, 1'000), start + 2 * day);
  CHECK(written(shard, hour, start + 2 * day) == 1'000);
  CHECK(written(shard, 2 * day, start + 2 * day) == 1'000);
  // Totals know no window.
  SeriesRequest totals;
  totals.totals = totals.all_tenants = true;
  const SeriesReply all = shard.answer(totals, start + 2 * day);
  REQUIRE(all.groups.size() == 1);
  CHECK(all.groups[0].amounts[0].amount == 1'111);
  CHECK(all.since_ms == start);
}

TEST_CASE("Groups are by what was asked, and steps begin where the window does", "[shard]") {
  Shard shard;
  Isolate isolate;
  const auto tell = [&](const char* tenant, const char* type, const char* asset, int n,
                        std::int64_t at) {
    take(shard, isolate.flush({point(Metric::facts_written, tenant, {type, "", asset}, n)}, n), at);
  };
  tell("north", "charge", "ast_1", 1, start);
  tell("north", "charge", "ast_2", 2, start + 60'000);
  tell("north", "deposit", "", 4, start + 60'000);
  tell("south", "charge", "ast_1", 8, start + 60'000);
  const auto groups = [&](std::int64_t by, std::string_view tenant = {}) {
    std::string text;
    for (const auto& g :
         ask(shard, Metric::facts_written, hour, start + 60'000, by, tenant).groups) {
      text += std::string(g.tenant_id) + ',' + std::string(g.labels[0]) + ',' +
              std::string(g.labels[2]) + '=' + std::to_string(g.amounts.at(0).amount) + ' ';
    }
    return text;
  };
  CHECK(groups(0) == ",,=15 ");
  CHECK(groups(1) == "north,,=7 south,,=8 ");
  CHECK(groups(2) == ",charge,=11 ,deposit,=4 ");
  CHECK(groups(1 | 2 | 8) ==
        "north,charge,ast_1=1 north,charge,ast_2=2 north,deposit,=4 "
        "south,charge,ast_1=8 ");
  CHECK(groups(1, "south") == "south,,=8 ");
  CHECK(groups(1, "nobody").empty());
  const SeriesReply steps =
      ask(shard, Metric::facts_written, 120'000, start + 60'000, 0, {}, 60'000);
  REQUIRE(steps.groups.at(0).amounts.size() == 2);
  for (const auto& amount : steps.groups[0].amounts)
    CHECK((amount.at_ms - steps.from_ms) % 60'000 == 0);
}

TEST_CASE("A histogram's buckets are counted as they were told, and merge exactly", "[shard]") {
  Shard shard;
  Isolate one;
  Isolate two;
  two.stream = 2;
  for (const std::int64_t value : {3, 3, 53, 5'001}) {
    const auto bound = static_cast<double>(z0::Histogram::bound_of(value));
    Isolate& isolate = value < 40 ? one : two;
    take(shard,
         isolate.flush({point(Metric::cache_read_duration, "north", {"BudgetState"}, 2, bound)}, 2),
         start);
  }
  const SeriesReply reply = ask(shard, Metric::cache_read_duration, hour, start);
  REQUIRE(reply.groups.size() == 1);
  std::vector<std::pair<std::int64_t, std::int64_t>> buckets;
  for (const auto& amount : reply.groups[0].amounts)
    buckets.emplace_back(z0::Histogram::bound(static_cast<std::size_t>(amount.bucket)),
                         amount.amount);
  CHECK(buckets == std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 4}, {55, 2}, {5'250, 2}});
}

TEST_CASE("A flush that comes twice, late or in another order counts once", "[shard]") {
  Shard shard;
  Isolate isolate;
  std::vector<std::string> flushes;
  for (int i = 0; i < 6; ++i) flushes.push_back(charges(isolate, 1 << i));
  for (const int i : {0, 3, 3, 1, 0, 5, 5, 2, 4, 1})
    take(shard, flushes[static_cast<std::size_t>(i)], start);
  CHECK(written(shard, hour, start) == 63);
  CHECK(ask(shard, Metric::facts_written, hour, start).missing == 0);
  CHECK(ask(shard, Metric::facts_written, hour, start).told == 63);
}

TEST_CASE("What never arrived is said, as soon as a later flush does", "[shard]") {
  Shard shard;
  Isolate isolate;
  const std::string first = charges(isolate, 5);
  const std::string second = charges(isolate, 7);
  take(shard, charges(isolate, 1), start);
  CHECK(ask(shard, Metric::facts_written, hour, start).missing == 12);
  take(shard, second, start);
  CHECK(ask(shard, Metric::facts_written, hour, start).missing == 5);
  take(shard, first, start);
  CHECK(ask(shard, Metric::facts_written, hour, start).missing == 0);
  CHECK(written(shard, hour, start) == 13);
  // One that comes after 64 others is not told from one that came before: it stays missing.
  const std::string late = charges(isolate, 3);
  for (int i = 0; i < 64; ++i) take(shard, charges(isolate, 1), start);
  take(shard, late, start);
  CHECK(written(shard, hour, start) == 13 + 64);
  CHECK(ask(shard, Metric::facts_written, hour, start).missing == 3);
}

TEST_CASE("Isolates that are forgotten are not counted again", "[shard]") {
  Shard shard;
  std::vector<Isolate> isolates;
  for (std::size_t i = 0; i < z0::limits::monitor_streams_max + 3; ++i) {
    Isolate isolate;
    isolate.stream = i + 1;
    isolate.began_ms = static_cast<std::int64_t>(i + 1);
    isolates.push_back(isolate);
  }
  const Isolate untold = isolates[0];
  std::int64_t now = start;
  for (Isolate& isolate : isolates) take(shard, charges(isolate, 1), now++);
  const auto told = static_cast<std::int64_t>(isolates.size());
  CHECK(written(shard, hour, now) == told);
  // Three had to make room. What they tell again may have been counted, and is not counted twice.
  Isolate again = untold;
  take(shard, charges(again, 1), now);
  CHECK(written(shard, hour, now) == told);
  const SeriesReply reply = ask(shard, Metric::facts_written, 2 * hour, now);
  CHECK(reply.missing == 1);
}

TEST_CASE("A flush that is cut counts in nothing, and what the table does not know is left out",
          "[shard]") {
  Isolate isolate;
  std::string strange = point(Metric::facts_written, "north", {"charge", "", ""}, 9);
  strange.replace(strange.find("z0_facts"), 8, "z9_facts");
  const std::string whole =
      isolate.flush({point(Metric::facts_written, "north", {"charge", "", ""}, 2), strange,
                     point(Metric::facts_written, "north", {"charge"}, 3)},
                    14);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    Shard shard;
    CHECK_FALSE(shard.take(whole.substr(0, n), start));
    CHECK_FALSE(shard.changed());
  }
  Shard shard;
  CHECK_FALSE(shard.take(whole + '\0', start));
  take(shard, whole, start);
  CHECK(written(shard, hour, start) == 2);
}

TEST_CASE("A flush that does not fit what its isolate told of counts in nothing", "[shard]") {
  Shard shard;
  Isolate isolate;
  take(shard, charges(isolate, 3), start);
  // A later one that knows of none before it.
  Isolate damaged{isolate.stream, isolate.began_ms, 7, 0};
  take(shard, charges(damaged, 3), start);
  CHECK_FALSE(
      shard.take(isolate.flush({point(Metric::config_reads, "", {"budget"}, 2)}, 3), start));
  CHECK(written(shard, hour, start) == 3);
  const std::string bytes = encode(ask(shard, Metric::facts_written, hour, start));
  SeriesReply reply;
  REQUIRE(decode(bytes, reply));
  CHECK(reply.missing == 0);
  CHECK(reply.told == 3);
}

TEST_CASE("A gauge is its newest value, and no longer than the window", "[shard]") {
  Shard shard;
  Isolate isolate;
  const auto tell = [&](const char* tenant, double value, std::int64_t at) {
    take(shard, isolate.flush({point(Metric::replication_queue_depth, tenant, {}, 1, value)}, 1),
         at);
  };
  tell("north", 5, start);
  tell("north", 7, start + 1);
  tell("south", 2.5, start + 2);
  const auto value = [&](Metric metric, std::int64_t now) {
    const SeriesReply reply = ask(shard, metric, hour, now);
    return reply.groups.empty() ? -1 : reply.groups[0].value;
  };
  CHECK(value(Metric::replication_queue_depth, start + 2) == 9'500);
  CHECK(value(Metric::replication_queue_depth, start + 2 * hour) == -1);
}

TEST_CASE("The label with the most values is folded, by name and with a count, and sums stay exact",
          "[shard]") {
  Shard shard;
  Isolate isolate;
  const auto most = static_cast<int>(z0::limits::series_per_family_max);
  for (int i = 0; i < most + 50; ++i) {
    take(shard,
         isolate.flush(
             {point(Metric::facts_written, "north",
                    {i % 2 == 0 ? "charge" : "deposit", "", "ast_" + std::to_string(i)}, 1)},
             1),
         start);
  }
  SeriesReply reply = ask(shard, Metric::facts_written, hour, start, 2);
  CHECK(sum(reply) == most + 50);
  CHECK(reply.groups.size() == 2);
  REQUIRE(reply.folded.size() == 1);
  CHECK(reply.folded[0].tenant_id == "north");
  CHECK(reply.folded[0].label == 2);
  CHECK(reply.folded[0].events == 50);
  // Those that were there before are still told apart, and other tenants and metrics too.
  take(shard, isolate.flush({point(Metric::facts_written, "north", {"charge", "", "ast_0"}, 1)}, 1),
       start);
  take(shard, isolate.flush({point(Metric::facts_written, "south", {"charge", "", "ast_x"}, 1)}, 1),
       start);
  reply = ask(shard, Metric::facts_written, hour, start, 1 | 8);
  std::int64_t others = 0;
  std::int64_t first = 0;
  for (const auto& group : reply.groups) {
    if (group.labels[2] == z0::other_value) others += group.amounts.at(0).amount;
    if (group.labels[2] == "ast_0") first += group.amounts.at(0).amount;
  }
  CHECK(others == 50);
  CHECK(first == 2);
  CHECK(ask(shard, Metric::facts_written, hour, start, 0, "south").folded.empty());
}

TEST_CASE("A shard holds a hundred thousand series within the memory that is stated, and no more",
          "[shard]") {
  Shard shard;
  Isolate isolate;
  constexpr auto most = z0::limits::monitor_series_max;
  constexpr auto of_tenant = z0::limits::series_per_family_max;
  for (std::size_t i = 0; i < most + 500; ++i) {
    const std::string tenant = "tenant_" + std::to_string(i / of_tenant);
    const std::string asset = "ast_of_some_length_" + std::to_string(i % of_tenant);
    take(shard,
         isolate.flush({point(Metric::facts_written, tenant, {"charge", "call", asset}, 1, 0,
                              "4bf92f3577b34da6a3ce929d0e0e4736")},
                       1),
         start);
  }
  const SeriesReply reply = ask(shard, Metric::facts_written, hour, start);
  CHECK(reply.series >= static_cast<std::int64_t>(most));
  // The one more counts what there was no room for, under no tenant's name.
  CHECK(reply.series <= static_cast<std::int64_t>(most) + 1);
  CHECK(sum(reply) == static_cast<std::int64_t>(most) + 500);
  const std::int64_t a_series = reply.memory_bytes / reply.series;
  INFO(a_series << " bytes a series");
  // With its cell and one slot of each window; arrays that grow by doubling may be half empty.
  CHECK(a_series <= 2 * (250 + 40 + 16));
  CHECK(ask(shard, Metric::facts_written, hour, start, 1, z0::other_value).groups.size() == 1);
}

TEST_CASE("Windows hold so many entries, and then reach less far back and say so", "[shard]") {
  z0::Windows windows;
  std::vector<std::uint32_t> of_cell(20'000 * z0::Windows::level_count, UINT32_MAX);
  std::int64_t now = start;
  for (int slot = 0; slot < 120; ++slot, now += 10'000) {
    for (std::uint32_t cell = 0; cell < 20'000; ++cell) {
      auto& places =
          *reinterpret_cast<z0::Windows::Places*>(&of_cell[cell * z0::Windows::level_count]);
      windows.add(cell, places, 1, now);
    }
    CHECK(windows.entries() <= z0::limits::window_entries_max);
  }
  CHECK(windows.reaches_ms(0) > start);
  CHECK(windows.reaches_ms(1) == 0);
  // That outlives the memory.
  std::string bytes;
  z0::ByteWriter out(bytes);
  windows.encode_reaches(out);
  z0::Windows again;
  z0::ByteReader in(bytes);
  CHECK(again.decode_reaches(in));
  CHECK(again.reaches_ms(0) == windows.reaches_ms(0));
  std::int64_t kept = 0;
  windows.each(0, windows.reaches_ms(0), now,
               [&](std::int64_t, std::uint32_t, std::uint32_t n) { kept += n; });
  CHECK(kept % 20'000 == 0);
  CHECK(kept > 1'500'000);
}

TEST_CASE("Series that were silent for longer than any window make room, and their numbers go on",
          "[shard]") {
  Shard shard;
  Isolate isolate;
  const auto series = [&](std::int64_t now) {
    return ask(shard, Metric::facts_written, hour, now).series;
  };
  z0::Effects effects;
  for (int i = 0; i < 10; ++i)
    take(shard, charges(isolate, 1, ("tenant_" + std::to_string(i)).c_str()), start);
  take(shard, charges(isolate, 1, "tenant_0"), start + day);
  shard.save(start + 2 * day + 20 * 60'000, effects);
  CHECK(series(start + 2 * day) == 1);
  CHECK(written(shard, 2 * day, start + 2 * day) == 1);
  // Another series takes a number that is free; what it came to is its own. The isolate was silent for
  // hours, so it begins another stream.
  Isolate later;
  later.stream = 2;
  later.began_ms = 2;
  take(shard, charges(later, 4, "north"), start + 2 * day + hour);
  CHECK(series(start + 2 * day + hour) == 2);
  CHECK(written(shard, hour, start + 2 * day + hour) == 4);
}

TEST_CASE("A shard that rests says so again by the rules that it was answered", "[shard]") {
  Shard shard;
  shard.report_at(start);
  static_cast<void>(shard.tick(start));
  z0::ShardReportReply reply;
  reply.rules_hash = "others";
  shard.heard(z0::encode_reply(reply), start);
  z0::Effects effects;
  shard.save(start, effects);
  constexpr std::int64_t later = start + hour;
  REQUIRE(shard.tick_due(later));
  static_cast<void>(shard.tick(later));
  CHECK(shard.tick_due(later + hour));
  const z0::RuleBook same;
  reply.rules_hash = same.hash();
  shard.heard(z0::encode_reply(reply), later + hour);
  static_cast<void>(shard.tick(later + hour));
  CHECK_FALSE(shard.tick_due(later + 2 * hour));
}
