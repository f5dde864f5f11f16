// Sizes that a caller can meet, each at its last value and one beyond.
#include <set>
#include <string>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::deposit;
using z0::test::Reply;
using z0::test::TestWorld;

const std::string budget = R"({"type":"budget","scope":"tenant","settings":{"limit":7}})";

}  // namespace

TEST_CASE("An address has so many bytes and no more", "[edge]") {
  TestWorld w;
  const std::string start = "/v1/facts?type=";
  const auto of = [&](std::size_t bytes) {
    return w.get(start + std::string(bytes - start.size(), 'a'));
  };
  CHECK(of(z0::limits::url_bytes_max).text("field") == "type");
  CHECK(of(z0::limits::url_bytes_max + 1).text("field") == "url");
}

TEST_CASE("A config's name leaves room for a version in an id", "[edge]") {
  TestWorld w;
  const auto put = [&](std::size_t bytes) {
    const std::string id = "cfg_" + std::string(bytes - 4, 'a');
    return w.ask("PUT", "/v1/configs/" + id, "north", budget, {}).status;
  };
  CHECK(put(z0::limits::config_id_bytes_max) == 201);
  CHECK(put(z0::limits::config_id_bytes_max + 1) >= 400);
}

TEST_CASE("No body is larger than its limit, wherever it is sent", "[edge]") {
  TestWorld w;
  const auto statuses = [&](std::size_t bytes) {
    const std::string body(bytes, ' ');
    std::set<bool> too_large;
    for (const Reply& r : {w.post(body), w.ask("PUT", "/v1/configs/cfg_a", "north", body, {}),
                           w.ask("POST", "/v1/ledgers/acct_a/import?tenant=north", "", body, {}),
                           w.ask("POST", "/v1/silences", "north", body, {}),
                           w.ask("POST", "/v1/alerts/a/acknowledge", "north", body, {}),
                           w.ask("POST", "/v1/rules/test", "north", body, {})}) {
      CHECK(r.status >= 400);
      too_large.insert(r.status == 413);
    }
    return too_large;
  };
  CHECK(statuses(z0::limits::body_bytes_max) == std::set<bool>{false});
  CHECK(statuses(z0::limits::body_bytes_max + 1) == std::set<bool>{true});
}

TEST_CASE("A data point's index is a tenant's name, cut where it is too long", "[edge]") {
  for (const std::size_t bytes :
       {z0::limits::point_index_bytes_max - 1, z0::limits::point_index_bytes_max,
        z0::limits::point_index_bytes_max + 1, z0::limits::id_bytes_max}) {
    const std::string tenant(bytes, 't');
    TestWorld w;
    std::set<std::string> indexes;
    w.seen = [&](std::string_view, std::string_view list) {
      for (const auto& point : z0::test::carried<z0::DataPoint>(list)) indexes.emplace(point.index);
    };
    REQUIRE(w.post(deposit("f_1"), tenant).status == 201);
    w.now_ms += 20'000;
    w.run_alarms();     // it reconciles, which writes points too
    indexes.erase("");  // the platform's own
    CHECK(indexes == std::set<std::string>{tenant.substr(0, z0::limits::point_index_bytes_max)});
  }
}
