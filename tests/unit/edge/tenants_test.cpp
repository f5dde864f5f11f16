// Tenants are apart on every route: the table of routes is read from its source, so that a route
// that comes later has to be asked here too.
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

// A method and a path with {} for its name, and what to ask there: each with a query and a body.
using Route = std::pair<std::string, std::string>;
struct Question {
  std::string query;
  std::string body = {};
};

std::set<Route> routes_in_source() {
  std::ifstream in(std::string(Z0_SOURCE_DIR) + "/src/edge/routes.cpp");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const std::regex row(R"re(\{"([A-Z]+)",\s*"(/metrics|/v1/[^"]*)")re");
  std::set<Route> routes;
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at)
    routes.emplace((*at)[1], (*at)[2]);
  return routes;
}

const std::string budget = R"({"type":"budget","scope":"tenant","settings":{"limit":7}})";

std::vector<Question> state_questions() {
  std::vector<Question> all;
  for (const std::string cache :
       {"BudgetState", "CapState", "AccessState", "ContactCanonical", "ConfigState"}) {
    for (const char* as_of : {"", "&as_of=seq:1", "&as_of=1774915200000"})
      all.push_back({"?cache=" + cache + as_of});
  }
  return all;
}

// What names a ledger, a config or a dead letter.
const std::map<Route, std::vector<Question>> naming = {
    {{"GET", "/v1/facts/{}"}, {{""}, {"?records=true"}, {"?types=deposit"}}},
    {{"GET", "/v1/entities/{}"}, {{""}}},
    {{"GET", "/v1/entities/{}/state"}, state_questions()},
    {{"GET", "/v1/ledgers/{}/checkpoint"}, {{""}}},
    {{"GET", "/v1/ledgers/{}/proof"}, {{"?seq=1"}, {"?seq=1&size=1"}}},
    {{"GET", "/v1/ledgers/{}/consistency"}, {{"?from=1"}, {"?from=1&size=1"}}},
    {{"POST", "/v1/ledgers/{}/reconcile"}, {{""}, {"?from=start"}}},
    {{"POST", "/v1/ledgers/{}/replicate"}, {{""}, {"?from=start"}}},
    {{"POST", "/v1/ledgers/{}/verify"}, {{""}}},
    {{"POST", "/v1/ledgers/{}/import"}, {{"?tenant=south", "{\"record\":\"AA==\"}\n"}}},
    {{"PUT", "/v1/configs/{}"}, {{"", budget}}},
    {{"GET", "/v1/configs/{}"}, {{""}, {"?version=1"}, {"?as_of=1774915200000"}}},
    {{"GET", "/v1/configs/{}/versions"}, {{""}, {"?from_version=1"}}},
    {{"GET", "/v1/traces/{}"}, {{""}}},
    {{"POST", "/v1/alerts/{}/acknowledge"}, {{"", R"({"author":"a","reason":"r"})"}}},
    {{"DELETE", "/v1/silences/{}"}, {{""}}},
    {{"GET", "/v1/dead-letters/{}"}, {{""}}},
    {{"POST", "/v1/dead-letters/{}/redrive"}, {{""}}}};

// What OpenTelemetry would send in north's name.
const std::string span_of_north =
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",)"
    R"("spanId":"00f067aa0ba902b8","name":"a","startTimeUnixNano":"1774915200000000000",)"
    R"("attributes":[{"key":"z0.tenant_id","value":{"stringValue":"north"}}]}]}]}]})";
const std::string point_of_north =
    R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"z0_cache_hits_total","sum":)"
    R"({"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"asInt":"1","attributes":[)"
    R"({"key":"tenant_id","value":{"stringValue":"north"}},)"
    R"({"key":"cache_type","value":{"stringValue":"BudgetState"}}]}]}}]}]}]})";

