// What of a backtest travels in its continuation.
#pragma once

#include <cstdint>
#include <string_view>

#include "z0/base/fields.hpp"

namespace z0 {

// How it stands with rules about business: there are none, or they are judged, or they were given up.
enum class OfBusiness : std::uint8_t { none, judged, too_many, too_long, count_ };

inline constexpr std::string_view why_given_up(OfBusiness business) {
  return business == OfBusiness::too_many
             ? "more tenants than one request may hold: name one, or run z0 backtest, which has no "
               "such limit"
             : "its facts by minute are more than one request may read: ask for less time, steps "
               "of a minute or one tenant, or run z0 backtest, which has no such limit";
}

// Where a backtest stands between two steps. What it holds borrows the continuation.
struct BacktestRun {
  std::string_view body;
  std::string_view tenant_id;
  std::int64_t from_ms = 0, to_ms = 0;
  std::int64_t learn_from_ms = 0;
  std::int64_t facts_from_ms = 0;  // since when rules about business learn
  OfBusiness business = OfBusiness::none;
  std::int64_t at_ms = 0;   // what comes next
  std::int64_t end_ms = 0;  // of the stretch that is asked for
  std::int64_t stretches = 0;
  std::int64_t begun_ms = 0, begun_stretches = 0;  // where it began, or began again
  std::int64_t measurements = 0;
  // Empty before the first stretch.
  std::string_view history, outcome, against;
  std::string_view facts, watch, other_watch;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.bytes(self.body);
    f.text(self.tenant_id);
    for (auto* n :
         {&self.from_ms, &self.to_ms, &self.learn_from_ms, &self.facts_from_ms, &self.at_ms,
          &self.end_ms, &self.stretches, &self.begun_ms, &self.begun_stretches, &self.measurements})
      f.number(*n);
    f.code(self.business);
    for (auto* bytes :
         {&self.history, &self.outcome, &self.against, &self.facts, &self.watch, &self.other_watch})
      f.bytes(*bytes);
  }
};

}  // namespace z0
