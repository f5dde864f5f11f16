#include "native/frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/raw_json.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/sha256.hpp"
#include "z0/wire/frame.hpp"

namespace z0::cli {
namespace {

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

bool is_frame(std::string_view bytes) {
  Frame frame;
  return parse_frame(bytes, frame);
}

// What stands behind "frame": in a log line, whose quotes may be escaped because the line is itself
// a string in JSON.
std::string_view frame_member(std::string_view line) {
  std::string_view rest;
  for (const std::string_view name : {"\"frame\"", "\"frame\\\""}) {
    const std::size_t at = line.find(name);
    if (at != std::string_view::npos) rest = line.substr(at + name.size());
  }
  while (!rest.empty() && digit_of(rest.front()) < 0) rest.remove_prefix(1);
  std::size_t size = 0;
  while (size < rest.size() && (digit_of(rest[size]) >= 0 || rest[size] == '=')) ++size;
  return rest.substr(0, size);
}

}  // namespace

bool base64_decode(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return count < 6;
}

std::string signed_again(const std::string& bytes) {
  constexpr std::size_t secrets_part = 3;
  Frame frame;
  if (!parse_frame(bytes, frame) || frame.kind != Z0_FRAME_REQUEST) return bytes;
  const std::string_view secrets = frame.part(secrets_part);
  const std::string_view secret = secrets.substr(0, secrets.find(','));
  std::string authorization;  // what the frame borrows until it is encoded
  for (std::size_t i = secrets_part + 1; i + 1 < frame.parts.size(); i += 2) {
    const std::string_view value = frame.parts[i + 1];
    const std::size_t dot = value.rfind('.');
    const bool blank = frame.parts[i] == "authorization" && dot != std::string_view::npos &&
                       value.find_first_not_of('x', dot + 1) == std::string_view::npos;
    if (!blank) continue;
    const std::size_t begin = value.find(' ') + 1;
    const Digest digest = hmac_sha256(secret, value.substr(begin, dot - begin));
    const std::string_view signature(reinterpret_cast<const char*>(digest.data()), digest.size());
    authorization = std::string(value.substr(0, dot + 1)) + base64url_encode(signature);
    frame.parts[i + 1] = authorization;
  }
  return encode_frame(frame);
}

std::vector<std::string> frames_in(std::string_view input) {
  if (is_frame(input)) return {std::string(input)};
  std::vector<std::string> frames;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = trimmed(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
    const std::string_view member = frame_member(line);
    std::string bytes;
    if (base64_decode(member.empty() ? line : member, bytes) && is_frame(bytes)) {
      frames.push_back(std::move(bytes));
    }
  }
  return frames;
}

}  // namespace z0::cli
