// Four messages at a time: lane l of every vector belongs to one message. A lane whose message has
// ended takes the next one, so messages of different lengths keep all four busy until the last few;
// a message that is left alone is finished by the scalar code.
#include <cstring>

#include "base/sha256_block.hpp"

namespace z0 {
namespace {

using sha256_block::block_bytes;
using sha256_block::State;

constexpr std::size_t lane_count = 4;

// A vector type of GCC and clang: v128 in WebAssembly, SSE2 and NEON elsewhere.
typedef std::uint32_t Word __attribute__((vector_size(16)));
typedef unsigned char Bytes __attribute__((vector_size(16)));
using LaneState = std::array<Word, 8>;

inline Word rotr_lanes(Word x, int n) { return (x >> n) ^ (x << (32 - n)); }

inline Word load_lane(const unsigned char* p) {
  Bytes b;
  std::memcpy(&b, p, sizeof b);
  return reinterpret_cast<Word>(
      __builtin_shufflevector(b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

// Words 4q to 4q + 3 of four blocks, turned so that each vector holds one word of all four.
inline void load_quarter(const std::array<const unsigned char*, lane_count>& blocks, std::size_t q,
                         Word* w) {
  const Word a = load_lane(blocks[0] + 16 * q);
  const Word b = load_lane(blocks[1] + 16 * q);
  const Word c = load_lane(blocks[2] + 16 * q);
  const Word d = load_lane(blocks[3] + 16 * q);
  const Word ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Word ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Word cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Word cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  w[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  w[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  w[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  w[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// As in sha256.cpp, the next 16 words of the schedule take the place of the last.
inline void extend(std::array<Word, 16>& w) {
  for (std::size_t t = 0; t < 16; ++t) {
    const Word w15 = w[(t + 1) & 15];
    const Word w2 = w[(t + 14) & 15];
    const Word s0 = rotr_lanes(w15, 7) ^ rotr_lanes(w15, 18) ^ (w15 >> 3);
    const Word s1 = rotr_lanes(w2, 17) ^ rotr_lanes(w2, 19) ^ (w2 >> 10);
    w[t] += s0 + w[(t + 9) & 15] + s1;
  }
}

void compress_lanes(LaneState& state, const std::array<const unsigned char*, lane_count>& blocks) {
  std::array<Word, 16> w;
  for (std::size_t q = 0; q < 4; ++q) load_quarter(blocks, q, &w[4 * q]);
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t base = 0; base < sha256_block::round_constants.size(); base += 16) {
    if (base > 0) extend(w);
    for (std::size_t t = 0; t < 16; ++t) {
      const Word sum1 = rotr_lanes(e, 6) ^ rotr_lanes(e, 11) ^ rotr_lanes(e, 25);
      const Word t1 =
          h + sum1 + (g ^ (e & (f ^ g))) + sha256_block::round_constants[base + t] + w[t];
      const Word sum0 = rotr_lanes(a, 2) ^ rotr_lanes(a, 13) ^ rotr_lanes(a, 22);
      const Word t2 = sum0 + ((a & b) | (c & (a | b)));
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
  const LaneState added = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

// One message behind its prefix, as blocks. Whole blocks of the message are read where they lie;
// the first, which begins with the prefix, and the padded end are copies.
class Blocks {
 public:
  void begin(std::uint8_t prefix, std::string_view message) {
    message_ = reinterpret_cast<const unsigned char*>(message.data());
    const std::size_t size = message.size() + 1;
    whole_ = size / block_bytes * block_bytes;
    at_ = 0;
    const std::size_t rest = size - whole_;
    std::memset(tail_, 0, sizeof tail_);
    if (whole_ == 0) {
      tail_[0] = prefix;
      copy(tail_ + 1, 0, rest - 1);
    } else {
      head_[0] = prefix;
      copy(head_ + 1, 0, block_bytes - 1);
      copy(tail_, whole_ - 1, rest);
    }
    end_ = whole_ + sha256_block::pad(tail_, rest, size);
  }
  bool done() const { return at_ == end_; }
  const unsigned char* next() {
    const std::size_t at = at_;
    at_ += block_bytes;
    if (at >= whole_) return tail_ + (at - whole_);
    return at == 0 ? head_ : message_ + (at - 1);
  }

 private:
  void copy(unsigned char* to, std::size_t from, std::size_t bytes) const {
    if (bytes > 0) std::memcpy(to, message_ + from, bytes);
  }
  const unsigned char* message_ = nullptr;
  std::size_t whole_ = 0;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  unsigned char head_[block_bytes];
  unsigned char tail_[2 * block_bytes];
};

State state_of_lane(const LaneState& lanes, std::size_t lane) {
  State state;
  for (std::size_t i = 0; i < state.size(); ++i) state[i] = lanes[i][lane];
  return state;
}

class Lanes {
 public:
  Lanes(std::uint8_t prefix, std::span<const std::string_view> messages, Digest* out)
      : prefix_(prefix), messages_(messages), out_(out) {}

  void run() {
    for (std::size_t lane = 0; lane < lane_count; ++lane) take(lane);
    while (busy_ > 1) step();
    for (std::size_t lane = 0; lane < lane_count; ++lane) finish_alone(lane);
  }

 private:
  // The next message, if there is one.
  void take(std::size_t lane) {
    busy_lanes_[lane] = next_ < messages_.size();
    if (!busy_lanes_[lane]) return;
    ++busy_;
    message_of_[lane] = next_;
    blocks_[lane].begin(prefix_, messages_[next_++]);
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i][lane] = sha256_block::initial[i];
  }
  void step() {
    // An idle lane hashes zeros that nobody asks for.
    static constexpr unsigned char idle[block_bytes] = {};
    std::array<const unsigned char*, lane_count> blocks;
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      blocks[lane] = busy_lanes_[lane] ? blocks_[lane].next() : idle;
    }
    compress_lanes(state_, blocks);
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      if (!busy_lanes_[lane] || !blocks_[lane].done()) continue;
      out_[message_of_[lane]] = sha256_block::digest_of(state_of_lane(state_, lane));
      --busy_;
      take(lane);
    }
  }
  void finish_alone(std::size_t lane) {
    if (!busy_lanes_[lane]) return;
    State state = state_of_lane(state_, lane);
    while (!blocks_[lane].done()) sha256_block::compress(state, blocks_[lane].next());
    out_[message_of_[lane]] = sha256_block::digest_of(state);
  }

  std::uint8_t prefix_;
  std::span<const std::string_view> messages_;
  Digest* out_;
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  LaneState state_ = {};
  std::array<bool, lane_count> busy_lanes_ = {};
  std::array<std::size_t, lane_count> message_of_ = {};
  std::array<Blocks, lane_count> blocks_;
};

}  // namespace

void sha256_each(std::uint8_t prefix, std::span<const std::string_view> messages, Digest* out) {
  Lanes(prefix, messages, out).run();
}

}  // namespace z0
