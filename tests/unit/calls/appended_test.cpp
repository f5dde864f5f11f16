// What a ledger wrote, packed for the queue.
#include "src/calls/appended.hpp"

#include <string>

#include "unit/catch.hpp"
#include "unit/traps.hpp"

using z0::test::traps;

TEST_CASE("What a ledger wrote of its own accord is read to its end, or traps", "[calls]") {
  z0::AppendRequest request;
  request.tenant_id = "north";
  request.entity_id = "acct_a";
  const auto packs = [&](std::string_view extra) {
    return [&request, extra] {
      z0::AppendReply reply;
      reply.extra = extra;
      z0::MessagePacker packer(z0::MessageKind::facts, "");
      z0::add_appended(packer, request, reply);
    };
  };
  // A record: its length, seq 1, a time of 2, and what was submitted.
  const std::string record("\x04\x01\x02xy", 5);
  CHECK_FALSE(traps(packs({})));
  CHECK_FALSE(traps(packs(record)));
  CHECK(traps(packs(std::string_view(record).substr(0, 4))));
  CHECK(traps(packs(std::string_view("\x01\x80", 2))));
}
