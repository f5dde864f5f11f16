// One HTTP exchange as values, so that what sends can be tested, and driven, without a network.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace z0::cli {

struct Request {
  std::string method = "GET";
  std::string path;  // with the query
  std::string body;
  std::string content_type;
};

struct Reply {
  int status = 0;  // 0 when there was no answer; then `error` says why
  std::string body;
  std::int64_t retry_after_ms = 0;
  std::string error;
  // The request never left: nothing can have come of it.
  bool never_sent = false;
};

using Transport = std::function<Reply(const Request&)>;

}  // namespace z0::cli
