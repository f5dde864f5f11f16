// Times as callers write them: milliseconds since 1970, or RFC 3339 with an offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

// Event times of facts: from 2000-01-01 to a day after they are sent. Seconds that were taken for
// milliseconds lie in January 1970, and a fact of a far future would stand first for ever; a clock
// may be wrong by some hours.
inline constexpr std::int64_t event_ms_min = 946'684'800'000;
inline constexpr std::int64_t event_ahead_ms_max = 86'400'000;

// "2026-03-31T10:15:00Z", "2026-03-31T12:15:00.25+02:00": the time in ms since 1970, what is finer
// cut off. False for anything else: a time without an offset is not one moment. T and Z may be
// small (RFC 3339, 5.6); the second 60 of a leap second is the first one of the next minute.
[[nodiscard]] bool parse_rfc3339(std::string_view text, std::int64_t& ms);

// The other way, in UTC: "2026-03-31T10:15:00.250Z". Years have four digits: what lies before the year
// 1 or behind 9999 is written as the end that it passed.
std::string rfc3339_text(std::int64_t ms);

}  // namespace z0
