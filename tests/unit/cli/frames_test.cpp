#include "bindings/cli/native/frames.hpp"

#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/http/token.hpp"
#include "z0/wire/frame.hpp"

namespace z0::cli {
namespace {

std::string padded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::string frame_bytes(const std::vector<std::string_view>& parts) {
  const std::string entropy(Z0_ENTROPY_BYTES, '\xfe');
  Frame frame;
  frame.kind = Z0_FRAME_REQUEST;
  frame.now_ms = 1'774'915'200'000;
  frame.entropy = z0::Entropy(entropy);
  frame.parts = parts;
  return encode_frame(frame);
}

}  // namespace

TEST_CASE("cli: base64 is read in both alphabets, and nothing else is") {
  std::string out;
  CHECK((base64_decode("+/8=", out) && out == "\xfb\xff"));
  CHECK((base64_decode("-_8", out) && out == "\xfb\xff"));
  CHECK_FALSE(base64_decode("a b", out));
  CHECK_FALSE(base64_decode("abcde", out));
}

TEST_CASE("cli: frames are found in bytes, in logs and in base64 lines") {
  const std::string frame = frame_bytes({"GET", "/healthz", "", "s"});
  const std::string text = padded(base64url_encode(frame));
  const std::string log = "{\"event\":\"z0.trap\",\"frame_bytes\":9,\"frame\":\"" + text + "\"}";
  const std::string tail = "{\"logs\":[{\"message\":[\"{\\\"frame\\\":\\\"" + text + "\\\"}\"]}]}";
  CHECK(frames_in(frame) == std::vector<std::string>{frame});
  CHECK(frames_in("noise\n[wrangler] " + log + "\n" + text + "\n" + tail + "\nend") ==
        std::vector<std::string>{frame, frame, frame});
  CHECK(frames_in("noise").empty());
  CHECK(frames_in("").empty());
}

TEST_CASE("cli: a logged request is signed again with the secret that was blanked out") {
  Claims claims;
  claims.all_tenants = true;
  claims.scopes = scope_ops;
  claims.expires_s = 1'774'915'300;
  const std::string token = mint_token(claims, "real", 1);
  const std::size_t dot = token.rfind('.') + 1;
  const std::string blank = token.substr(0, dot) + std::string(token.size() - dot, 'x');
  const std::string header = "Bearer " + blank;
  const std::string signed_frame =
      signed_again(frame_bytes({"GET", "/v1/live", "", "xxxx,xxx", "authorization", header}));
  Frame frame;
  REQUIRE(parse_frame(signed_frame, frame));
  Claims verified;
  CHECK(verify_token(frame.parts[5].substr(7), "xxxx,xxx", frame.now_ms, verified));
  CHECK(verified.all_tenants);

  const std::string untouched =
      frame_bytes({"GET", "/v1/live", "", "s", "authorization", "Bearer t"});
  CHECK(signed_again(untouched) == untouched);
}

}  // namespace z0::cli
