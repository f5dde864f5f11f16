// A recording: a file of submissions, one a line, or the standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <istream>
#include <optional>
#include <string>

#include "sending/submission.hpp"

namespace z0::cli {

class Recording {
 public:
  // "-" is the standard input. Throws Failure when the file cannot be read.
  explicit Recording(const std::string& path);

  std::optional<Submission> next();
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_total() const { return bytes_total_; }  // 0 when it is not known

 private:
  std::ifstream file_;
  std::istream* in_;
  std::string line_;
  std::size_t number_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace z0::cli
