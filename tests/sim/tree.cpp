#include "tree.hpp"

#include <array>
#include <cstdint>

namespace z0::sim {
namespace {

using Word = std::uint32_t;
__extension__ using Wide = unsigned __int128;

// FIPS 180-4: the constants are the first 32 bits of the fractional parts of the cube roots of the
// first 64 primes, found here in integers.
std::array<Word, 64> round_constants() {
  std::array<Word, 64> k{};
  std::size_t n = 0;
  for (unsigned prime = 2; n < k.size(); ++prime) {
    bool divisible = false;
    for (unsigned d = 2; d * d <= prime; ++d) divisible = divisible || prime % d == 0;
    if (divisible) continue;
    // The largest x with x^3 <= prime * 2^96: the cube root times 2^32.
    Wide x = 0;
    for (int bit = 35; bit >= 0; --bit) {
      const Wide y = x | Wide{1} << bit;
      if (y * y * y <= Wide{prime} << 96) x = y;
    }
    k[n++] = static_cast<Word>(x);
  }
  return k;
}

Word turn(Word x, int by) { return x >> by | x << (32 - by); }

void take_block(std::array<Word, 8>& state, const std::array<Word, 64>& k, const char* block) {
  std::array<Word, 64> w{};
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t b = 0; b < 4; ++b)
      w[i] = w[i] << 8 | static_cast<std::uint8_t>(block[4 * i + b]);
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const Word a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
    const Word b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const Word t =
        h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
    const Word u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t;
    d = c;
    c = b;
    b = a;
    a = t + u;
  }
  const std::array<Word, 8> added{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

}  // namespace

std::string sha256_of(const std::string& message) {
  static const std::array<Word, 64> k = round_constants();
  std::array<Word, 8> state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string padded = message + '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  const std::uint64_t bits = std::uint64_t{8} * message.size();
  for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(bits >> shift & 0xff);
  for (std::size_t at = 0; at < padded.size(); at += 64) take_block(state, k, &padded[at]);
  std::string digest;
  for (const Word word : state) {
    for (int shift = 24; shift >= 0; shift -= 8) digest += static_cast<char>(word >> shift & 0xff);
  }
  return digest;
}

std::string NaiveTree::hash(std::size_t from, std::size_t to) {
  if (from == to) return sha256_of("");
  std::string& known = known_[{from, to}];
  if (!known.empty()) return known;
  if (to - from == 1) return known = sha256_of(std::string(1, '\0') + leaves_[from]);
  std::size_t half = 1;
  while (2 * half < to - from) half *= 2;
  return known = sha256_of('\x01' + hash(from, from + half) + hash(from + half, to));
}

std::string NaiveTree::root(std::size_t size) {
  std::string hex;
  for (const char c : hash(0, size)) {
    hex += "0123456789abcdef"[static_cast<std::uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<std::uint8_t>(c) & 15];
  }
  return hex;
}

}  // namespace z0::sim