// What concerns many of them.
const std::map<Route, std::vector<Question>> listing = {
    {{"POST", "/v1/facts"}, {{"", deposit("f_hidden", "acct_hidden")}}},
    {{"GET", "/v1/facts"}, {{""}, {"?type=deposit"}, {"?from=0"}, {"?status=failed"}}},
    {{"GET", "/v1/replication"}, {{""}}},
    {{"GET", "/v1/keys"}, {{""}}},
    {{"GET", "/v1/ledgers"}, {{""}, {"?limit=1"}}},
    {{"GET", "/v1/configs/gaps"}, {{""}}},
    {{"GET", "/v1/report"}, {{""}}},
    {{"GET", "/v1/closure"}, {{""}, {"?from=0"}}},
    {{"GET", "/v1/dead-letters"}, {{""}}},
    {{"POST", "/v1/dead-letters/redrive"}, {{""}}},
    {{"POST", "/v1/traces"}, {{"", span_of_north}}},
    {{"POST", "/v1/metrics"}, {{"", point_of_north}}},
    {{"GET", "/v1/traces"},
     {{""}, {"?error=true"}, {"?money=any"}, {"?operation=z0.worker.hidden.read"}}},
    {{"GET", "/v1/alerts"}, {{""}}},
    {{"GET", "/v1/silences"}, {{""}}},
    {{"POST", "/v1/silences"},
     {{"", R"({"tenant_id":"north","author":"a","reason":"r","for":"1h"})"}}},
    {{"GET", "/v1/rules"}, {{""}}},
    {{"POST", "/v1/rules/test"}, {{"", "{}"}}},
    {{"GET", "/v1/rules/history"}, {{"?from=1774828800000"}}},
    {{"POST", "/v1/rules/backtest"}, {{"", R"({"from":1774828800000})"}}},
    {{"GET", "/v1/live"}, {{""}}},
    {{"GET", "/metrics"}, {{""}}},
    {{"GET", "/v1/metrics/query"},
     {{"?metric=z0_facts_written_total&by=tenant_id,fact_type,subtype,asset_id"},
      {"?metric=z0_facts_write_failures_total&by=tenant_id,fact_type,error_code"},
      {"?metric=z0_facts_write_duration_ms&quantile=0.9&window=2d&step=1h&by=tenant_id"},
      {"?metric=z0_config_updates_total&by=config_type"},
      {"?metric=z0_replication_queue_depth"}}}};

// A POST that writes nothing.
constexpr const char* only_asks = "/v1/rules/backtest";
constexpr const char* sum = "987654321";
// Of the rule that fill_alerts publishes, and of what fill_silences silences: neither changes.
constexpr const char* hidden_alert = "463ad5979efabc50";
constexpr const char* hidden_silence = "sil_a9257339f8680a81";
constexpr const char* hidden_trace = "4bf92f3577b34da6a3ce929d0e0e4736";

// A trace of north's that failed, so that it is kept.
void fill_traces(TestWorld& w) {
  const std::string span =
      R"({"name":"z0.worker.hidden.read","trace_id":")" + std::string(hidden_trace) +
      R"(","span_id":"00f067aa0ba902b7","kind":"server","start_us":1774915200000000,)"
      R"("end_us":1774915200001000,"status":"error","tenant_id":"north",)"
      R"("entity_id":"acct_hidden","attributes":{"sum":987654321}})";
  const std::string line = R"({"z0":"spans","service":"hidden","spans":[)" + span + "]}";
  REQUIRE(w.tail(Json::array({{{"outcome", "ok"}, {"lines", Json::array({line})}}}).dump()));
  w.now_ms += z0::limits::trace_quiet_ms;
  w.run_alarms();
}

// A rule of north's, with its sum for a threshold, and the alert that fires by it.
void fill_alerts(TestWorld& w) {
  const std::string rules =
      R"({"type":"alert_rules","scope":"tenant","settings":{"rules":[{"name":"hidden","signal":)"
      R"({"sum":"z0_facts_written_total"},"below":987654321,"window":"1h","severity":"warning",)"
      R"("runbook":"r","owner":"o","summary":"hidden"}]}})";
  REQUIRE(w.ask("PUT", "/v1/configs/cfg_rules", "north", rules, {}).status == 201);
  REQUIRE(w.post(deposit("f_hidden3", "acct_hidden")).status == 201);
  for (int i = 0; i < 4; ++i) {
    w.now_ms += z0::limits::alert_tick_ms;
    w.run_alarms();
  }
  REQUIRE(w.get("/v1/alerts").json.at("alerts").at(0).at("id") == hidden_alert);
}

void fill_silences(TestWorld& w) {
  const std::string silence =
      R"({"rule":"hidden","author":"hidden","reason":"987654321","for":"1h"})";
  CHECK(w.ask("POST", "/v1/silences", "north", silence, {}).text("id") == hidden_silence);
}

// North's ledger and config, in memory and in D1, and a fact that failed; a dead letter as well.
void fill(TestWorld& w) {
  z0::test::measure(w);
  w.sign = [](std::string_view) {
    std::string bytes;
    z0::ByteWriter out(bytes);
    out.u8(0);
    out.u16(1);
    out.bytes(std::string(64, 's'));
    out.bytes(std::string(32, 'k'));
    return bytes;
  };
  REQUIRE(w.post(deposit("f_hidden", "acct_hidden", 987'654'321)).status == 201);
  const std::string limits = R"({"type":"budget","scope":"tenant","settings":{"limit":987654321}})";
  REQUIRE(w.ask("PUT", "/v1/configs/cfg_hidden", "north", limits, {}).status == 201);
  w.faults.call = [](std::string_view object, z0_outcome& how, std::string&) {
    how = Z0_TIMEOUT;
    return object == "account_acct_hidden";
  };
  REQUIRE(w.post(deposit("f_hidden2", "acct_hidden", 987'654'321)).status == 504);
  w.faults.call = nullptr;
  REQUIRE(w.dead_letter("letter_hidden", "hidden"));
  w.deliver_all();
  fill_traces(w);
  fill_alerts(w);
  fill_silences(w);
  REQUIRE(w.get("/v1/entities/acct_hidden").status == 200);
}

