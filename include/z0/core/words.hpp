// Frames and effects in words: for golden transcripts and for `z0 step`. Native only.
#pragma once

#include <string>
#include <string_view>

namespace z0 {

// A few lines of text, each ended by a newline. Binary is shown as a size and a short hash, known
// layouts (batches, messages, receipts) by what they say.
std::string describe_frame(std::string_view frame);
std::string describe_effects(std::string_view effects);

}  // namespace z0
