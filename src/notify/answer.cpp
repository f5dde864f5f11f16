#include "z0/notify/answer.hpp"

#include <algorithm>

#include "z0/notify/limits.hpp"

namespace z0 {
namespace {

constexpr std::int32_t timeout_status = 408;
constexpr std::int32_t gone_status = 410;
constexpr std::int32_t too_early_status = 425;
constexpr std::int32_t too_many_status = 429;

DeliveryVerdict put_off(const ReceiverAnswer& answer, std::int64_t tries, std::uint64_t entropy,
                        std::string_view why) {
  const std::int64_t asked =
      std::min(std::int64_t{answer.retry_after_s} * 1'000, limits::notify_asked_ms_max);
  // On top of what it asks for: everybody was told the same number.
  return {LetterFate::retry, asked + backoff_ms(tries, entropy), why, false};
}

}  // namespace

std::int64_t backoff_ms(std::int64_t tries, std::uint64_t entropy) {
  const std::int64_t doublings = std::clamp<std::int64_t>(tries, 0, 20);
  const std::int64_t bound =
      std::min(limits::notify_pause_ms << doublings, limits::notify_pause_ms_max);
  return static_cast<std::int64_t>(entropy % static_cast<std::uint64_t>(bound + 1));
}

DeliveryVerdict judge(ChannelType type, const ReceiverAnswer& answer, std::int64_t tries,
                      std::uint64_t entropy) {
  const std::int32_t status = answer.status;
  if (status >= 200 && status < 300) return {LetterFate::delivered, 0, {}, false};
  const auto again = [&](std::string_view why) { return put_off(answer, tries, entropy, why); };
  if (status == 0) return again("no answer came");
  if (status == too_many_status) return again("it takes no more at the moment");
  if (status == timeout_status || status == too_early_status)
    return again("it asks for another try");
  if (status >= 500) return again("it failed");
  if (type == ChannelType::webhook) {
    if (status == gone_status) return {LetterFate::disable, 0, "it is gone for good", false};
    // Standard Webhooks tries again whatever else the answer is: a receiver that is being deployed
    // may say anything.
    DeliveryVerdict verdict = again("it did not take it");
    verdict.of_this_one = true;
    return verdict;
  }
  if (status >= 400)
    return {LetterFate::give_up, 0, "it refuses the request: see the secret and the address",
            false};
  if (status >= 300)
    return {LetterFate::give_up, 0, "it is elsewhere: redirects are not followed", false};
  return again("it did not answer in order");
}

}  // namespace z0
