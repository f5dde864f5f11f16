// A line of a recording becomes what is sent, and submissions become batches.
//
// A line is {"tenant": ..., "fact": {...}} or a plain fact. The fact's bytes go as they are; an
// operator's request has to name the tenant in each fact, so `tenant_id` is written in front of the
// members, and `id` where there is none. Whatever is no JSON object goes unchanged: judging is the server's work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace z0::cli {

struct Submission {
  std::size_t line = 0;  // from 1
  std::string payload;   // what goes over the wire, without a line feed
  std::string
      entity_id;  // as written, empty when there is none; facts of one entity keep their order
  bool nameless = false;  // a fact without an id, which is recorded as often as it is sent
  // The fact names another tenant than the envelope. The envelope stands for the credential of the
  // submitter, so the server would refuse it; an operator's token would hide that.
  bool other_tenant = false;
};

// Nothing for a blank line.
std::optional<Submission> read_submission(std::string_view line, std::size_t number);

// Writes an id in front of the members of a nameless fact, so that it may be sent again.
void give_id(Submission& submission, std::string_view id);

// Collects submissions until a batch has `facts_max` of them or its body would pass `bytes_max`.
// One that is larger than that alone makes a batch of its own, so that the server refuses only it.
class Batcher {
 public:
  Batcher(std::size_t facts_max, std::size_t bytes_max)
      : facts_max_(facts_max), bytes_max_(bytes_max) {}

  // The batch that is full and has to go before `submission`, or empty.
  std::vector<Submission> add(Submission submission);
  std::vector<Submission> take();

 private:
  std::size_t facts_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::vector<Submission> batch_;
};

}  // namespace z0::cli
