#include "z0/base/sha256.hpp"

#include <cstddef>
#include <cstring>

#include "base/sha256_block.hpp"

namespace z0 {
namespace {

using sha256_block::block_bytes;
using sha256_block::State;

constexpr std::uint32_t rotr(std::uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

std::uint32_t load_big_endian(const unsigned char* p) {
  return (static_cast<std::uint32_t>(p[0]) << 24) | (static_cast<std::uint32_t>(p[1]) << 16) |
         (static_cast<std::uint32_t>(p[2]) << 8) | p[3];
}

// The next 16 words of the message schedule, in place: a ring takes 64 bytes of stack, not 256.
void extend(std::array<std::uint32_t, 16>& w) {
  for (std::size_t t = 0; t < 16; ++t) {
    const std::uint32_t w15 = w[(t + 1) & 15];
    const std::uint32_t w2 = w[(t + 14) & 15];
    const std::uint32_t s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    const std::uint32_t s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    w[t] += s0 + w[(t + 9) & 15] + s1;
  }
}

}  // namespace

void sha256_block::compress(State& state, const unsigned char* block) {
  std::array<std::uint32_t, 16> w;
  for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian(block + 4 * t);
  auto [a, b, c, d, e, f, g, h] = state;
  // Sixteen rounds at a time have fixed places in the ring, which a compiler unrolls into
  // registers.
  for (std::size_t base = 0; base < round_constants.size(); base += 16) {
    if (base > 0) extend(w);
    for (std::size_t t = 0; t < 16; ++t) {
      const std::uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
      const std::uint32_t t1 = h + sum1 + (g ^ (e & (f ^ g))) + round_constants[base + t] + w[t];
      const std::uint32_t sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
      const std::uint32_t t2 = sum0 + ((a & b) | (c & (a | b)));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
  }
  const State added = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

namespace {

using sha256_block::compress;

std::size_t compress_whole_blocks(State& state, std::string_view message) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t done = 0;
  for (; message.size() - done >= block_bytes; done += block_bytes) compress(state, bytes + done);
  return done;
}

// Takes the rest of a message of which `prefix_bytes` (whole blocks) are in the state already.
Digest finish(State state, std::size_t prefix_bytes, std::string_view message) {
  const std::size_t done = compress_whole_blocks(state, message);
  const std::size_t rest = message.size() - done;
  unsigned char tail[2 * block_bytes] = {};
  if (rest > 0) std::memcpy(tail, message.data() + done, rest);
  const std::size_t padded =
      sha256_block::pad(tail, rest, static_cast<std::uint64_t>(prefix_bytes) + message.size());
  compress(state, tail);
  if (padded > block_bytes) compress(state, tail + block_bytes);
  return sha256_block::digest_of(state);
}

// HMAC's two hashes differ in the byte their key block is masked with.
Digest keyed(const std::array<unsigned char, block_bytes>& key, unsigned char mask,
             std::string_view message) {
  std::array<unsigned char, block_bytes> block = key;
  for (unsigned char& byte : block) byte ^= mask;
  State state = sha256_block::initial;
  compress(state, block.data());
  return finish(state, block_bytes, message);
}

}  // namespace

Digest sha256(std::string_view message) { return finish(sha256_block::initial, 0, message); }

Digest hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, block_bytes> block = {};
  if (key.size() > block_bytes) {
    const Digest shortened = sha256(key);
    std::memcpy(block.data(), shortened.data(), shortened.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  const Digest inner = keyed(block, 0x36, message);
  return keyed(block, 0x5c, bytes_of(inner));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // volatile: a compiler that saw the loops could leave them at the first difference.
  volatile std::uint64_t difference = 0;
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= a.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t x, y;
    std::memcpy(&x, a.data() + i, sizeof x);
    std::memcpy(&y, b.data() + i, sizeof y);
    difference = difference | (x ^ y);
  }
  for (; i < a.size(); ++i) difference = difference | static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace z0
