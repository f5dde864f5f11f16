// Values, statements and their answers in words, for `z0 step` and the transcripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/wire/effects.hpp"

namespace z0 {

std::string text(std::int64_t n);
std::string text(std::size_t n);
// Whether it is text, without control characters.
bool printable(std::string_view bytes);
// Text as it is, binary as its size and the beginning of its SHA-256.
std::string shown(std::string_view bytes);
// The verb, what is asked for, the table, and the parameters.
std::string shown(const Statement& s);
std::string rows_words(const Rows& rows);
// The answer to a NEED_QUERY.
std::string query_words(std::string_view answer);

}  // namespace z0
