// Incidents as people write them.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/alerts/backtest.hpp"

TEST_CASE("An incident says when it was, whose, and what it cost", "[alerts]") {
  z0::Incident read;
  z0::RuleError error;
  REQUIRE(z0::read_incident(R"({"name":"n","from":"2026-03-31T00:00:00Z","to":1774915260000,)"
                            R"("tenant_id":"north","rules":["A"],"lost":{"amount":7}})",
                            read, error));
  z0::Incident expected;
  expected.name = "n";
  expected.from_ms = 1'774'915'200'000;
  expected.to_ms = 1'774'915'260'000;
  expected.tenant_id = "north";
  expected.rules = {"A"};
  expected.currency = "USD";
  expected.lost = 7;
  CHECK(read == expected);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"({"from":1,"to":2})", "incident.name"},
      {R"({"name":"n","to":2})", "incident.from"},
      {R"({"name":"n","from":2,"to":2})", "incident.to"},
      {R"({"name":"n","from":1,"to":2678400002})", "incident.to"},
      {R"({"name":"n","from":1,"to":2,"lost":{"amount":-1}})", "incident.lost.amount"},
      {R"({"name":"n","from":1,"to":2,"lost":{"currency":"EUR"}})", "incident.lost.amount"},
      {R"({"name":"n","from":1,"to":2,"lost":{"amount":9007199254740992}})",
       "incident.lost.amount"},
      {R"({"name":"n","from":1,"to":2,"lost":{"amount":1,"currency":"usd"}})",
       "incident.lost.currency"},
      {R"({"name":"n","from":1,"to":2,"cost":1})", "incident.cost"}};
  for (const auto& [text, where] : wrong) {
    error = {};
    CHECK_FALSE(z0::read_incident(text, read, error));
    CHECK(error.where == where);
  }
}
