// What a ledger remembers, and its bytes.
#include <algorithm>

#include "ledger/sql.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/ledger/ledger.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t meta_version = 1;
constexpr std::uint8_t counts_version = 1;
constexpr std::uint8_t summary_version = 1;
// In a result of AppendReply: the recorded submission follows.
constexpr std::uint8_t stamped_flag = 0x80;

}  // namespace

void TypeCounts::add(FactType type, std::string_view custom_name) {
  if (type == FactType::custom) {
    for (auto& [name, count] : custom) {
      if (name == custom_name) {
        ++count;
        return;
      }
    }
    if (custom.size() < limits::counted_types_max) {
      custom.emplace_back(custom_name, 1);
      return;
    }
  }
  ++known[static_cast<std::size_t>(type)];
}

std::string TypeCounts::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(counts_version);
  for (const auto count : known) out.varint(static_cast<std::uint64_t>(count));
  out.varint(custom.size());
  for (const auto& [name, count] : custom) {
    out.short_bytes(name);
    out.varint(static_cast<std::uint64_t>(count));
  }
  return bytes;
}

bool TypeCounts::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != counts_version) return false;
  for (auto& count : known) count = static_cast<std::int64_t>(in.varint());
  const std::uint64_t customs = in.varint();
  if (customs > limits::counted_types_max) return false;
  for (std::uint64_t i = 0; i < customs; ++i) {
    const auto name = in.short_bytes();
    custom.emplace_back(name, static_cast<std::int64_t>(in.varint()));
  }
  return in.ok() && in.done();
}

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
}

bool PassState::pending() const {
  for (const Divergence& d : found) {
    if (d.first_seq != 0) return true;
  }
  return false;
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
  if (!in.ok()) return false;
  folds.decode_all(parts, seq);
  // A checkpoint that cannot be read is no reason to stop: the pass begins anew.
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    if (!folds.valid(part) && !manual[part]) *this = PassState{};
  }
  return true;
}

void TypeCounts::append_json(std::string& out) const {
  out += '{';
  const std::size_t empty = out.size();
  const auto member = [&](std::string_view name, std::int64_t count) {
    if (count == 0) return;
    if (out.size() > empty) out += ',';
    append_json_string(out, name);
    out += ':';
    out += std::to_string(count);
  };
  for (std::size_t i = 1; i < std::size(known); ++i)
    member(type_name(static_cast<FactType>(i)), known[i]);
  for (const auto& [name, count] : custom) member(name, count);
  member("(other)", known[0]);
  out += '}';
}

void LedgerState::write_meta(Effects& effects) {
  std::string meta = encode_meta();
  if (meta == written_meta) return;
  effects.write(ledger_sql::put_meta, {Value::blob(meta)});
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

std::string encode_append_request(std::uint8_t flags, std::string_view tenant_id,
                                  std::string_view entity_id, std::size_t count,
                                  std::string_view packed) {
  std::string bytes;
  bytes.reserve(packed.size() + tenant_id.size() + entity_id.size() + 16);
  ByteWriter out(bytes);
  out.u8(flags);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(count);
  out.raw(packed);
  return bytes;
}

bool AppendRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t flags = in.u8();
  atomic = (flags & append_atomic) != 0;
  system = (flags & append_system) != 0;
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  submissions.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) submissions.push_back(in.short_bytes());
  return in.ok() && in.done();
}

void AppendReply::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.varint(results.size());
  for (const auto& r : results) {
    const std::uint8_t flag = r.stamped.empty() ? 0 : stamped_flag;
    out.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(r.status) | flag));
    out.varint(static_cast<std::uint64_t>(r.seq));
    out.varint(static_cast<std::uint64_t>(r.recorded_at));
    if (r.status == Status::conflict) out.short_bytes(r.field);
    if (flag != 0) out.short_bytes(r.stamped);
  }
  out.varint(static_cast<std::uint64_t>(size));
  out.raw({reinterpret_cast<const char*>(root.data()), root.size()});
  out.short_bytes(extra);
}

bool AppendReply::decode(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    AppendResult r;
    const std::uint8_t first = in.u8();
    const auto status = static_cast<std::uint8_t>(first & ~stamped_flag);
    if (status >= static_cast<std::uint8_t>(Status::count_)) return false;
    r.status = static_cast<Status>(status);
    r.seq = static_cast<std::int64_t>(in.varint());
    r.recorded_at = static_cast<std::int64_t>(in.varint());
    if (r.status == Status::conflict) r.field = in.short_bytes();
    if ((first & stamped_flag) != 0) r.stamped = in.short_bytes();
    results.push_back(r);
  }
  size = static_cast<std::int64_t>(in.varint());
  const std::string_view hash = in.raw(root.size());
  extra = in.short_bytes();
  if (!in.ok() || !in.done()) return false;
  std::copy(hash.begin(), hash.end(), reinterpret_cast<char*>(root.data()));
  return true;
}

void ReadRequest::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(static_cast<std::uint64_t>(from_seq));
  out.varint(static_cast<std::uint64_t>(limit));
  out.short_bytes(types);
  out.u8(records ? 1 : 0);
}

bool ReadRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  from_seq = static_cast<std::int64_t>(in.varint());
  limit = static_cast<std::int64_t>(in.varint());
  types = in.short_bytes();
  records = in.u8() != 0;
  return in.ok() && in.done() && from_seq >= 1 && limit >= 1 &&
         limit <= static_cast<std::int64_t>(limits::page_facts_max);
}

std::string StateRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.u8(what);
  out.varint(static_cast<std::uint64_t>(as_of_seq));
  out.varint(static_cast<std::uint64_t>(as_of_ms));
  return bytes;
}

bool StateRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  what = in.u8();
  as_of_seq = static_cast<std::int64_t>(in.varint());
  as_of_ms = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done() && (what < Folds::parts || what == state_of_configs) &&
         as_of_seq >= 0 && as_of_ms >= 0;
}

}  // namespace z0
