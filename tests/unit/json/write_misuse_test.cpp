// The writer of JSON: what it refuses to be misused for.
#include <string>

#include "unit/catch.hpp"
#include "unit/traps.hpp"
#include "z0/json/write.hpp"

using z0::JsonWriter;

TEST_CASE("A document that is not closed, or closed twice, or lacks a name traps", "[json]") {
  std::string out;
  CHECK(z0::test::traps([&] { JsonWriter(out).end(); }));
  CHECK(z0::test::traps([&] { JsonWriter(out).object().key("a").end(); }));
#ifndef NDEBUG
  CHECK(z0::test::traps([&] { JsonWriter(out).object(); }));
  CHECK(z0::test::traps([&] { JsonWriter(out).object().integer(1).end(); }));
  CHECK(z0::test::traps([&] { JsonWriter(out).array().integer("a", 1).end(); }));
  CHECK(z0::test::traps([&] { JsonWriter(out).object().key("a").key("b").null().end(); }));
#endif
}
