#include "z0/calls/message.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t message_version = 1;
// The numbers and lengths around a run's or an attempt's texts.
constexpr std::size_t framing_bytes_max = 64;

bool check_run(const Run& run) {
  if (run.first_seq < 1 || run.first_seq > limits::version_max) return false;
  if (run.count < 1 || run.count > static_cast<std::int64_t>(run.records.size())) return false;
  if (run.count - 1 > limits::version_max - run.first_seq) return false;
  ByteReader in(run.records);
  Fact fact;
  std::int64_t seq = run.first_seq;
  while (!in.done()) {
    if (!next_record(in, run.entity_id, fact) || fact.seq != seq) return false;
    ++seq;
  }
  return seq == run.first_seq + run.count;
}

bool check_address(std::string_view tenant_id, std::string_view entity_id) {
  return valid_id(tenant_id) && names_ledger(entity_id);
}

}  // namespace

MessagePacker::MessagePacker(MessageKind kind, std::string_view traceparent)
    : kind_(kind), traceparent_(traceparent) {}

void MessagePacker::room_for(std::size_t bytes) {
  const std::size_t open =
      message_.size() + run_tenant_.size() + run_entity_.size() + run_records_.size();
  const bool full = open + bytes + framing_bytes_max > limits::message_bytes_max ||
                    facts_ == limits::facts_per_message_max;
  if (full && open > header_bytes_) {
    end_run();
    end_message();
  }
  ++facts_;
  if (!message_.empty()) return;
  ByteWriter out(message_);
  out.u8(message_version);
  out.u8(static_cast<std::uint8_t>(kind_));
  out.short_bytes(traceparent_);
  out.u32(0);
  header_bytes_ = message_.size();
}

void MessagePacker::end_message() {
  if (message_.size() > header_bytes_) {
    ByteWriter out(message_);
    out.patch_u32(header_bytes_ - sizeof(std::uint32_t),
                  static_cast<std::uint32_t>(message_.size() - header_bytes_));
    done_.push_back(std::move(message_));
  }
  message_.clear();
  header_bytes_ = 0;
  facts_ = 0;
}

void MessagePacker::end_run() {
  if (run_count_ == 0) return;
  ByteWriter out(message_);
  out.short_bytes(run_tenant_);
  out.short_bytes(run_entity_);
  out.varint(static_cast<std::uint64_t>(run_first_));
  out.varint(static_cast<std::uint64_t>(run_count_));
  out.bytes(run_records_.view());
  run_tenant_.clear();
  run_entity_.clear();
  run_records_.clear();
  run_count_ = 0;
}

void MessagePacker::add_record(std::string_view tenant_id, std::string_view entity_id,
                               std::int64_t seq, std::int64_t recorded_at,
                               std::string_view submission) {
  const bool follows = run_count_ > 0 && seq == run_first_ + run_count_ &&
                       run_entity_ == entity_id && run_tenant_ == tenant_id;
  if (!follows) end_run();
  room_for(record_bytes_max(submission.size()) + tenant_id.size() + entity_id.size() +
           framing_bytes_max);
  if (run_count_ == 0) {
    run_tenant_ = tenant_id;
    run_entity_ = entity_id;
    run_first_ = seq;
  }
  ++run_count_;
  append_record(run_records_, seq, recorded_at, submission);
}

void MessagePacker::add_attempt(const Attempt& a) {
  room_for(a.tenant_id.size() + a.entity_id.size() + a.code.size() + a.message.size() +
           a.span.size() + a.submission.size() + framing_bytes_max);
  ByteWriter out(message_);
  out.short_bytes(a.tenant_id);
  out.short_bytes(a.entity_id);
  out.varint(static_cast<std::uint64_t>(a.attempted_at));
  out.short_bytes(a.code);
  out.short_bytes(a.message);
  out.short_bytes(a.span);
  out.raw(a.trace);
  out.short_bytes(a.submission);
}

std::vector<std::string> MessagePacker::take() {
  end_run();
  end_message();
  return std::move(done_);
}

namespace {

bool parse_run(ByteReader& in, Message& out) {
  Run run;
  run.tenant_id = in.short_bytes();
  run.entity_id = in.short_bytes();
  run.first_seq = static_cast<std::int64_t>(in.varint());
  run.count = static_cast<std::int64_t>(in.varint());
  run.records = in.bytes();
  if (!in.ok() || !check_address(run.tenant_id, run.entity_id) || !check_run(run)) return false;
  out.runs.push_back(run);
  return true;
}

bool parse_attempt(ByteReader& in, Message& out) {
  Attempt a;
  a.tenant_id = in.short_bytes();
  a.entity_id = in.short_bytes();
  a.attempted_at = static_cast<std::int64_t>(in.varint());
  a.code = in.short_bytes();
  a.message = in.short_bytes();
  a.span = in.short_bytes();
  a.trace = in.raw(16);
  a.submission = in.short_bytes();
  Fact fact;
  if (!in.ok() || !check_address(a.tenant_id, a.entity_id)) return false;
  if (!parse_submission(a.submission, a.entity_id, fact)) return false;
  out.attempts.push_back(a);
  return true;
}

// More than a span's links hold say nothing more.
void add_once(std::vector<std::string_view>& all, std::string_view one) {
  if (all.size() < limits::links_per_span_max &&
      std::find(all.begin(), all.end(), one) == all.end())
    all.push_back(one);
}

}  // namespace

bool parse_message(std::string_view bytes, Message& out) {
  ByteReader in(bytes);
  const auto refuse = [&out](std::string_view fault) {
    out.fault = fault;
    return false;
  };
  const auto begin = [&](const ByteReader& part) {
    out.fault_at = static_cast<std::size_t>(part.at() - bytes.data());
  };
  while (!in.done()) {
    begin(in);
    if (in.u8() != message_version) return refuse("a section of a version that is not known");
    const auto kind = static_cast<MessageKind>(in.u8());
    const bool facts = kind == MessageKind::facts;
    if (!facts && kind != MessageKind::attempts)
      return refuse("a section of a kind that is not known");
    add_once(out.traceparents, in.short_bytes());
    ByteReader items(in.bytes());
    if (!in.ok() || items.done()) return refuse("a section that is cut off or empty");
    while (!items.done()) {
      begin(items);
      if (!(facts ? parse_run(items, out) : parse_attempt(items, out)))
        return refuse(facts ? "facts that are damaged" : "an attempt that is damaged");
    }
  }
  return !out.runs.empty() || !out.attempts.empty() || refuse("nothing");
}

}  // namespace z0
