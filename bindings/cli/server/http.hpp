// HTTP over libcurl: one kept-alive connection to one z0.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/transport.hpp"

namespace z0::cli {

struct Connection {
  std::string url;  // without a slash at the end
  std::string token;
};

// Not to be shared between threads.
class Http {
 public:
  explicit Http(Connection connection);
  ~Http();
  Http(Http&&) noexcept;
  Http& operator=(Http&&) noexcept;

  // Never throws: what went wrong stands in the reply.
  Reply exchange(const Request& request);

  // The JSON of a GET that must succeed; else Failure with the server's own sentence.
  nlohmann::json get(const std::string& path);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// Throws the Failure, or NotFound, that a reply stands for which is no success: in the server's own
// sentence, where it has one.
[[noreturn]] void throw_refusal(const Request& request, const Reply& reply);

// "path?a=b&c=d" with values escaped; parameters with an empty value are left out.
std::string path_with_query(std::string path,
                            const std::vector<std::pair<std::string, std::string>>& parameters);
std::string url_escaped(const std::string& text);

}  // namespace z0::cli
