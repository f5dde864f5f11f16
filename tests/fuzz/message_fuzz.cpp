// Any bytes as a queue message: reading them never fails badly, and what can be read says the same
// when it is packed again.
#include <vector>

#include "step_law.hpp"
#include "z0/calls/message.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

// Every fact or attempt with all that is said of it, in order.
std::vector<std::string> contents(const Message& message) {
  std::vector<std::string> all;
  for (const Run& run : message.runs) {
    RecordBytes record;
    for (ByteReader in(run.records); next_record_bytes(in, record);) {
      std::string& one = all.emplace_back(run.tenant_id);
      one += ' ' + std::string(run.entity_id) + ' ' + std::to_string(record.seq) + ' ' +
             std::to_string(record.recorded_at) + ' ' + std::string(record.submission);
    }
  }
  for (const Attempt& a : message.attempts) {
    std::string& one = all.emplace_back(a.tenant_id);
    for (const auto text : {a.entity_id, a.code, a.message, a.span, a.trace, a.submission})
      one += ' ' + std::string(text);
    one += ' ' + std::to_string(a.attempted_at);
  }
  return all;
}

std::vector<std::string> pack(const Message& message) {
  const std::string_view traceparent = message.traceparents[0];
  MessagePacker facts(MessageKind::facts, traceparent);
  for (const Run& run : message.runs) {
    RecordBytes record;
    for (ByteReader in(run.records); next_record_bytes(in, record);) {
      facts.add_record(run.tenant_id, run.entity_id, record.seq, record.recorded_at,
                       record.submission);
    }
  }
  MessagePacker attempts(MessageKind::attempts, traceparent);
  for (const Attempt& attempt : message.attempts) attempts.add_attempt(attempt);
  std::vector<std::string> packed = facts.take();
  for (auto& bytes : attempts.take()) packed.push_back(std::move(bytes));
  return packed;
}

void check_packed(const Message& message) {
  std::string joined;
  for (const auto& bytes : pack(message)) {
    Message part;
    if (!parse_message(bytes, part)) broken("what was packed can be read");
    if (part.traceparents.size() != 1 || part.traceparents[0] != message.traceparents[0])
      broken("a message keeps its trace");
    joined += bytes;
  }
  Message again;
  if (!parse_message(joined, again)) broken("joined messages are a message");
  if (contents(again) != contents(message)) broken("packing keeps every item, in order");
}

void consume(z0_frame_kind kind, const std::vector<std::string_view>& parts) {
  Core core;
  Frame frame;
  frame.kind = kind;
  frame.target = Z0_TARGET_QUEUE;
  frame.now_ms = 1'774'915'200'000;
  frame.parts = parts;
  const auto effects = step(core, frame, 1);
  if (!asks(effects)) {
    if (reply_of(effects).status != 503) broken("what cannot be read is refused");
    return;
  }
  std::string failed;
  ByteWriter out(failed);
  out.u16(0);
  out.bytes("D1 is down");
  std::string continuation;
  go_on(frame, effects, continuation);
  frame.answers = {failed};
  if (reply_of(step(core, frame, 1)).status != 503)
    broken("without D1 a message is delivered again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Message message;
  if (parse_message(bytes, message)) check_packed(message);
  consume(Z0_FRAME_MESSAGE, {bytes});
  consume(Z0_FRAME_DEAD_LETTER, {"m1", bytes});
  return 0;
}
