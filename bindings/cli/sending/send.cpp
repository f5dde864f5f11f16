#include "sending/send.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "z0/base/status.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

bool may_succeed_later(int http) { return http == 0 || http == 429 || http >= 500; }

std::string status_of(const json& answer) {
  return answer.is_object() && answer.contains("status") && answer["status"].is_string()
             ? answer["status"].get<std::string>()
             : std::string();
}

int http_of(const json& item, int otherwise) {
  const std::string status = status_of(item);
  if (status == "recorded" || status == "duplicate") return 200;
  return item.is_object() && item.contains("http") && item["http"].is_number_integer()
             ? item["http"].get<int>()
             : otherwise;
}

bool has_results(const json& answer, std::size_t count) {
  return answer.is_object() && answer.contains("results") && answer["results"].is_array() &&
         answer["results"].size() == count;
}

// Refusals that hold for every later request too.
void stop_if_hopeless(const Reply& reply, const std::string& status) {
  if (reply.status == 401) {
    throw Failure("the server does not accept the token: make one with `z0 token --all`");
  }
  if (status == "scope_missing") {
    throw Failure(
        "the token lacks the scope facts:write: make one with `z0 token --all --scope "
        "facts:write`");
  }
  const bool strange = status.empty() && reply.status < 500 && reply.status != 429;
  if (reply.status != 0 && (strange || reply.status == 404 || reply.status == 405)) {
    throw Failure("what answers there is not z0 (HTTP " + std::to_string(reply.status) +
                  "): check --url");
  }
}

// What became of one item: by the item itself where the answer lists them, else by the whole
// answer.
struct Verdict {
  int http;
  Outcome outcome;
};

Verdict verdict_of(const Reply& reply, const json& answer, bool itemized, std::size_t index) {
  const json& item = itemized ? answer["results"][index] : answer;
  const int http = itemized ? http_of(item, reply.status) : reply.status;
  Verdict verdict{http, outcome_of(item, http)};
  if (verdict.outcome.status.empty()) {
    verdict.outcome.status = http == 0 ? "network" : "http_" + std::to_string(http);
    verdict.outcome.message = reply.error;
  }
  return verdict;
}

std::string why_again(std::size_t items, const Reply& reply) {
  if (reply.status == 0) return reply.error;
  return grouped(static_cast<std::int64_t>(items)) + (items == 1 ? " line" : " lines") +
         " put off by the server";
}

Outcome other_tenant_outcome() {
  const StatusInfo& status = info(Status::tenant_mismatch);
  Outcome outcome;
  outcome.kind = Kind::refused;
  outcome.status = status.name;
  outcome.field = "tenant_id";
  outcome.message = status.sentence;
  outcome.action = status.remedy;
  return outcome;
}

}  // namespace

SendEnd Sender::send(const std::vector<Submission>& batch) {
  Pending pending;
  for (const Submission& submission : batch) {
    if (submission.other_tenant) {
      host_.settled(submission, other_tenant_outcome());
    } else {
      pending.push_back({&submission, {}});
    }
  }
  return pending.empty() ? SendEnd::done : send_pending(std::move(pending));
}

SendEnd Sender::send_pending(Pending pending) {
  for (int retry = 0;; ++retry) {
    Request request{"POST", "/v1/facts", {}, "application/x-ndjson"};
    for (const Waiting& waiting : pending) request.body += waiting.submission->payload + "\n";
    const Reply reply = host_.exchange(request);
    if (reply.never_sent && !answered_) throw Failure(reply.error);
    answered_ = answered_ || reply.status != 0;

    const json answer = json::parse(reply.body, nullptr, false);
    const bool itemized = has_results(answer, pending.size());
    if (!itemized) stop_if_hopeless(reply, status_of(answer));
    if (!itemized && pending.size() > 1 && !may_succeed_later(reply.status)) {
      return send_halves(pending);
    }
    Pending again;
    for (std::size_t i = 0; i < pending.size(); ++i) {
      const Submission& submission = *pending[i].submission;
      Verdict verdict = verdict_of(reply, answer, itemized, i);
      if (!may_succeed_later(verdict.http)) {
        host_.settled(submission, verdict.outcome);
      } else {
        again.push_back({&submission, std::move(verdict.outcome)});
      }
    }
    pending = std::move(again);
    if (pending.empty()) return SendEnd::done;
    if (retry == policy_.retries) {
      settle_failed(pending);
      return reply.status == 0 ? SendEnd::unreachable : SendEnd::done;
    }
    const std::int64_t ms = pause_ms(policy_, retry + 1, host_.random(), reply.retry_after_ms);
    if (!host_.wait(ms, why_again(pending.size(), reply))) {
      settle_failed(pending);
      return SendEnd::stopped;
    }
  }
}

// A request that was refused as a whole left no trace, so its halves may go one after the other.
SendEnd Sender::send_halves(const Pending& pending) {
  const auto middle = pending.begin() + static_cast<std::ptrdiff_t>(pending.size() / 2);
  const SendEnd end = send_pending(Pending(pending.begin(), middle));
  const Pending rest(middle, pending.end());
  if (end == SendEnd::done) return send_pending(rest);
  settle_failed(rest);
  return end;
}

void Sender::settle_failed(const Pending& pending) {
  for (const Waiting& waiting : pending) {
    Outcome outcome = waiting.last;
    outcome.kind = Kind::failed;
    if (outcome.status.empty()) outcome.status = "not_sent";
    host_.settled(*waiting.submission, outcome);
  }
}

}  // namespace z0::cli
