// The route that the W3C's validation harness of trace context talks to.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::FetchNeed;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::world::Headers;

constexpr const char* url = "/conformance/trace-context";
constexpr const char* trace = "12345678901234567890123456789012";
const std::string traceparent = "00-" + std::string(trace) + "-1234567890123456-01";

// What somebody outside was sent.
struct Sent {
  std::string line;
  std::string traceparent;
  std::string tracestate;
  std::string body;
};

class Outside : public TestWorld {
 public:
  Outside() {
    debug = true;
    fetch = [this](const FetchNeed& need) {
      Sent& one = sent.emplace_back();
      one.line = std::string(need.method) + ' ' + std::string(need.url);
      for (const auto& [name, value] : need.headers) {
        if (name == "traceparent") one.traceparent = value;
        if (name == "tracestate") one.tracestate = value;
      }
      one.body = need.body;
      return std::uint16_t{200};
    };
  }
  Reply ask(const std::string& body, const Headers& headers = {{"traceparent", traceparent}}) {
    return z0::test::read_reply(request("POST", url, headers, body));
  }

  std::vector<Sent> sent;
};

}  // namespace

TEST_CASE("Arguments go to their addresses in the caller's trace, each under a span", "[edge]") {
  Outside w;
  const Reply r = w.ask(R"([{"url":"http://one.example/a","arguments":[]},
      {"arguments":0,"arguments":[{"url":"http://two.example","arguments":[1]}],"url":"https://two.example/b"}])",
                        {{"traceparent", traceparent}, {"tracestate", "foo=1, bar=2"}});
  CHECK(r.status == 200);
  CHECK(r.body == R"([{"http":200},{"http":200}])");
  REQUIRE(w.sent.size() == 2);
  CHECK(w.sent[0].line == "POST http://one.example/a");
  CHECK(w.sent[0].body == "[]");
  CHECK(w.sent[1].line == "POST https://two.example/b");
  CHECK(w.sent[1].body == R"([{"url":"http://two.example","arguments":[1]}])");
  for (const Sent& one : w.sent) {
    CHECK(one.traceparent.substr(3, 32) == trace);
    CHECK(one.traceparent.substr(36, 16) != "1234567890123456");
    CHECK(one.tracestate == "z0=" + one.traceparent.substr(36, 16) + ",foo=1,bar=2");
  }
  CHECK(w.sent[0].traceparent != w.sent[1].traceparent);
}

TEST_CASE("A trace that is invalid is not carried on, nor what stands in its state", "[edge]") {
  Outside w;
  CHECK(w.ask(R"([{"url":"http://one.example","arguments":[]}])",
              {{"traceparent", traceparent + "," + traceparent}, {"tracestate", "foo=1"}})
            .status == 200);
  REQUIRE(w.sent.size() == 1);
  CHECK(w.sent[0].traceparent.substr(3, 32) != trace);
  CHECK(w.sent[0].tracestate == "z0=" + w.sent[0].traceparent.substr(36, 16));
}

TEST_CASE("An address that does not answer is told, and an empty list is done at once", "[edge]") {
  Outside w;
  CHECK(w.ask("[]").body == "[]");
  w.fetch = nullptr;
  const Reply r = w.ask(R"([{"url":"http://gone.example","arguments":{}}])");
  CHECK(r.status == 200);
  CHECK(r.json.at(0).at("error") == "nobody answers");
}

TEST_CASE("Anything but a list of addresses is refused before one is asked", "[edge]") {
  Outside w;
  std::string many;
  for (int i = 0; i < 33; ++i)
    many += std::string(i == 0 ? "[" : ",") + R"({"url":"http://one.example","arguments":[]})";
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[1]"), std::string(R"([{"arguments":[]}])"),
        std::string(R"([{"url":"file:///etc/passwd","arguments":[]}])"),
        std::string(R"([{"url":1,"arguments":[]}])"),
        std::string(R"([{"url":"http://one.example","arguments":[]}])") + "x", many + "]"}) {
    INFO(body);
    CHECK(w.ask(body).status == 400);
  }
  CHECK(w.sent.empty());
}

TEST_CASE("Where debugging is off there is no such address", "[edge]") {
  Outside w;
  w.debug = false;
  CHECK(w.ask(R"([{"url":"http://one.example","arguments":[]}])").status == 404);
  CHECK(w.request("GET", url, {}, {}).status == 404);
  w.debug = true;
  CHECK(w.request("GET", url, {}, {}).status == 405);
  CHECK(w.sent.empty());
}
