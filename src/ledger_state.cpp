// What a ledger remembers, and its bytes.
#include "z0/json.hpp"
#include "z0/ledger.hpp"
#include "z0/limits.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t meta_version = 1;
constexpr std::uint8_t counts_version = 1;

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
  member("other", known[0]);
  out += '}';
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
  return bytes;
}

bool LedgerState::decode_meta(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != meta_version) return false;
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  hash_seed = in.u64();
  created_at = static_cast<std::int64_t>(in.varint());
  confirmed_seq = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done();
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

LedgerState& Ledgers::put(std::uint64_t incarnation, std::unique_ptr<LedgerState> state) {
  make_room(state->memory_bytes());
  auto& place = states_[incarnation];
  place = std::move(state);
  place->used_at = ++tick_;
  return *place;
}

void Ledgers::make_room(std::size_t incoming_bytes) {
  std::size_t bytes = incoming_bytes;
  for (const auto& [incarnation, state] : states_) bytes += state->memory_bytes();
  while (!states_.empty() &&
         (states_.size() >= limits::resident_ledgers_max || bytes > limits::resident_bytes_max)) {
    auto oldest = states_.begin();
    for (auto it = states_.begin(); it != states_.end(); ++it) {
      if (it->second->used_at < oldest->second->used_at) oldest = it;
    }
    bytes -= oldest->second->memory_bytes();
    states_.erase(oldest);
  }
}

std::string encode_append_request(bool atomic, std::string_view tenant_id,
                                  std::string_view entity_id, std::size_t count,
                                  std::string_view packed) {
  std::string bytes;
  bytes.reserve(packed.size() + tenant_id.size() + entity_id.size() + 16);
  ByteWriter out(bytes);
  out.u8(atomic ? 1 : 0);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(count);
  out.raw(packed);
  return bytes;
}

bool AppendRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  atomic = in.u8() != 0;
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  submissions.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) submissions.push_back(in.short_bytes());
  return in.ok() && in.done();
}

void encode_append_results(std::string& bytes, const std::vector<AppendResult>& results) {
  ByteWriter out(bytes);
  out.varint(results.size());
  for (const auto& r : results) {
    out.u8(static_cast<std::uint8_t>(r.status));
    out.varint(static_cast<std::uint64_t>(r.seq));
    out.varint(static_cast<std::uint64_t>(r.recorded_at));
    if (r.status == Status::conflict) out.short_bytes(r.field);
  }
}

bool decode_append_results(std::string_view bytes, std::vector<AppendResult>& results) {
  ByteReader in(bytes);
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    AppendResult r;
    const std::uint8_t status = in.u8();
    if (status >= static_cast<std::uint8_t>(Status::count_)) return false;
    r.status = static_cast<Status>(status);
    r.seq = static_cast<std::int64_t>(in.varint());
    r.recorded_at = static_cast<std::int64_t>(in.varint());
    if (r.status == Status::conflict) r.field = in.short_bytes();
    results.push_back(r);
  }
  return in.ok() && in.done();
}

void ReadRequest::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(static_cast<std::uint64_t>(from_seq));
  out.varint(static_cast<std::uint64_t>(limit));
  out.short_bytes(types);
}

bool ReadRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  from_seq = static_cast<std::int64_t>(in.varint());
  limit = static_cast<std::int64_t>(in.varint());
  types = in.short_bytes();
  return in.ok() && in.done() && from_seq >= 1 && limit >= 1 &&
         limit <= static_cast<std::int64_t>(limits::page_facts_max);
}

}  // namespace z0
