// What a ledger remembers, and its bytes.
#include "z0/ledger/state.hpp"

#include <algorithm>

#include "ledger/sql.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t meta_version = 1;
constexpr std::uint8_t summary_version = 1;

}  // namespace

std::string Summary::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(summary_version);
  out.short_bytes(counts.encode());
  out.u8(static_cast<std::uint8_t>(lifecycle));
  out.short_bytes(tree.encode());
  return bytes;
}

bool Summary::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != summary_version || !counts.decode(in.short_bytes())) return false;
  const std::uint8_t stage = in.u8();
  if (stage >= static_cast<std::uint8_t>(Lifecycle::count_)) return false;
  lifecycle = static_cast<Lifecycle>(stage);
  return tree.decode(in.short_bytes()) && tree.begin() == 0 && in.ok() && in.done();
}

void PassState::begin_whole() {
  seq = 0;
  folds = Folds{};
  whole = true;
  tree = MerkleRange{};
  tree_diverged_seq = 0;
  left_over.begin_whole();
}

bool PassState::pending() const {
  for (const Divergence& d : found) {
    if (d.first_seq != 0) return true;
  }
  return left_over.pending();
}

void PassState::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(seq));
  out.short_bytes(folds.encode_all(seq));
  out.u8(whole ? 1 : 0);
  if (whole) out.short_bytes(tree.encode());
  out.varint(static_cast<std::uint64_t>(tree_diverged_seq));
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    const Divergence& d = found[part];
    out.u8(manual[part] ? 1 : 0);
    out.varint(static_cast<std::uint64_t>(mismatch_at[part]));
    out.varint(static_cast<std::uint64_t>(d.first_seq));
    if (d.first_seq == 0) continue;
    for (const auto& text : {d.trace, d.cached, d.calculated}) out.short_bytes(text);
  }
  left_over.encode(bytes);
}

bool PassState::decode(ByteReader& in) {
  seq = static_cast<std::int64_t>(in.varint());
  const std::string_view parts = in.short_bytes();
  whole = in.u8() != 0;
  if (whole && !tree.decode(in.short_bytes())) return false;
  tree_diverged_seq = static_cast<std::int64_t>(in.varint());
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    Divergence& d = found[part];
    manual[part] = in.u8() != 0;
    mismatch_at[part] = static_cast<std::int64_t>(in.varint());
    d.first_seq = static_cast<std::int64_t>(in.varint());
    if (d.first_seq == 0) continue;
    for (auto* text : {&d.trace, &d.cached, &d.calculated}) *text = in.short_bytes();
  }
  if (!in.ok() || !left_over.decode(in)) return false;
  folds.decode_all(parts, seq);
  // A checkpoint that cannot be read is no reason to stop: the pass begins anew.
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    if (!folds.valid(part) && !manual[part]) *this = PassState{};
  }
  return true;
}

void LedgerState::write_meta(Effects& effects) {
  std::string meta = encode_meta();
  if (meta == written_meta) return;
  using namespace ledger_sql;
  if (!has_tables) {
    for (const auto sql : {create_meta, create_segments, create_id_runs, create_tree_nodes})
      effects.write(sql, {});
    has_tables = true;
  }
  effects.write(put_meta, {Value::blob(meta)});
  written_meta = std::move(meta);
}

std::string LedgerState::encode_meta() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(meta_version);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.u64(hash_seed);
  out.varint(static_cast<std::uint64_t>(created_at));
  out.varint(static_cast<std::uint64_t>(confirmed_seq));
  checkpoint.encode(bytes);
  return bytes;
}

bool LedgerState::decode_meta(std::string_view bytes) {
  written_meta = bytes;
  ByteReader in(bytes);
  if (in.u8() != meta_version) return false;
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  hash_seed = in.u64();
  created_at = static_cast<std::int64_t>(in.varint());
  confirmed_seq = static_cast<std::int64_t>(in.varint());
  return in.ok() && checkpoint.decode(in) && in.done();
}

void LedgerState::pin(std::int64_t now_ms) {
  ++waiting;
  pinned_until = now_ms + limits::pin_ms;
}

void LedgerState::unpin() {
  if (waiting > 0) --waiting;
}

std::size_t LedgerState::memory_bytes() const {
  return sizeof *this + tail.body.size() + tail.ids.size() + ids.memory_bytes();
}

void Segment::begin(std::int64_t seq) {
  first_seq = seq;
  last_seq = seq - 1;
  first_recorded_at = last_recorded_at = count = 0;
  types = 0;
  ids.clear();
  body.clear();
}

LedgerState* Ledgers::find(std::uint64_t incarnation) {
  const auto found = states_.find(incarnation);
  if (found == states_.end()) return nullptr;
  found->second->used_at = ++tick_;
  return found->second.get();
}

LedgerState& Ledgers::put(std::uint64_t incarnation, std::unique_ptr<LedgerState> state,
                          std::int64_t now_ms) {
  states_.erase(incarnation);
  make_room(state->memory_bytes(), now_ms);
  auto& place = states_[incarnation];
  place = std::move(state);
  place->used_at = ++tick_;
  return *place;
}

void Ledgers::make_room(std::size_t incoming_bytes, std::int64_t now_ms) {
  const auto goes_before = [now_ms](const LedgerState& a, const LedgerState& b) {
    const bool a_pinned = a.pinned(now_ms);
    return a_pinned != b.pinned(now_ms) ? !a_pinned : a.used_at < b.used_at;
  };
  std::size_t bytes = incoming_bytes;
  for (const auto& [incarnation, state] : states_) bytes += state->memory_bytes();
  while (!states_.empty() &&
         (states_.size() >= limits::resident_ledgers_max || bytes > limits::resident_bytes_max)) {
    auto oldest = states_.begin();
    for (auto it = states_.begin(); it != states_.end(); ++it) {
      if (goes_before(*it->second, *oldest->second)) oldest = it;
    }
    bytes -= oldest->second->memory_bytes();
    states_.erase(oldest);
  }
}

}  // namespace z0
