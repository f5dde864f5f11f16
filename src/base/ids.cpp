#include "z0/base/ids.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

std::uint64_t load64(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

std::uint64_t load32(const char* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// -- alphabets ------------------------------------------------------------------------------------

// Eight characters are looked at in one word: ids are a good part of every fact, and a table lookup
// for each of their bytes took twice as long in WASM.
constexpr std::uint64_t in_each_byte(std::uint64_t byte) { return byte * 0x0101010101010101; }
constexpr std::uint64_t top_bits = in_each_byte(0x80);

// Sets the top bit of each byte that lies in first..last. The bytes are below 0x80, or else the
// word is refused anyway, so no sum carries into its neighbour.
constexpr std::uint64_t within(std::uint64_t word, std::uint8_t first, std::uint8_t last) {
  return (word + in_each_byte(0x80u - first)) & ~(word + in_each_byte(0x7fu - last));
}

constexpr std::uint64_t id_characters(std::uint64_t word) {
  const std::uint64_t lower = word | in_each_byte(0x20);
  return within(lower, 'a', 'z') | within(word, '0', ':') | within(word, '-', '.') |
         within(word, '_', '_');
}

constexpr std::uint64_t type_characters(std::uint64_t word) {
  return within(word, 'a', 'z') | within(word, '0', '9') | within(word, '_', '_');
}

constexpr std::uint64_t lower_hex_digits(std::uint64_t word) {
  return within(word, '0', '9') | within(word, 'a', 'f');
}

// All bytes of a text of 1 to 7, some of them more than once.
std::uint64_t load_under_8(std::string_view text) {
  const char* p = text.data();
  const std::size_t n = text.size();
  if (n >= 4) return load32(p) | load32(p + n - 4) << 32;
  const auto at = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])}; };
  return in_each_byte(at(0)) << 24 | at(n - 1) << 16 | at(n / 2) << 8 | at(0);
}

// Whether `accept` takes each byte of a text that is not empty.
template <class Accept>
bool each_byte(std::string_view text, Accept accept) {
  const char* p = text.data();
  const std::size_t n = text.size();
  const auto refused = [accept](std::uint64_t word) { return ~accept(word) | word; };
  if (n < 8) return (refused(load_under_8(text)) & top_bits) == 0;
  // The last word overlaps the one before it.
  std::uint64_t bad = refused(load64(p + n - 8));
  for (std::size_t i = 0; i + 8 < n; i += 8) bad |= refused(load64(p + i));
  return (bad & top_bits) == 0;
}

struct LedgerPrefix {
  std::string_view prefix;
  std::string_view type;
};
constexpr LedgerPrefix ledger_prefixes[] = {{"acct_", "account"},
                                            {"ast_", "asset"},
                                            {"con_", "contact"},
                                            {"deal_", "deal"},
                                            {"cfg_", "config"}};

constexpr std::string_view hex_digits = "0123456789abcdef";
// Crockford's: no I, L, O, U. In ASCII order, so ULIDs sort as text.
constexpr std::string_view ulid_digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The value of each hexadecimal digit; no_hex_digit for every other byte.
constexpr std::uint8_t no_hex_digit = 0xff;
constexpr std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> values = {};
  for (std::uint8_t& value : values) value = no_hex_digit;
  for (std::size_t i = 0; i < hex_digits.size(); ++i) {
    const auto c = static_cast<unsigned char>(hex_digits[i]);
    values[c] = static_cast<std::uint8_t>(i);
    if (c >= 'a') values[c - 'a' + 'A'] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> hex_values = make_hex_values();

// -- hashing --------------------------------------------------------------------------------------

// Odd, with about half of their bits set and no pattern: the fractions of sqrt(2), sqrt(3), sqrt(5)
// and sqrt(7), the last bit set.
constexpr std::uint64_t mix1 = 0x6a09e667f3bcc909;
constexpr std::uint64_t mix2 = 0xbb67ae8584caa73b;
constexpr std::uint64_t mix3 = 0x3c6ef372fe94f82b;
constexpr std::uint64_t mix4 = 0xa54ff53a5f1d36f1;

// The 128-bit product of a and b, its halves xored. WASM has no such multiply, so it is put
// together from four of 32 x 32 bits everywhere: hashes are stored, and native tools must find the
// same ones.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a_low = a & 0xffffffff;
  const std::uint64_t a_high = a >> 32;
  const std::uint64_t b_low = b & 0xffffffff;
  const std::uint64_t b_high = b >> 32;
  const std::uint64_t low = a_low * b_low;
  // Neither sum can overflow: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
  const std::uint64_t cross = a_high * b_low + (low >> 32);
  const std::uint64_t middle = a_low * b_high + (cross & 0xffffffff);
  const std::uint64_t high = a_high * b_high + (cross >> 32) + (middle >> 32);
  return high ^ ((middle << 32) | (low & 0xffffffff));
}

