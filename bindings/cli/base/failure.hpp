// How a command gives up: one sentence that says what to do, and the exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace z0::cli {

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,  // the thing that was asked about failed
  exit_usage = 2,   // the command was called wrongly
};

struct Failure : std::runtime_error {
  explicit Failure(const std::string& sentence, ExitCode exit_code = exit_failed)
      : std::runtime_error(sentence), code(exit_code) {}
  ExitCode code;
};

// The server has nothing at that address.
struct NotFound : Failure {
  using Failure::Failure;
};

}  // namespace z0::cli
