// Reading a ledger: a range of facts, and its head. Both come from rows, never from the state, so
// that a read needs no rebuilding and touches only the segments that hold what it shows.
#include <algorithm>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger_reads.hpp"

namespace z0 {

bool no_such_table(const Rows& rows) {
  return rows.failed && rows.message.find("no such table") != std::string_view::npos;
}

Status open_meta(const Frame& frame, std::string_view tenant_id, LedgerState& state) {
  const Rows rows = parse_rows(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (rows.failed) return no_such_table(rows) ? Status::not_found : Status::storage_error;
  if (rows.size() == 0) return Status::not_found;
  if (!state.decode_meta(rows.at(0, 0).bytes)) return Status::storage_error;
  const bool visible = tenant_id.empty() || tenant_id == state.tenant_id;
  return visible ? Status::ok : Status::not_found;
}

namespace {

std::uint32_t mask_of(std::string_view types) {
  std::uint32_t mask = 0;
  for (std::size_t at = 0; at < types.size();) {
    const std::size_t end = std::min(types.find(',', at), types.size());
    const std::string_view name = types.substr(at, end - at);
    mask |= type_bit(type_of(name), name);
    at = end + 1;
  }
  return types.empty() ? ~0u : mask;
}

bool named(std::string_view types, std::string_view type) {
  for (std::size_t at = 0; at < types.size();) {
    const std::size_t end = std::min(types.find(',', at), types.size());
    if (types.substr(at, end - at) == type) return true;
    at = end + 1;
  }
  return types.empty();
}

struct Page {
  std::string records;
  std::int64_t count = 0;
  std::int64_t looked_through = 0;  // the last sequence number that was looked at
};

bool read_page(const Rows& segments, const ReadRequest& request, Page& page) {
  Fact fact;
  RecordBytes record;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    ByteReader in(segments.at(i, ledger_sql::segment::body).bytes);
    while (!in.done()) {
      if (!next_record_bytes(in, record)) return false;
      if (record.seq < request.from_seq) continue;
      ByteReader again(record.whole);
      if (!next_record(again, request.entity_id, fact)) return false;
      if (page.count == request.limit) return true;
      page.looked_through = fact.seq;
      if (!named(request.types, fact.name())) continue;
      ++page.count;
      page.records += record.whole;
    }
  }
  return true;
}

}  // namespace

void read_ledger(const LedgerCall& call, const Frame& frame, Effects& effects) {
  ReadRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  const bool filtered = !request.types.empty();
  if (call.at<ReadStage>() == ReadStage::begin) {
    // Sequence numbers are dense, so without a filter the range is known. The mask has 31 bits in
    // use.
    const std::int64_t last = filtered ? limits::version_max : request.from_seq + request.limit - 1;
    effects.need_rows(ledger_sql::select_meta, {});
    effects.need_rows(ledger_sql::select_head, {});
    effects.need_rows(ledger_sql::select_range, {Value::of(request.from_seq), Value::of(last),
                                                 Value::of(mask_of(request.types)),
                                                 Value::of(limits::segments_per_read_max)});
    return resume_ledger(effects, call, ReadStage::rows, {});
  }
  LedgerState owner;
  const Status status = open_meta(frame, request.tenant_id, owner);
  if (status != Status::ok) return reply_status(effects, status);
  const Rows head = parse_rows(frame.answers.size() > 1 ? frame.answers[1] : std::string_view{});
  const Rows segments =
      parse_rows(frame.answers.size() > 2 ? frame.answers[2] : std::string_view{});
  Page page;
  if (head.size() == 0 || segments.failed || !read_page(segments, request, page))
    return reply_status(effects, Status::storage_error);
  const std::int64_t last_seq = head.at(0, ledger_sql::head::last_seq).integer;
  // A filter may have looked through all that it was given, or found whole segments to skip: then
  // the page ends with the last segment that it saw, or with the ledger.
  std::int64_t next = page.looked_through + 1;
  const bool full = page.count == request.limit;
  if (filtered && !full) {
    const bool cut = static_cast<std::int64_t>(segments.size()) == limits::segments_per_read_max;
    next = cut ? segments.at(segments.size() - 1, ledger_sql::segment::last_seq).integer + 1
               : last_seq + 1;
  }
  const bool more = next <= last_seq && page.looked_through != 0;
  reply_value(effects, ReadReply{owner.tenant_id, page.records, more ? next : 0});
}

void read_head(const LedgerCall& call, const Frame& frame, Effects& effects) {
  ReadRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  if (call.at<ReadStage>() == ReadStage::begin) {
    effects.need_rows(ledger_sql::select_meta, {});
    effects.need_rows(ledger_sql::select_head, {});
    return resume_ledger(effects, call, ReadStage::rows, {});
  }
  LedgerState owner;
  const Status status = open_meta(frame, request.tenant_id, owner);
  if (status != Status::ok) return reply_status(effects, status);
  const Rows head = parse_rows(frame.answers.size() > 1 ? frame.answers[1] : std::string_view{});
  Summary summary;
  if (head.size() == 0 || !summary.decode(head.at(0, ledger_sql::head::summary).bytes)) {
    return reply_status(effects, Status::storage_error);
  }
  const std::string counts = summary.counts.encode();
  HeadReply reply;
  reply.entity_id = owner.entity_id;
  reply.tenant_id = owner.tenant_id;
  reply.created_at = owner.created_at;
  reply.lifecycle = summary.lifecycle;
  reply.seq = head.at(0, ledger_sql::head::last_seq).integer;
  reply.root = summary.tree.root();
  reply.recorded_at = head.at(0, ledger_sql::head::last_recorded_at).integer;
  reply.replicated_seq = owner.confirmed_seq;
  reply.verified_seq = owner.checkpoint.seq;
  reply.counts = counts;
  reply_value(effects, reply);
}

}  // namespace z0
