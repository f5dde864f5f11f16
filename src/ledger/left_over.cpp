#include "z0/ledger/left_over.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

bool below(const std::pair<std::int64_t, std::int64_t>& entry, std::int64_t seq) {
  return entry.first < seq;
}

}  // namespace

void LeftOver::begin_whole() {
  left_.clear();
  to_ = 0;
  whole_ = true;
}

void LeftOver::take(const Fact& correction) {
  if (!correction.has(field_corrects)) return;
  const std::int64_t seq = correction.corrects_seq;
  if ((whole_ && seq < from_) || (to_ != 0 && seq >= to_)) return;
  const auto at = std::lower_bound(left_.begin(), left_.end(), seq, below);
  if (at != left_.end() && at->first == seq) {
    // The sum and not what the correction says: it was judged by a row that may have been wrong.
    std::int64_t sum = 0;
    const bool sums = !__builtin_add_overflow(at->second, correction.amount, &sum) &&
                      sum >= -limits::amount_max && sum <= limits::amount_max;
    at->second = sums ? sum : correction.corrects_left;
    return;
  }
  // Written out because an instance of vector::insert is a kilobyte.
  const auto place = static_cast<std::size_t>(at - left_.begin());
  left_.emplace_back(seq, correction.corrects_left);
  for (std::size_t i = left_.size() - 1; i > place; --i) std::swap(left_[i], left_[i - 1]);
  if (left_.size() <= limits::corrected_per_pass_max) return;
  to_ = left_.back().first;
  left_.pop_back();
}

void LeftOver::forget(const std::vector<std::int64_t>& seqs) {
  std::erase_if(left_, [&seqs](const auto& entry) {
    return std::binary_search(seqs.begin(), seqs.end(), entry.first);
  });
  if (left_.empty()) to_ = 0;
}

void LeftOver::end() {
  // The next whole pass begins where this one had to stop.
  if (whole_) from_ = to_;
  left_.clear();
  to_ = 0;
  whole_ = false;
}

std::vector<std::int64_t> LeftOver::seqs() const {
  std::vector<std::int64_t> numbers;
  numbers.reserve(left_.size());
  for (const auto& [seq, amount] : left_) numbers.push_back(seq);
  return numbers;
}

const std::int64_t* LeftOver::find(std::int64_t seq) const {
  const auto at = std::lower_bound(left_.begin(), left_.end(), seq, below);
  return at != left_.end() && at->first == seq ? &at->second : nullptr;
}

void LeftOver::encode(std::string& bytes) const {
  if (left_.empty() && !whole_ && from_ == 0 && mismatch_at == 0) return;
  ByteWriter out(bytes);
  out.u8(whole_ ? 1 : 0);
  for (const std::int64_t number : {from_, to_, mismatch_at})
    out.varint(static_cast<std::uint64_t>(number));
  out.varint(left_.size());
  std::int64_t before = 0;
  for (const auto& [seq, amount] : left_) {
    out.varint(static_cast<std::uint64_t>(seq - before));
    out.signed_varint(amount);
    before = seq;
  }
}

bool LeftOver::decode(ByteReader& in) {
  *this = LeftOver{};
  if (in.done()) return true;
  whole_ = in.u8() != 0;
  for (std::int64_t* number : {&from_, &to_, &mismatch_at})
    *number = static_cast<std::int64_t>(in.varint());
  const std::uint64_t count = in.varint();
  if (count > limits::corrected_per_pass_max) return false;
  std::int64_t seq = 0;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    seq += static_cast<std::int64_t>(in.varint());
    left_.emplace_back(seq, in.signed_varint());
  }
  return in.ok();
}

}  // namespace z0
