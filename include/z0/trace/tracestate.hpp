// The tracestate header of W3C Trace Context, level 2
// (https://www.w3.org/TR/trace-context-2/#tracestate-header): a list of `key=value`, a vendor each.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace z0 {

// Ours stands in front of the list and has the span that sent it, so that z0 finds its own last hop
// again behind one that writes another traceparent.

inline constexpr std::size_t tracestate_members_max = 32;
// What a carrier has to take at least, and so what we send at most.
inline constexpr std::size_t tracestate_bytes_max = 512;

// What others wrote, of one header or of several joined with commas, in their order and without blanks
// or empty members; without an earlier member of ours. Room for ours is left: at most 31 members, and
// where they do not fit those longer than 128 bytes go first, then those at the end.
// Empty when the header is to be dropped as a whole: a member breaks the grammar, a key comes twice or
// there are more than 32. A key may begin with a digit, as level 2 allows. One with an @ is judged as
// level 1 has it, up to 241 bytes of tenant and 14 of system: level 2 takes more, but the validation
// harness of the W3C wants such a header dropped.
std::string others_tracestate(std::string_view header);

}  // namespace z0
