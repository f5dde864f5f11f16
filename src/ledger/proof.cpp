// Proofs of a ledger's tree: which rows a proof is made of, and the proof. Nothing is read but
// those rows: kept nodes, and the segments of at most three blocks of 256 facts.
#include <algorithm>
#include <utility>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/tree/merkle.hpp"

namespace z0 {
namespace {

bool plan_of(const ProofRequest& request, std::int64_t size, ProofPlan& plan) {
  if (request.kind == ProofRequest::Kind::inclusion)
    return plan_inclusion(request.from - 1, size, plan);
  return plan_consistency(request.from, size, plan);
}

void need_runs(const ProofPlan& plan, const ProofRequest& request, Effects& effects) {
  for (const auto& run : plan.runs) {
    if (run.level == 0) {
      effects.need_rows(ledger_sql::select_leaves, {Value::of(run.begin + 1), Value::of(run.end)});
      continue;
    }
    const std::int64_t base = run.level * ledger_sql::tree_level_keys;
    effects.need_rows(ledger_sql::select_tree_nodes,
                      {Value::of(base + run.begin), Value::of(base + run.end)});
  }
  // The fact itself, for an inclusion.
  if (request.kind == ProofRequest::Kind::inclusion)
    effects.need_rows(ledger_sql::select_leaves,
                      {Value::of(request.from), Value::of(request.from)});
}

// The leaves of facts (begin, end] as they stand in segments, or one digest a row of nodes.
bool hashes_of(const ProofPlan::Run& run, const Rows& rows, std::vector<Digest>& out) {
  if (rows.failed) return false;
  if (run.level != 0) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Digest hash;
      if (rows.at(i, 0).bytes.size() != hash.size()) return false;
      std::copy_n(rows.at(i, 0).bytes.begin(), hash.size(), reinterpret_cast<char*>(hash.data()));
      out.push_back(hash);
    }
    return true;
  }
  std::vector<std::string_view> leaves;
  RecordBytes record;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (ByteReader in(rows.at(i, 0).bytes); next_record_bytes(in, record);) {
      if (record.seq > run.begin && record.seq <= run.end) leaves.push_back(record.leaf);
    }
  }
  out.resize(leaves.size());
  merkle_leaves(leaves, out.data());
  return true;
}

std::string_view record_of(std::int64_t seq, const Rows& rows) {
  RecordBytes record;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (ByteReader in(rows.at(i, 0).bytes); next_record_bytes(in, record);) {
      if (record.seq == seq) return record.leaf;
    }
  }
  return {};
}

void reply_proof(const ProofRequest& request, const LedgerState& owner, std::int64_t size,
                 const ProofPlan& plan, const Frame& frame, Effects& effects) {
  std::vector<std::vector<Digest>> hashes(plan.runs.size());
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const bool answered = i < frame.answers.size();
    if (!answered || !hashes_of(plan.runs[i], parse_rows(frame.answers[i]), hashes[i]))
      return reply_status(effects, Status::storage_error);
  }
  std::vector<Digest> proof;
  if (!make_proof(plan, hashes, proof)) return reply_status(effects, Status::storage_error);
  ProofReply reply;
  reply.tenant_id = owner.tenant_id;
  reply.size = size;
  if (request.kind == ProofRequest::Kind::inclusion)
    reply.record = record_of(request.from, parse_rows(frame.answers[plan.runs.size()]));
  reply.proof = std::move(proof);
  reply_value(effects, reply);
}

void reply_head(const Rows& head, Effects& effects) {
  Summary summary;
  if (!summary.decode(head.at(0, ledger_sql::head::summary).bytes))
    return reply_status(effects, Status::storage_error);
  reply_value(effects, TreeHead{summary.tree.end(), summary.tree.root()});
}

}  // namespace

void read_proof(const LedgerCall& call, const Frame& frame, Effects& effects) {
  ProofRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  if (call.at<ProofStage>() == ProofStage::begin) {
    effects.need_rows(ledger_sql::select_meta, {});
    effects.need_rows(ledger_sql::select_head, {});
    return resume_ledger(effects, call, ProofStage::head, {});
  }
  LedgerState owner;
  std::int64_t size = request.size;
  if (call.at<ProofStage>() == ProofStage::head) {
    const Status status = open_meta(frame, request.tenant_id, owner);
    if (status != Status::ok) return reply_status(effects, status);
    const Rows head = parse_rows(frame.answers.size() > 1 ? frame.answers[1] : std::string_view{});
    if (head.size() == 0) return reply_status(effects, Status::storage_error);
    if (request.kind == ProofRequest::Kind::head) return reply_head(head, effects);
    if (size == 0) size = head.at(0, ledger_sql::head::last_seq).integer;
    ProofPlan plan;
    if (size > head.at(0, ledger_sql::head::last_seq).integer || !plan_of(request, size, plan))
      return reply_status(effects, Status::bad_parameter);
    if (plan.runs.empty() && request.kind == ProofRequest::Kind::consistency)
      return reply_proof(request, owner, size, plan, frame, effects);
    need_runs(plan, request, effects);
    std::string extra;
    ByteWriter out(extra);
    out.varint(static_cast<std::uint64_t>(size));
    out.short_bytes(owner.tenant_id);
    return resume_ledger(effects, call, ProofStage::hashes, extra);
  }
  ByteReader in(call.extra);
  size = static_cast<std::int64_t>(in.varint());
  owner.tenant_id = in.short_bytes();
  owner.entity_id = request.entity_id;
  ProofPlan plan;
  if (!plan_of(request, size, plan) || frame.answers.size() < plan.runs.size())
    return reply_status(effects, Status::storage_error);
  reply_proof(request, owner, size, plan, frame, effects);
}

}  // namespace z0
