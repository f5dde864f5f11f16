#include "sending/recording.hpp"

#include "base/failure.hpp"

namespace z0::cli {

Recording::Recording(const std::string& path) : file_(path) {
  if (file_.first_character() != '[') return;
  throw Failure(path +
                    " begins with a JSON array; a recording has one submission a line: give "
                    "`jq -c '.[]' FILE` instead",
                exit_usage);
}

std::optional<Submission> Recording::next() {
  while (file_.line(line_)) {
    if (auto submission = read_submission(line_, file_.number())) return submission;
  }
  return std::nullopt;
}

}  // namespace z0::cli
