// Signatures of webhooks, as Standard Webhooks 1.0 has them.
//
// What is signed is "id.timestamp.body": HMAC-SHA-256, base 64, "v1," in front. The time is the
// attempt's, in seconds, so an old request that somebody kept is refused, and the id is the
// notification's, so one that comes twice within the tolerance is known. While a key is changed
// each request has a signature of each key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace z0 {

// The keys of "whsec_... whsec_...", blanks or line feeds between them; empty when one is no key of 24
// to 64 bytes in base 64, or there are none, or more than limits::webhook_secrets_max.
std::vector<std::string> webhook_keys(std::string_view secrets);

// The value of the header webhook-signature. `id` holds no full stop.
std::string webhook_signature(const std::vector<std::string>& keys, std::string_view id,
                              std::int64_t timestamp_s, std::string_view body);

enum class WebhookCheck : std::uint8_t { good, malformed, too_old, too_new, not_signed };

// What a receiver does with the three headers and the body as they came, before it reads anything of
// it. Every signature is held against every key, whichever fits.
WebhookCheck check_webhook(std::string_view secrets, std::string_view id,
                           std::string_view timestamp, std::string_view signatures,
                           std::string_view body, std::int64_t now_ms);

}  // namespace z0
