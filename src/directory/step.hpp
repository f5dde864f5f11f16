// Inside the directory: a call, and where it stands after needs were answered.
#pragma once

#include <string_view>

#include "z0/calls/directory.hpp"
#include "z0/directory/directory.hpp"

namespace z0 {

enum class DirectoryStage : std::uint8_t {
  begin = 0,   // no answers yet
  rows = 1,    // the rows of this call
  called = 2,  // what ledgers said to a policy
};

// Ledgers that one run of the alarm calls. Each may take the time of an append, and they are asked
// together.
inline constexpr std::int64_t ledgers_per_run = 32;
// How long a ledger that could not take a policy is left alone.
inline constexpr std::int64_t retry_pause_ms = 30'000;

struct DirectoryCall {
  DirectoryStage stage = DirectoryStage::begin;
  DirectoryMethod method = DirectoryMethod::alarm;
  std::string_view request;  // of the alarm: the push that it is at, or empty
};

void need_directory_tables(Effects& effects);
// The nth answer after those to need_directory_tables.
Rows directory_rows(const Frame& frame, std::size_t n);
// Asks again with the answers: the continuation that ends a list of needs.
void resume_directory(Effects& effects, DirectoryMethod method, DirectoryStage stage,
                      std::string_view request);

void directory_alarm(const DirectoryCall& call, const Frame& frame, Effects& effects);

}  // namespace z0
