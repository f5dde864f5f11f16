// What the consumer remembers while D1 works.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "unit/traps.hpp"

using z0::test::deposit;
using z0::test::TestWorld;
using z0::test::traps_on_changed;

TEST_CASE("The consumer reads what it remembers to its end, or traps", "[consumer]") {
  TestWorld w;
  std::string bytes;
  w.seen = [&](std::string_view seen, std::string_view) {
    z0::Frame frame;
    REQUIRE(z0::parse_frame(seen, frame));
    if (frame.kind == Z0_FRAME_RESUME && frame.target == Z0_TARGET_QUEUE) bytes = seen;
  };
  w.post(deposit("f_1"));
  w.deliver_all();
  REQUIRE_FALSE(bytes.empty());
  CHECK_FALSE(traps_on_changed(bytes, [](std::string&) {}));
  CHECK(traps_on_changed(bytes, [](std::string& c) { c.pop_back(); }));
  CHECK(traps_on_changed(bytes, [](std::string& c) { c += 'x'; }));
  CHECK(traps_on_changed(bytes, [](std::string& c) { c.clear(); }));
}
