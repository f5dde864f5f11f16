// Cached states as bytes: u8 version, varint last_seq, and unless that is 0: last_fact_id, then
//
//   BudgetState       varint count, each: currency, then signed varints: deposited, credits, spent,
//                     day, spent on that day, in its week, in its month
//   CapState          varint total, signed varint hour, varint counts of that hour, its day, its
//                     month
//   AccessState       varint count, each: user_id, role, varint since_seq
//   ContactCanonical  contact_id, may be empty
//
// Weeks, months and days that follow from a day or an hour are not written: they cannot disagree.
#include "folds/cached_parts.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/currency.hpp"
#include "z0/folds/cached_state.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t version = 1;

// Whether a time of that index, in units of `unit_ms`, fits 64 bits. One is left off at the lower
// end: its beginning does not.
bool valid_index(std::int64_t index, std::int64_t unit_ms) {
  const std::int64_t most = INT64_MAX / unit_ms;
  return index >= -most && index <= most;
}

}  // namespace

std::string CachedState::encode(CacheType type) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(version);
  const Last& fed = last(type);
  out.varint(static_cast<std::uint64_t>(fed.seq));
  if (fed.seq == 0) return bytes;
  out.short_bytes(fed.fact_id);
  switch (type) {
    case CacheType::budget:
      out.varint(money_.size());
      for (const Money& m : money_) {
        out.raw(m.currency);
        for (const auto n : {m.deposited, m.credits, m.spent, m.period[1], m.period_spent[1],
                             m.period_spent[2], m.period_spent[3]}) {
          out.signed_varint(n);
        }
      }
      break;
    case CacheType::cap:
      out.varint(static_cast<std::uint64_t>(cap_.total));
      out.signed_varint(cap_.window[0]);
      for (const auto n : cap_.count) out.varint(static_cast<std::uint64_t>(n));
      break;
    case CacheType::access:
      out.varint(access_.size());
      for (const Access& a : access_) {
        out.short_bytes(a.user_id);
        out.short_bytes(a.role);
        out.varint(static_cast<std::uint64_t>(a.since_seq));
      }
      break;
    case CacheType::contact:
      out.short_bytes(canonical_);
      break;
    case CacheType::count_:
      break;
  }
  return bytes;
}

bool CachedState::decode(CacheType type, std::string_view bytes) {
  clear(type);
  ByteReader in(bytes);
  Last& fed = last_[static_cast<std::size_t>(type)];
  bool valid = in.u8() == version;
  fed.seq = static_cast<std::int64_t>(in.varint());
  if (fed.seq != 0) {
    fed.fact_id = in.short_bytes();
    valid = valid && fed.seq > 0 && fed.seq <= limits::version_max && valid_id(fed.fact_id);
    if (type == CacheType::budget) {
      valid = valid && decode_money(in);
    } else if (type == CacheType::cap) {
      valid = valid && decode_cap(in);
    } else if (type == CacheType::access) {
      valid = valid && decode_access(in);
    } else {
      canonical_ = in.short_bytes();
      valid = valid && (canonical_.empty() || valid_id(canonical_));
    }
  }
  // A number may be written longer than it need be: nothing but the same bytes is canonical.
  if (valid && in.ok() && in.done() && encode(type) == bytes) return true;
  clear(type);
  return false;
}

bool CachedState::decode_money(ByteReader& in) {
  const std::uint64_t count = in.varint();
  if (count == 0 || count > limits::currencies_per_ledger_max) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    // A state that is refused half read is emptied by decode().
    Money& m = money_.emplace_back();
    m.currency = in.raw(3);
    for (std::int64_t* n : {&m.deposited, &m.credits, &m.spent, &m.period[1], &m.period_spent[1],
                            &m.period_spent[2], &m.period_spent[3]}) {
      *n = in.signed_varint();
      if (n != &m.period[1] && !within_amounts(*n)) return false;
    }
    if (!in.ok() || !within_amounts(m.remaining()) || !valid_index(m.period[1], day_ms)) {
      return false;
    }
    if (!has_currency_form(m.currency)) return false;
    if (i > 0 && money_[static_cast<std::size_t>(i) - 1].currency >= m.currency) return false;
    m.period[2] = period_index(Period::week, m.period[1] * day_ms);
    m.period[3] = period_index(Period::month, m.period[1] * day_ms);
  }
  return true;
}

bool CachedState::decode_cap(ByteReader& in) {
  const std::uint64_t total = in.varint();
  cap_.window[0] = in.signed_varint();
  if (total > static_cast<std::uint64_t>(limits::amount_max) ||
      !valid_index(cap_.window[0], hour_ms)) {
    return false;
  }
  cap_.total = static_cast<std::int64_t>(total);
  cap_.window[1] = period_index(Period::day, cap_.window[0] * hour_ms);
  cap_.window[2] = period_index(Period::month, cap_.window[0] * hour_ms);
  std::uint64_t least = 1;
  for (std::int64_t& count : cap_.count) {
    const std::uint64_t n = in.varint();
    // An hour counts no more than its day, a day no more than its month.
    if (n < least || n > total) return false;
    least = n;
    count = static_cast<std::int64_t>(n);
  }
  return true;
}

bool CachedState::decode_access(ByteReader& in) {
  const std::uint64_t count = in.varint();
  if (count > limits::access_users_max) return false;
  const auto last_seq_fed = static_cast<std::uint64_t>(last(CacheType::access).seq);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view user_id = in.short_bytes();
    const std::string_view role = in.short_bytes();
    const std::uint64_t since = in.varint();
    if (!valid_id(user_id) || role.size() > limits::id_bytes_max || !valid_utf8(role) ||
        since == 0 || since > last_seq_fed ||
        (!access_.empty() && access_.back().user_id >= user_id)) {
      return false;
    }
    Access& a = access_.emplace_back();
    a.user_id = user_id;
    a.role = role;
    a.since_seq = static_cast<std::int64_t>(since);
  }
  return true;
}

// Equal states have equal bytes, so that nothing need be compared member by member.
bool CachedState::same(CacheType type, const CachedState& other) const {
  return encode(type) == other.encode(type);
}

void CachedState::clear(CacheType type) {
  last_[static_cast<std::size_t>(type)] = {};
  if (type == CacheType::budget) money_.clear();
  if (type == CacheType::cap) cap_ = {};
  if (type == CacheType::access) access_.clear();
  if (type == CacheType::contact) canonical_.clear();
}

}  // namespace z0
