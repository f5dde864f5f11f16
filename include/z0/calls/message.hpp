// Queue messages: runs of recorded facts, and failed attempts, packed up to the platform's limit.
//
//   message  sections, one after the other. Two messages joined are one message, so a host may
//            collect what several requests send.
//   section  u8 version, u8 kind (1 facts, 2 attempts), traceparent, items as u32-length bytes
//   run      tenant, entity, varint first_seq, varint count, records as u32-length bytes
//   attempt  tenant, entity, varint attempted_at, code, message, span, 16 bytes trace, submission
//   Texts and submissions are varint length and bytes.
//
// A message names no queue and no database. The consumer may write it twice, late or out of order:
// the result is the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/facts/fact.hpp"

namespace z0 {

enum class MessageKind : std::uint8_t { facts = 1, attempts = 2 };

// Consecutive facts of one ledger.
struct Run {
  std::string_view tenant_id;
  std::string_view entity_id;
  std::int64_t first_seq = 0;
  std::int64_t count = 0;
  std::string_view records;
};

struct Attempt {
  std::string_view tenant_id;
  std::string_view entity_id;
  std::int64_t attempted_at = 0;
  std::string_view code;     // the status
  std::string_view message;  // the platform's own words, shortened
  std::string_view span;     // where it failed
  std::string_view trace;    // 16 bytes
  std::string_view submission;
};

// Packs items of one kind into as few messages of one section as they fit.
class MessagePacker {
 public:
  MessagePacker(MessageKind kind, std::string_view traceparent);

  // The next fact of a ledger; starts a new run when the ledger or the sequence changes.
  void add_record(std::string_view tenant_id, std::string_view entity_id, std::int64_t seq,
                  std::int64_t recorded_at, std::string_view submission);
  void add_attempt(const Attempt& attempt);

  // Ends the last message and returns all; the packer is empty afterwards.
  std::vector<std::string> take();

 private:
  void room_for(std::size_t bytes);
  void end_run();
  void end_message();

  MessageKind kind_;
  std::string traceparent_;
  std::vector<std::string> done_;
  std::string message_;
  std::size_t header_bytes_ = 0;
  std::size_t facts_ = 0;  // of the open message
  // the open run
  std::string run_tenant_;
  std::string run_entity_;
  std::int64_t run_first_ = 0;
  std::int64_t run_count_ = 0;
  Buffer run_records_;
};

struct Message {
  std::vector<std::string_view> traceparents;  // of its sections, each once
  std::vector<Run> runs;
  std::vector<Attempt> attempts;
  // Of bytes that are no message: what is wrong, and where that begins.
  std::string_view fault;
  std::size_t fault_at = 0;
};

// False for bytes that are no message, including any record or submission in it. What stands before
// the fault is in `out`.
[[nodiscard]] bool parse_message(std::string_view bytes, Message& out);

}  // namespace z0
