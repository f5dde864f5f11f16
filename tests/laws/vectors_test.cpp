// The vectors of tests/vectors, natively. tests/wasm/vectors.test.js asks the same of the module,
// as far as frames reach.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"
#include "z0/facts/fact.hpp"
#include "z0/http/token.hpp"
#include "z0/trace/context.hpp"

namespace z0::laws {
namespace {

constexpr std::int64_t now_ms = 1'774'915'200'000;

nlohmann::json vectors(const std::string& name) {
  std::ifstream file(std::string(Z0_SOURCE_DIR) + "/tests/vectors/" + name);
  return nlohmann::json::parse(file);
}

std::string text(const nlohmann::json& vector, const char* member) {
  return vector.value(member, std::string());
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  append_hex(hex, bytes);
  return hex;
}

std::string bytes_of(const std::string& hex) {
  std::string bytes(hex.size() / 2, '\0');
  REQUIRE(from_hex(hex, bytes.data(), bytes.size()));
  return bytes;
}

std::string digest_of(const Digest& digest) {
  return hex_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::uint64_t number_of(const std::string& hex) { return std::stoull(hex, nullptr, 16); }

// The status of a text that the reader itself refuses, as the edge says it.
std::string_view name_of(JsonError error) {
  switch (error) {
    case JsonError::utf8:
      return "not_utf8";
    case JsonError::lone_surrogate:
      return "lone_surrogate";
    case JsonError::depth:
      return "too_deep";
    case JsonError::duplicate_key:
      return "duplicate_key";
    case JsonError::members:
      return "data_too_large";
    case JsonError::none:
    case JsonError::syntax:
      break;
  }
  return "not_json";
}

}  // namespace

TEST_CASE("vectors: submissions are judged and encoded as written", "[vectors]") {
  Scratch scratch;
  for (const auto& vector : vectors("submissions.json")) {
    INFO(text(vector, "name"));
    const std::string json = text(vector, "json");
    JsonReader in(json, limits::json_depth_max);
    ReadFact read;
    read_fact(in, {"ten_vector", now_ms}, scratch, read);
    REQUIRE(in.error() == JsonError::none);
    CHECK(info(read.status).name == text(vector, "status"));
    CHECK(read.field == text(vector, "field"));
    if (read.status != Status::recorded) continue;
    Buffer encoded;
    append_submission(encoded, read.fact);
    CHECK(read.fact.entity_id == text(vector, "entity_id"));
    CHECK(hex_of(encoded.view()) == text(vector, "hex"));
  }
}

TEST_CASE("vectors: data is minified as written", "[vectors]") {
  Scratch scratch;
  for (const auto& vector : vectors("minified.json")) {
    const std::string json =
        R"({"id":"f1","type":"note","entity_id":"deal_1","data":)" + text(vector, "text") + "}";
    INFO(json);
    JsonReader in(json, limits::json_depth_max);
    ReadFact read;
    read_fact(in, {"ten_vector", now_ms}, scratch, read);
    if (!vector.contains("minified")) {
      CHECK((in.error() != JsonError::none ? name_of(in.error()) : info(read.status).name) ==
            text(vector, "status"));
      continue;
    }
    CHECK(read.status == Status::recorded);
    CHECK((read.fact.data.empty() ? "{}" : read.fact.data) == text(vector, "minified"));
  }
}

TEST_CASE("vectors: ids hash as written", "[vectors]") {
  for (const auto& vector : vectors("id_hashes.json")) {
    INFO(vector);
    CHECK(id_hash(text(vector, "id"), number_of(text(vector, "seed"))) ==
          number_of(text(vector, "hash")));
  }
}

TEST_CASE("vectors: digests are those of other implementations", "[vectors]") {
  const auto digests = vectors("digests.json");
  for (const auto& vector : digests["sha256"]) {
    CHECK(digest_of(sha256(bytes_of(text(vector, "message")))) == text(vector, "digest"));
  }
  for (const auto& vector : digests["hmac_sha256"]) {
    CHECK(digest_of(hmac_sha256(bytes_of(text(vector, "key")),
                                bytes_of(text(vector, "message")))) == text(vector, "digest"));
  }
}

TEST_CASE("vectors: tokens are accepted and refused as written", "[vectors]") {
  for (const auto& vector : vectors("tokens.json")) {
    INFO(text(vector, "name"));
    const std::string body =
        base64url_encode(text(vector, "header")) + '.' + base64url_encode(text(vector, "claims"));
    const Digest digest = hmac_sha256(text(vector, "signed_with"), body);
    const std::string token =
        body + '.' +
        base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
    Claims claims;
    CHECK(verify_token(token, text(vector, "secrets"), now_ms, claims) ==
          vector["accepted"].get<bool>());
  }
}

TEST_CASE("vectors: trace context goes on as written", "[vectors]") {
  const std::string random(24, '\x5a');
  for (const auto& vector : vectors("traces.json")) {
    INFO(text(vector, "name"));
    const std::string header = text(vector, "traceparent");
    const TraceContext context = trace_context(header, text(vector, "tracestate"), random);
    const bool continued = vector["continued"].get<bool>();
    const std::string trace = continued ? header.substr(3, 32) : hex_of(random.substr(0, 16));
    const std::string flags = continued ? text(vector, "flags") : "03";
    CHECK(context.traceparent() == "00-" + trace + "-" + hex_of(random.substr(16)) + "-" + flags);
    CHECK(context.parent_id == (continued ? header.substr(36, 16) : ""));
    CHECK(context.tracestate == text(vector, "tracestate_out"));
  }
}

}  // namespace z0::laws
