#include "server/api.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

bool transient(const Reply& reply) {
  return (reply.status == 0 && !reply.never_sent) || reply.status == 429 || reply.status == 502 ||
         reply.status == 503 || reply.status == 504;
}

json parsed(const Request& request, const Reply& reply) {
  json answer = json::parse(reply.body, nullptr, false);
  if (answer.is_discarded())
    throw Failure("the answer to " + request.method + " " + request.path +
                  " is no JSON: check --url");
  return answer;
}

}  // namespace

Api::Api(Connection connection, RetryPolicy policy)
    : http_(std::move(connection)), policy_(policy) {}

Reply Api::exchange(const Request& request) {
  Reply reply = http_.exchange(request);
  for (int retry = 1; transient(reply) && retry <= policy_.retries; ++retry) {
    const double random = std::uniform_real_distribution<double>(0, 1)(random_);
    if (!sleep_ms(pause_ms(policy_, retry, random, reply.retry_after_ms))) {
      throw Failure("interrupted");
    }
    reply = http_.exchange(request);
  }
  return reply;
}

json Api::call(const Request& request) {
  const Reply reply = exchange(request);
  if (reply.status < 200 || reply.status > 299) throw_refusal(request, reply);
  return parsed(request, reply);
}

std::string Api::text(const std::string& path) {
  const Request request{"GET", path, {}, {}};
  Reply reply = exchange(request);
  if (reply.status != 200) throw_refusal(request, reply);
  return std::move(reply.body);
}

json Api::get(const std::string& path) { return call({"GET", path, {}, {}}); }

std::optional<json> Api::find(const std::string& path) {
  try {
    return get(path);
  } catch (const NotFound&) {
    return std::nullopt;
  }
}

json Api::post(const std::string& path, std::string body, const char* content_type) {
  return call({"POST", path, std::move(body), content_type});
}

json Api::put(const std::string& path, std::string body) {
  return call({"PUT", path, std::move(body), "application/json"});
}

json Api::remove(const std::string& path) { return call({"DELETE", path, {}, {}}); }

void Api::pages(const std::string& path, Parameters parameters,
                const std::function<bool(const json&)>& take, const char* cursor,
                const char* next) {
  parameters.emplace_back(cursor, "");
  for (;;) {
    const json page = get(path_with_query(path, parameters));
    if (!take(page)) return;
    std::string where = text_of(page, next);
    // A cursor that leads nowhere new would be followed for ever.
    if (where.empty() || where == parameters.back().second) return;
    parameters.back().second = std::move(where);
  }
}

json Api::each(const std::string& path, Parameters parameters, const char* member,
               const std::function<bool(const json&)>& take) {
  json last;
  pages(path, std::move(parameters), [&](const json& page) {
    const auto found = page.find(member);
    if (found == page.end() || !found->is_array())
      throw Failure("what answers there is not z0: check --url");
    last = page;
    return std::all_of(found->begin(), found->end(), take);
  });
  return last;
}

}  // namespace z0::cli
