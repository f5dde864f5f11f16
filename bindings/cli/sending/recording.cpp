#include "sending/recording.hpp"

#include <filesystem>
#include <iostream>
#include <system_error>

#include "base/failure.hpp"

namespace z0::cli {

Recording::Recording(const std::string& path) : in_(&std::cin) {
  if (path == "-") return;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw Failure(path + " is a directory: name a file with one submission a line", exit_usage);
  }
  file_.open(path, std::ios::binary);
  if (!file_) throw Failure("cannot read " + path + ": name a file that exists", exit_usage);
  in_ = &file_;
  const auto size = std::filesystem::file_size(path, error);
  if (!error) bytes_total_ = size;
}

std::optional<Submission> Recording::next() {
  while (std::getline(*in_, line_)) {
    ++number_;
    bytes_read_ += line_.size() + 1;
    if (auto submission = read_submission(line_, number_)) return submission;
  }
  return std::nullopt;
}

}  // namespace z0::cli
