#include "z0/notify/signature.hpp"

#include <algorithm>

#include "z0/base/base64.hpp"
#include "z0/base/sha256.hpp"
#include "z0/notify/limits.hpp"

namespace z0 {
namespace {

constexpr std::string_view key_prefix = "whsec_";
constexpr std::string_view version_prefix = "v1,";

// The next word of a list with blanks between its words; empty when none is left.
std::string_view next_word(std::string_view& rest, std::string_view blanks) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
  rest.remove_prefix(word.size());
  return word;
}

Digest webhook_digest(std::string_view key, std::string_view id, std::string_view timestamp,
                      std::string_view body) {
  std::string text(id);
  text.append(".").append(timestamp).append(".").append(body);
  return hmac_sha256(key, text);
}

// Seconds since 1970, of the digits that a sender writes.
bool read_seconds(std::string_view text, std::int64_t& seconds) {
  constexpr std::size_t digits_max = 12;
  if (text.empty() || text.size() > digits_max) return false;
  seconds = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    seconds = seconds * 10 + (c - '0');
  }
  return true;
}

}  // namespace

std::vector<std::string> webhook_keys(std::string_view secrets) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::string> keys;
  for (std::string_view word = next_word(secrets, blanks); !word.empty();
       word = next_word(secrets, blanks)) {
    std::string key;
    if (keys.size() >= limits::webhook_secrets_max || !word.starts_with(key_prefix) ||
        !base64_decode(word.substr(key_prefix.size()), key) ||
        key.size() < limits::webhook_key_bytes_min || key.size() > limits::webhook_key_bytes_max)
      return {};
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string webhook_signature(const std::vector<std::string>& keys, std::string_view id,
                              std::int64_t timestamp_s, std::string_view body) {
  const std::string timestamp = std::to_string(timestamp_s);
  std::string header;
  for (const std::string& key : keys) {
    if (!header.empty()) header += ' ';
    header += version_prefix;
    header += base64_encode(bytes_of(webhook_digest(key, id, timestamp, body)));
  }
  return header;
}

WebhookCheck check_webhook(std::string_view secrets, std::string_view id,
                           std::string_view timestamp, std::string_view signatures,
                           std::string_view body, std::int64_t now_ms) {
  std::int64_t seconds = 0;
  // A full stop in the id could be taken for the one behind it.
  if (id.empty() || id.find('.') != std::string_view::npos || !read_seconds(timestamp, seconds))
    return WebhookCheck::malformed;
  bool fits = false;
  for (const std::string& key : webhook_keys(secrets)) {
    const Digest digest = webhook_digest(key, id, timestamp, body);
    std::string_view rest = signatures;
    for (std::string_view word = next_word(rest, " "); !word.empty(); word = next_word(rest, " ")) {
      std::string bytes;
      if (!word.starts_with(version_prefix)) continue;  // a version of later
      if (!base64_decode(word.substr(version_prefix.size()), bytes)) continue;
      fits |= equal_in_constant_time(bytes, bytes_of(digest));
    }
  }
  if (!fits) return WebhookCheck::not_signed;
  if (now_ms - seconds * 1'000 > limits::webhook_tolerance_ms) return WebhookCheck::too_old;
  if (seconds * 1'000 - now_ms > limits::webhook_tolerance_ms) return WebhookCheck::too_new;
  return WebhookCheck::good;
}

}  // namespace z0
