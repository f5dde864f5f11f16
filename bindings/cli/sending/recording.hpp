// A recording: a file of submissions, one a line, or the standard input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "sending/submission.hpp"

namespace z0::cli {

class Recording {
 public:
  // "-" is the standard input. Throws Failure when the file cannot be read, or is an array.
  explicit Recording(const std::string& path);

  std::optional<Submission> next();
  // As of InputFile.
  std::uint64_t bytes_read() const { return file_.bytes_read(); }
  std::uint64_t bytes_total() const { return file_.bytes_total(); }

 private:
  InputFile file_;
  std::string line_;
};

}  // namespace z0::cli