Json kept(TestWorld& w) {
  Json rows = {w.d1_rows("SELECT * FROM ledger_heads ORDER BY entity_id"),
               w.d1_rows("SELECT * FROM ledger_facts ORDER BY entity_id, seq"),
               w.d1_rows("SELECT id, received_at FROM dead_letters")};
  for (const char* object : {"account_acct_hidden", "config_cfg_hidden"}) {
    for (const char* table : {"meta", "segments"})
      rows.push_back(z0::test::rows_of(w.storage_of(object), std::string("SELECT * FROM ") + table)
                         .dump(-1, ' ', true, Json::error_handler_t::replace));
  }
  return rows;
}

std::string url_of(const Route& route, const Question& question) {
  std::string url = route.second;
  const auto name = url.find("{}");
  const bool config = url.starts_with("/v1/configs/");
  const bool letter = url.starts_with("/v1/dead-letters/");
  if (url.starts_with("/v1/alerts/"))
    return "/v1/alerts/" + std::string(hidden_alert) + "/acknowledge";
  if (url.starts_with("/v1/silences/")) return "/v1/silences/" + std::string(hidden_silence);
  if (url.starts_with("/v1/traces/")) return "/v1/traces/" + std::string(hidden_trace);
  if (name != std::string::npos)
    url.replace(name, 2, config ? "cfg_hidden" : letter ? "letter_hidden" : "acct_hidden");
  return url + question.query;
}

Reply ask(TestWorld& w, const Route& route, const Question& question, const std::string& url,
          std::string_view who) {
  const bool otlp = question.body.starts_with(R"({"resource)");
  const z0::world::Headers json = {{"content-type", "application/json"}};
  return w.ask(route.first, url, who, question.body, otlp ? json : z0::world::Headers());
}

// Empty for an answer that is no JSON, as a checkpoint.
std::string status_of(const Reply& reply) {
  return reply.json.is_object() ? reply.text("status") : std::string();
}

}  // namespace

TEST_CASE("Every route is asked with another tenant's token", "[edge]") {
  std::set<Route> asked;
  for (const auto* table : {&naming, &listing}) {
    for (const auto& [route, questions] : *table) asked.insert(route);
  }
  CHECK(asked == routes_in_source());
}

TEST_CASE("No route that names something tells or changes what is another tenant's", "[edge]") {
  for (const bool resident : {true, false}) {
    TestWorld w;
    fill(w);
    const Json before = kept(w);
    for (const auto& [route, questions] : naming) {
      for (const auto& question : questions) {
        const std::string url = url_of(route, question);
        INFO(route.first << ' ' << url << (resident ? "" : ", not in memory"));
        if (!resident) w.crash();
        const Reply theirs = ask(w, route, question, url, "south");
        // Reads do not even tell that it is there; what is an operator's lacks a scope.
        const bool hidden = theirs.status == 404 || status_of(theirs) == "scope_missing";
        CHECK((hidden || (route.first == "PUT" && theirs.status == 403)));
        CHECK(theirs.body.find(sum) == std::string::npos);
        CHECK(theirs.body.find("north") == std::string::npos);
        CHECK(kept(w) == before);
        // A fact or a version is answered to whoever it belongs to: the question is a sound one.
        if (route.first != "GET" || theirs.status != 404) continue;
        if (!resident) w.crash();
        CHECK(ask(w, route, question, url, "north").status == 200);
      }
    }
  }
}

TEST_CASE("No route that lists something tells of another tenant's", "[edge]") {
  TestWorld w;
  fill(w);
  const Json before = kept(w);
  for (const auto& [route, questions] : listing) {
    for (const auto& question : questions) {
      for (const char* tenant : {"", "tenant=north"}) {
        const std::string join = *tenant == 0 ? "" : question.query.empty() ? "?" : "&";
        const std::string url = url_of(route, question) + join + tenant;
        INFO(route.first << ' ' << url);
        const Reply theirs = ask(w, route, question, url, "south");
        CHECK(theirs.body.find(sum) == std::string::npos);
        CHECK(theirs.body.find("north") == std::string::npos);
        if (route.first == "GET") CHECK(theirs.body.find("hidden") == std::string::npos);
        if (*tenant != 0) CHECK(theirs.status >= 400);
        // OTLP answers what it did not take as a success in part.
        const bool rejected = theirs.body.find(R"(":"1",)") != std::string::npos &&
                              theirs.json.contains("partialSuccess");
        if (route.first == "POST" && route.second != only_asks)
          CHECK((theirs.status >= 400 || rejected));
      }
    }
  }
  CHECK(kept(w) == before);
}
