// What the two ways of computing SHA-256 share: one message at a time (sha256.cpp) and four
// (sha256_lanes.cpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "z0/base/sha256.hpp"

namespace z0::sha256_block {

inline constexpr std::size_t block_bytes = 64;
// What must still fit behind the message in its last block: the 0x80 byte and a 64-bit length.
inline constexpr std::size_t tail_bytes = 9;

using State = std::array<std::uint32_t, 8>;

// FIPS 180-4, 5.3.3: the fractions of the square roots of the first eight primes.
inline constexpr State initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-4, 4.2.2: the fractions of the cube roots of the first 64 primes.
inline constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void compress(State& state, const unsigned char* block);

// The message's end, already at tail[0, rest), becomes one block or two; returns how many bytes.
// `tail` has room for two and is zero behind the message.
inline std::size_t pad(unsigned char* tail, std::size_t rest, std::uint64_t message_bytes) {
  tail[rest] = 0x80;
  const std::size_t padded = rest + tail_bytes <= block_bytes ? block_bytes : 2 * block_bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    tail[padded - 1 - i] = static_cast<unsigned char>(message_bytes * 8 >> (8 * i));
  }
  return padded;
}

inline Digest digest_of(const State& state) {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace z0::sha256_block
