// What a z0 that runs can tell of its past, as a backtest takes it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/api.hpp"
#include "z0/alerts/backtest_history.hpp"

namespace z0::cli {

using TakeLine = std::function<void(const HistoryLine&)>;

// What facts tell from one time to another, from D1, with the share that is done on a terminal. An empty
// tenant: of all that the token may read. `facts`: also what rules about business see of them. Throws Failure, and after an interrupt.
void history_of_facts(Api& api, const std::string& tenant, std::int64_t from_ms, std::int64_t to_ms,
                      bool facts, const TakeLine& take);

// Counters that rules look at and facts do not tell, as far as the monitor has them: two days, in steps of
// five minutes.
void history_of_counters(Api& api, const std::string& tenant, const std::vector<Rule>& rules,
                         const TakeLine& take);

}  // namespace z0::cli
