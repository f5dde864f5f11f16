// The sender against scripted answers. What goes over a wire is tested in tests/cli.
#include "bindings/cli/sending/send.hpp"

#include <deque>
#include <string>
#include <vector>

#include "bindings/cli/base/failure.hpp"
#include "unit/catch.hpp"

namespace z0::cli {
namespace {

// A server that gives the next scripted reply to each request; it keeps what it was sent.
struct Script {
  std::deque<Reply> replies;
  std::vector<std::string> bodies;
  std::vector<std::int64_t> waits;
  std::vector<std::string> settled;  // "line status kind"
  std::size_t waits_max = 100;

  SenderHost host() {
    SenderHost out;
    out.exchange = [this](const Request& request) {
      bodies.push_back(request.body);
      REQUIRE_FALSE(replies.empty());
      Reply reply = replies.front();
      replies.pop_front();
      return reply;
    };
    out.settled = [this](const Submission& submission, const Outcome& outcome) {
      static const char* const kinds[] = {"recorded", "duplicate", "conflict", "refused", "failed"};
      settled.push_back(std::to_string(submission.line) + " " + outcome.status + " " +
                        kinds[static_cast<int>(outcome.kind)]);
    };
    out.wait = [this](std::int64_t ms, const std::string&) {
      waits.push_back(ms);
      return waits.size() <= waits_max;
    };
    out.random = [] { return 0.0; };
    return out;
  }
};

Reply answer(int status, const std::string& body) { return {status, body, 0, {}, false}; }

Reply results(const std::string& items) { return answer(207, "{\"results\":[" + items + "]}"); }

std::vector<Submission> lines(const std::string& names) {
  std::vector<Submission> batch;
  for (const char name : names) {
    Submission submission;
    submission.line = batch.size() + 1;
    submission.payload = name;
    batch.push_back(submission);
  }
  return batch;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("cli: only items that may succeed later are sent again") {
  Script script;
  script.replies = {results(R"({"status":"recorded","seq":1},{"status":"overloaded","http":503},
                               {"status":"invalid_id","http":422},{"status":"overloaded","http":429})"),
                    results(R"({"status":"duplicate","seq":1},{"status":"conflict","http":409})")};
  CHECK(Sender(script.host(), {}).send(lines("abcd")) == SendEnd::done);
  CHECK(script.bodies == Strings{"a\nb\nc\nd\n", "b\nd\n"});
  CHECK(script.settled == Strings{"1 recorded recorded", "3 invalid_id refused",
                                  "2 duplicate duplicate", "4 conflict conflict"});
}

TEST_CASE("cli: pauses double up to a maximum and are never shorter than the server asks") {
  const RetryPolicy policy{8, 100, 1'000};
  CHECK(pause_ms(policy, 1, 0.0, 0) == 50);
  CHECK(pause_ms(policy, 1, 0.999999, 0) == 99);
  CHECK(pause_ms(policy, 3, 0.5, 0) == 300);
  CHECK(pause_ms(policy, 30, 0.0, 0) == 500);
  CHECK(pause_ms(policy, 1, 0.5, 7'000) == 7'000);
}

TEST_CASE("cli: after the last retry an item has failed, with the server's word for it") {
  Script script;
  for (int i = 0; i < 3; ++i)
    script.replies.push_back(results(R"({"status":"timeout","http":504})"));
  CHECK(Sender(script.host(), {2, 10, 100}).send(lines("a")) == SendEnd::done);
  CHECK(script.waits == std::vector<std::int64_t>{5, 10});
  CHECK(script.settled == Strings{"1 timeout failed"});
}

TEST_CASE("cli: each further pause is longer, and one is as long as the server asks") {
  Script script;
  const std::string late = R"({"status":"timeout","http":504})";
  script.replies = {results(late),
                    results(late),
                    {429, "{}", 1'000, "", false},
                    results(late),
                    results(R"({"status":"recorded","seq":1})")};
  CHECK(Sender(script.host(), {8, 10, 100}).send(lines("a")) == SendEnd::done);
  CHECK(script.waits == std::vector<std::int64_t>{5, 10, 1'000, 40});
  CHECK(script.settled == Strings{"1 recorded recorded"});
}

TEST_CASE("cli: a server that is gone ends the sending, and every line has its outcome") {
  Script script;
  script.replies = {answer(503, ""), {0, "", 0, "broken", false}, {0, "", 0, "gone", true}};
  CHECK(Sender(script.host(), {2, 10, 100}).send(lines("ab")) == SendEnd::unreachable);
  CHECK(script.settled == Strings{"1 network failed", "2 network failed"});
}

TEST_CASE("cli: a server that never was there fails at once") {
  Script script;
  script.replies = {{0, "", 0, "nothing answers", true}};
  CHECK_THROWS_AS(Sender(script.host(), {}).send(lines("ab")), Failure);
}

TEST_CASE("cli: a wait that is broken off settles what is left") {
  Script script;
  script.waits_max = 0;
  script.replies = {results(R"({"status":"recorded","seq":1},{"status":"overloaded","http":503})")};
  CHECK(Sender(script.host(), {}).send(lines("ab")) == SendEnd::stopped);
  CHECK(script.settled == Strings{"1 recorded recorded", "2 overloaded failed"});
}

TEST_CASE("cli: a request that is refused as a whole is halved, in order") {
  Script script;
  const Reply refused = answer(400, R"({"status":"not_utf8","http":400})");
  script.replies = {refused, results(R"({"status":"recorded","seq":1})"), refused, refused,
                    results(R"({"status":"recorded","seq":2})")};
  CHECK(Sender(script.host(), {}).send(lines("abc")) == SendEnd::done);
  CHECK(script.bodies == Strings{"a\nb\nc\n", "a\n", "b\nc\n", "b\n", "c\n"});
  CHECK(script.settled ==
        Strings{"1 recorded recorded", "2 not_utf8 refused", "3 recorded recorded"});
}

TEST_CASE("cli: one line may be answered by the item itself") {
  Script script;
  script.replies = {answer(409, R"({"status":"conflict","http":409,"field":"amount"})")};
  CHECK(Sender(script.host(), {}).send(lines("a")) == SendEnd::done);
  CHECK(script.settled == Strings{"1 conflict conflict"});
}

TEST_CASE("cli: refusals that hold for every request are failures") {
  for (const Reply& reply : {answer(401, R"({"status":"unauthorized","http":401})"),
                             answer(403, R"({"status":"scope_missing","http":403})"),
                             answer(404, "not here"), answer(200, "<html>")}) {
    INFO(reply.body);
    Script script;
    script.replies = {reply};
    CHECK_THROWS_AS(Sender(script.host(), {}).send(lines("ab")), Failure);
  }
}

TEST_CASE("cli: a fact of another tenant than its envelope's is not sent") {
  Script script;
  auto batch = lines("a");
  batch[0].other_tenant = true;
  CHECK(Sender(script.host(), {}).send(batch) == SendEnd::done);
  CHECK(script.bodies.empty());
  CHECK(script.settled == Strings{"1 tenant_mismatch refused"});
}

}  // namespace z0::cli
