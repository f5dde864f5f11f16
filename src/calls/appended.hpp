// What a ledger wrote, on its way to the queue.
#pragma once

#include "z0/base/trap.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/message.hpp"

namespace z0 {

// Records that a ledger wrote of its own accord.
inline void add_own(MessagePacker& packer, std::string_view tenant_id, std::string_view entity_id,
                    std::string_view records) {
  RecordBytes record;
  for (ByteReader own(records); !own.done();) {
    if (!next_record_bytes(own, record)) trap("what a ledger wrote of its own accord can be read");
    packer.add_record(tenant_id, entity_id, record.seq, record.recorded_at, record.submission);
  }
}

// The records of one append: what the ledger wrote of its own accord, then what it was given.
inline void add_appended(MessagePacker& packer, const AppendRequest& request,
                         const AppendReply& reply) {
  add_own(packer, request.tenant_id, request.entity_id, reply.extra);
  for (std::size_t i = 0; i < reply.results.size() && i < request.submissions.size(); ++i) {
    const AppendResult& r = reply.results[i];
    if (r.status != Status::recorded) continue;
    packer.add_record(request.tenant_id, request.entity_id, r.seq, r.recorded_at,
                      r.stamped.empty() ? request.submissions[i] : r.stamped);
  }
}

// The request that appends one fact of z0's own.
inline std::string encode_system_append(std::string_view tenant_id, std::string_view entity_id,
                                        std::string_view submission) {
  std::string packed;
  ByteWriter(packed).short_bytes(submission);
  return encode_append_request(AppendRequest::system_flag, tenant_id, entity_id, 1, packed);
}

}  // namespace z0
