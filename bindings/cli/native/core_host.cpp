#include "native/core_host.hpp"

#include <cstdlib>
#include <memory>

#include "base/times.hpp"
#include "bindings/world/world.hpp"
#include "z0/core/core.hpp"
#include "z0/core/words.hpp"
#include "z0/http/token.hpp"

namespace z0::cli {
namespace {

std::int64_t retry_after_ms(const world::HttpReply& reply) {
  const std::string seconds = reply.header("retry-after");
  return seconds.empty() ? 0 : std::strtoll(seconds.c_str(), nullptr, 10) * 1000;
}

}  // namespace

Transport offline_z0() {
  // No tables in its D1: what is recorded is decided by the ledgers alone, and nothing is read
  // back.
  const auto world = std::make_shared<world::World>(static_cast<std::uint64_t>(now_ms()), "");
  return [world](const Request& request) {
    world->now_ms = now_ms();
    world::Headers headers = world->authorization("", scope_facts_write | scope_facts_read);
    if (!request.content_type.empty()) headers.emplace_back("content-type", request.content_type);
    const auto answer = world->request(request.method, request.path, headers, request.body);
    world->queue.clear();  // nobody asks for the copies in D1
    return Reply{answer.status, answer.body, retry_after_ms(answer), {}, false};
  };
}

std::string words_of_frame(std::string_view frame) { return describe_frame(frame); }

Stepper core_stepper() {
  const auto core = std::make_shared<Core>();
  return [core](std::string_view frame) { return describe_effects(core->step(frame)); };
}

}  // namespace z0::cli
