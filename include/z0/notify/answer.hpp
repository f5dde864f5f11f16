// What becomes of a notification after a receiver's answer.
//
// The status decides alone: bodies of answers are not read, so that no receiver decides what z0
// holds. Slack says "ok" with 200 and its errors with 4xx, PagerDuty the same with 202.
#pragma once

#include <cstdint>
#include <string_view>

#include "z0/notify/channel.hpp"

namespace z0 {

struct ReceiverAnswer {
  std::int32_t status = 0;          // 0: none came, or not in time
  std::uint32_t retry_after_s = 0;  // 0: it did not say
};

enum class LetterFate : std::uint8_t {
  delivered,
  retry,
  give_up,  // the same request would get the same answer
  disable,  // the receiver is gone and wants nothing any more
};

struct DeliveryVerdict {
  LetterFate delivery = LetterFate::retry;
  std::int64_t wait_ms = 0;  // until the next attempt
  std::string_view why;      // in words, for who looks after the channel; empty when delivered
  // The receiver is there, and did not take this one: another one may fare better.
  bool of_this_one = false;
};

// `tries` attempts failed before this one; `entropy` is 64 bits of chance. How often to try in all is
// not decided here.
DeliveryVerdict judge(ChannelType type, const ReceiverAnswer& answer, std::int64_t tries,
                      std::uint64_t entropy);

// A pause from 0 to limits::notify_pause_ms x 2^tries, at most limits::notify_pause_ms_max, each as likely
// as the next: "full jitter", so that those who failed together do not come back together.
std::int64_t backoff_ms(std::int64_t tries, std::uint64_t entropy);

}  // namespace z0