// A bijection in which each input bit flips each output bit about half the time.
std::uint64_t finalise(std::uint64_t h) {
  h ^= h >> 32;
  h *= mix3;
  h ^= h >> 29;
  h *= mix4;
  h ^= h >> 32;
  return h;
}

struct TwoWords {
  std::uint64_t first;
  std::uint64_t second;
};

// All bytes of a text of at most 16; the loads overlap where it is shorter. Its length is hashed
// too, so two texts with the same words are the same text.
TwoWords load_short(std::string_view text) {
  const char* p = text.data();
  const std::size_t n = text.size();
  if (n >= 8) return {load64(p), load64(p + n - 8)};
  if (n >= 4) return {load32(p), load32(p + n - 4)};
  std::uint64_t word = 0;
  for (const char c : text) word = (word << 8) | static_cast<unsigned char>(c);
  return {word, 0};
}

}  // namespace

bool valid_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::id_bytes_max && each_byte(id, id_characters);
}

bool valid_type(std::string_view type) {
  return !type.empty() && type.size() <= limits::type_bytes_max && type[0] >= 'a' &&
         type[0] <= 'z' && each_byte(type, type_characters);
}

std::string_view ledger_type(std::string_view entity_id) {
  for (const LedgerPrefix& entry : ledger_prefixes) {
    if (entity_id.size() > entry.prefix.size() &&
        entity_id.substr(0, entry.prefix.size()) == entry.prefix) {
      return entry.type;
    }
  }
  return {};
}

bool names_ledger(std::string_view entity_id) {
  return valid_id(entity_id) && !ledger_type(entity_id).empty();
}

std::string ledger_object_name(std::string_view entity_id) {
  const std::string_view type = ledger_type(entity_id);
  std::string name;
  if (type.empty()) return name;
  name.reserve(type.size() + 1 + entity_id.size());
  name.append(type).append("_").append(entity_id);
  return name;
}

bool valid_trace_id(std::string_view hex) {
  return hex.size() == 32 && each_byte(hex, lower_hex_digits) &&
         hex.find_first_not_of('0') != std::string_view::npos;
}

void append_hex(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + 2 * bytes.size());
  char* p = out.data() + start;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *p++ = hex_digits[byte >> 4];
    *p++ = hex_digits[byte & 15];
  }
}

bool from_hex(std::string_view hex, char* out, std::size_t n) {
  if (hex.size() % 2 != 0 || hex.size() / 2 != n) return false;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t high = hex_values[static_cast<unsigned char>(hex[2 * i])];
    const std::uint8_t low = hex_values[static_cast<unsigned char>(hex[2 * i + 1])];
    if (high == no_hex_digit || low == no_hex_digit) return false;
    out[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

std::string ulid(std::int64_t now_ms, std::string_view random, std::uint64_t index) {
  if (random.size() != 10) trap("a ULID is made of 10 random bytes");
  // 80 bits as 16 + 64. A batch that runs over the top starts again at zero: of all batches of
  // 1,000 one in 2^70, and its ids are still distinct.
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 2; ++i) high = (high << 8) | static_cast<unsigned char>(random[i]);
  for (std::size_t i = 2; i < 10; ++i) low = (low << 8) | static_cast<unsigned char>(random[i]);
  low += index;
  if (low < index) ++high;
  std::uint64_t time = static_cast<std::uint64_t>(now_ms);
  std::string out(26, '0');
  // From the right: 16 digits of randomness, of which 12 and four bits of the next lie in `low`.
  std::uint64_t mixed = (high << 4 & 0xfffff) | (low >> 60);
  for (std::size_t i = 26; i-- > 14; low >>= 5) out[i] = ulid_digits[low & 31];
  for (std::size_t i = 14; i-- > 10; mixed >>= 5) out[i] = ulid_digits[mixed & 31];
  time &= (std::uint64_t{1} << 48) - 1;
  for (std::size_t i = 10; i-- > 0; time >>= 5) out[i] = ulid_digits[time & 31];
  return out;
}

std::uint64_t id_hash(std::string_view id, std::uint64_t seed) {
  // Both factors of every product hold something that only the seed tells. With a public one, a
  // word that cancels it makes the product zero whatever the other word is: collisions for any
  // seed.
  std::uint64_t state = seed ^ mix1;
  const std::uint64_t key = (seed ^ (seed >> 32) ^ mix2) * mix3;
  std::string_view rest = id;
  for (; rest.size() > 16; rest.remove_prefix(16)) {
    state = fold(load64(rest.data()) ^ state, load64(rest.data() + 8) ^ key);
  }
  // A long id's last block is its last 16 bytes, some of them read before.
  const TwoWords last = load_short(id.size() > 16 ? id.substr(id.size() - 16) : id);
  state = fold(last.first ^ state, last.second ^ key);
  const std::uint64_t hash = finalise(state ^ (id.size() * mix4)) & limits::id_hash_mask;
  return hash == 0 ? mix1 : hash;
}

}  // namespace z0
