// z0's routes for commands that ask many times: a transient refusal or a broken exchange is tried
// again, so everything sent by it has to be safe to send twice.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/retry.hpp"
#include "server/http.hpp"

namespace z0::cli {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Not to be shared between threads.
class Api {
 public:
  explicit Api(Connection connection, RetryPolicy policy = {6, 250, 8'000});

  // Each throws Failure with the server's own sentence unless the answer is a success.
  std::string text(const std::string& path);
  nlohmann::json get(const std::string& path);
  // Empty when there is nothing at the path.
  std::optional<nlohmann::json> find(const std::string& path);
  nlohmann::json post(const std::string& path, std::string body = {},
                      const char* content_type = "application/json");
  nlohmann::json put(const std::string& path, std::string body);
  nlohmann::json remove(const std::string& path);

  // All pages of a list, until `take` says no: `next` is the member of a page that brings the value
  // of the parameter `cursor` for the page after it.
  void pages(const std::string& path, Parameters parameters,
             const std::function<bool(const nlohmann::json&)>& take, const char* cursor = "cursor",
             const char* next = "cursor");
  // Each item of the array `member` over all pages. Returns the last page.
  nlohmann::json each(const std::string& path, Parameters parameters, const char* member,
                      const std::function<bool(const nlohmann::json&)>& take);

 private:
  Reply exchange(const Request& request);
  nlohmann::json call(const Request& request);

  Http http_;
  std::minstd_rand random_{std::random_device{}()};
  RetryPolicy policy_;
};

}  // namespace z0::cli
