#include "sending/submission.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/raw_json.hpp"

namespace z0::cli {
namespace {

// Two raw strings that differ only in how they are escaped are the same tenant.
bool same_string(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto left = nlohmann::json::parse(a, nullptr, false);
  const auto right = nlohmann::json::parse(b, nullptr, false);
  return !left.is_discarded() && left == right;
}

std::string unquoted(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return {};
  return std::string(raw.substr(1, raw.size() - 2));
}

// The fact with one member more, in front of its own.
std::string with_member(std::string_view fact, std::string_view name, std::string_view raw) {
  std::string out = "{\"";
  out += name;
  out += "\":";
  out += raw;
  if (trimmed(fact.substr(1)).front() != '}') out += ',';
  out += fact.substr(1);
  return out;
}

}  // namespace

std::optional<Submission> read_submission(std::string_view line, std::size_t number) {
  line = trimmed(line);
  if (line.empty()) return std::nullopt;
  Submission submission;
  submission.line = number;
  submission.payload = line;

  std::vector<RawMember> members;
  if (!raw_members(line, members)) return submission;
  const std::string_view tenant = raw_value(members, "tenant");
  const std::string_view fact = raw_value(members, "fact");
  if (!fact.empty()) {
    submission.payload = fact;
    if (!raw_members(fact, members)) return submission;
    const std::string_view named = raw_value(members, "tenant_id");
    if (!tenant.empty() && named.empty()) {
      submission.payload = with_member(fact, "tenant_id", tenant);
    }
    submission.other_tenant = !tenant.empty() && !named.empty() && !same_string(tenant, named);
  }
  submission.entity_id = unquoted(raw_value(members, "entity_id"));
  submission.nameless = raw_value(members, "id").empty();
  return submission;
}

void give_id(Submission& submission, std::string_view id) {
  if (!submission.nameless) return;
  submission.payload = with_member(submission.payload, "id", '"' + std::string(id) + '"');
  submission.nameless = false;
}

std::vector<Submission> Batcher::add(Submission submission) {
  std::vector<Submission> full;
  const std::size_t bytes = submission.payload.size() + 1;
  if (batch_.size() == facts_max_ || (!batch_.empty() && bytes_ + bytes >= bytes_max_))
    full = take();
  bytes_ += bytes;
  batch_.push_back(std::move(submission));
  return full;
}

std::vector<Submission> Batcher::take() {
  bytes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace z0::cli
