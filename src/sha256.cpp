#include "z0/sha256.hpp"

#include <cstddef>
#include <cstring>

namespace z0 {
namespace {

constexpr std::size_t kBlockBytes = 64;
// What must still fit behind the message in its last block: the 0x80 byte and a 64-bit length.
constexpr std::size_t kTailBytes = 9;

using State = std::array<std::uint32_t, 8>;

// FIPS 180-4, 5.3.3: the fractions of the square roots of the first eight primes.
constexpr State kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-4, 4.2.2: the fractions of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

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

void compress(State& state, const unsigned char* block) {
  std::array<std::uint32_t, 16> w;
  for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian(block + 4 * t);
  auto [a, b, c, d, e, f, g, h] = state;
  // Sixteen rounds at a time have fixed places in the ring, which a compiler unrolls into
  // registers.
  for (std::size_t base = 0; base < kRound.size(); base += 16) {
    if (base > 0) extend(w);
    for (std::size_t t = 0; t < 16; ++t) {
      const std::uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
      const std::uint32_t t1 = h + sum1 + (g ^ (e & (f ^ g))) + kRound[base + t] + w[t];
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

std::size_t compress_whole_blocks(State& state, std::string_view message) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t done = 0;
  for (; message.size() - done >= kBlockBytes; done += kBlockBytes) compress(state, bytes + done);
  return done;
}

// Takes the rest of a message of which `prefix_bytes` (whole blocks) are in the state already.
Digest finish(State state, std::size_t prefix_bytes, std::string_view message) {
  const std::size_t done = compress_whole_blocks(state, message);
  const std::size_t rest = message.size() - done;
  unsigned char tail[2 * kBlockBytes] = {};
  if (rest > 0) std::memcpy(tail, message.data() + done, rest);
  tail[rest] = 0x80;
  const std::size_t padded = rest + kTailBytes <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const std::uint64_t bits = (static_cast<std::uint64_t>(prefix_bytes) + message.size()) * 8;
  for (std::size_t i = 0; i < 8; ++i) {
    tail[padded - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
  }
  compress(state, tail);
  if (padded > kBlockBytes) compress(state, tail + kBlockBytes);
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

// HMAC's two hashes differ in the byte their key block is masked with.
Digest keyed(const std::array<unsigned char, kBlockBytes>& key, unsigned char mask,
             std::string_view message) {
  std::array<unsigned char, kBlockBytes> block = key;
  for (unsigned char& byte : block) byte ^= mask;
  State state = kInitial;
  compress(state, block.data());
  return finish(state, kBlockBytes, message);
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Digest sha256(std::string_view message) { return finish(kInitial, 0, message); }

Digest hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, kBlockBytes> block = {};
  if (key.size() > kBlockBytes) {
    const Digest shortened = sha256(key);
    std::memcpy(block.data(), shortened.data(), shortened.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  const Digest inner = keyed(block, 0x36, message);
  return keyed(block, 0x5c, view(inner));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // volatile: a compiler that saw the loop could leave it at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace z0
