#include <algorithm>

#include "unit/notify/samples.hpp"
#include "z0/base/base64.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/signature.hpp"

using nlohmann::json;
using z0::ChannelType;
using z0::Notification;
using z0::WebhookCheck;
using z0::test::sample;
using z0::test::sample_alert;

namespace {

constexpr std::int64_t sent_ms = z0::test::alert_began_ms + 130'999;

struct Signed {
  std::string id;
  std::string timestamp;
  std::string signatures;
  std::string body;
};

std::string header_of(const z0::ReceiverRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

Signed sent(std::string_view secrets, const Notification& notification = sample()) {
  z0::ReceiverRequest request;
  std::string why;
  REQUIRE(render(notification, z0::test::channel_of(ChannelType::webhook), secrets, sent_ms,
                 request, why));
  return {header_of(request, "webhook-id"), header_of(request, "webhook-timestamp"),
          header_of(request, "webhook-signature"), request.body};
}

WebhookCheck check(std::string_view secrets, const Signed& it, std::int64_t now_ms = sent_ms) {
  return z0::check_webhook(secrets, it.id, it.timestamp, it.signatures, it.body, now_ms);
}

const std::string key(z0::test::webhook_key);
const std::string other(z0::test::other_webhook_key);

}  // namespace

TEST_CASE("The example of Standard Webhooks has its signature", "[notify]") {
  // Of the reference implementation's tests.
  const auto keys = z0::webhook_keys(key);
  REQUIRE(keys.size() == 1);
  CHECK(z0::webhook_signature(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330,
                              R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("A webhook carries a notification that its signature is of", "[notify]") {
  const Signed it = sent(key);
  CHECK(it.id == "ntf_01JQ8Z");
  CHECK(it.timestamp == "1774952230");
  CHECK(check(key, it) == WebhookCheck::good);
  const json body = json::parse(it.body);
  CHECK(body["type"] == "alert.firing");
  CHECK(body["timestamp"] == "2026-03-31T10:17:00.000Z");
  CHECK(body["data"]["dedup_key"] == "acct_z0/FactWriteFailures/acct_north");
  CHECK(body["data"]["alerts"][0]["money"]["at_risk_minor_per_hour"] == 50'000);
  CHECK(body["data"]["alerts"][0]["links"]["runbook"] ==
        "https://z0.example/runbooks/fact_write_failures?tenant_id=acct_north&tool_id=");
  CHECK(body["data"]["alerts_left_out"] == 0);
}

TEST_CASE("A second attempt has the same id and body, and a signature of its own time",
          "[notify]") {
  const Signed first = sent(key);
  z0::ReceiverRequest again;
  std::string why;
  REQUIRE(render(sample(), z0::test::channel_of(ChannelType::webhook), key, sent_ms + 60'000, again,
                 why));
  CHECK(header_of(again, "webhook-id") == first.id);
  CHECK(again.body == first.body);
  CHECK(header_of(again, "webhook-timestamp") == "1774952290");
  CHECK(header_of(again, "webhook-signature") != first.signatures);
}

TEST_CASE("While a key is changed, receivers with either key take a webhook", "[notify]") {
  const Signed both = sent(key + " " + other + "\n");
  CHECK(std::count(both.signatures.begin(), both.signatures.end(), ' ') == 1);
  CHECK(check(key, both) == WebhookCheck::good);
  CHECK(check(other, both) == WebhookCheck::good);
  CHECK(check(key + "\n" + other, sent(other)) == WebhookCheck::good);
  CHECK(check(other, sent(key)) == WebhookCheck::not_signed);
}

TEST_CASE("Whatever is changed in a webhook shows", "[notify]") {
  const Signed it = sent(key);
  Signed changed = it;
  changed.body[changed.body.size() / 2] ^= 1;
  CHECK(check(key, changed) == WebhookCheck::not_signed);
  changed = it;
  changed.id += 'x';
  CHECK(check(key, changed) == WebhookCheck::not_signed);
  changed = it;
  changed.timestamp = "1774952231";
  CHECK(check(key, changed) == WebhookCheck::not_signed);
  changed = it;
  changed.signatures = "v2," + it.signatures.substr(3);
  CHECK(check(key, changed) == WebhookCheck::not_signed);
  changed.signatures = "v1a,AAAA " + it.signatures;
  CHECK(check(key, changed) == WebhookCheck::good);
  // Moving the full stop changes nothing that is signed.
  changed = it;
  changed.id = "ntf_01JQ8Z.1774952230";
  changed.timestamp = "1";
  CHECK(check(key, changed) == WebhookCheck::malformed);
  for (const char* timestamp : {"", "-1", "1e9", "1774952230.0", " 1774952230", "1774952230000"}) {
    changed = it;
    changed.timestamp = timestamp;
    CHECK(check(key, changed) == WebhookCheck::malformed);
  }
  CHECK(check("", it) == WebhookCheck::not_signed);
}

TEST_CASE("A webhook is taken for five minutes and no longer", "[notify]") {
  const Signed it = sent(key);
  constexpr std::int64_t signed_ms = 1'774'952'230'000;
  CHECK(check(key, it, signed_ms + 300'000) == WebhookCheck::good);
  CHECK(check(key, it, signed_ms + 300'001) == WebhookCheck::too_old);
  CHECK(check(key, it, signed_ms - 300'000) == WebhookCheck::good);
  CHECK(check(key, it, signed_ms - 300'001) == WebhookCheck::too_new);
}

TEST_CASE("A webhook's key is whsec_ and 24 to 64 bytes in base 64", "[notify]") {
  const auto of = [](std::size_t bytes) {
    return "whsec_" + z0::base64_encode(std::string(bytes, 'k'));
  };
  CHECK(z0::webhook_keys(of(23)).empty());
  CHECK(z0::webhook_keys(of(24)).size() == 1);
  CHECK(z0::webhook_keys(of(64)).size() == 1);
  CHECK(z0::webhook_keys(of(65)).empty());
  CHECK(z0::webhook_keys("").empty());
  CHECK(z0::webhook_keys(z0::base64_encode(std::string(24, 'k'))).empty());
  CHECK(z0::webhook_keys("whsec_" + std::string(40, '!')).empty());
  CHECK(z0::webhook_keys(key + " " + key + " " + key + " " + key).size() == 4);
  CHECK(z0::webhook_keys(key + " " + key + " " + key + " " + key + " " + key).empty());
  CHECK(z0::webhook_keys(key + " wibble").empty());
  z0::ReceiverRequest request;
  std::string why;
  CHECK_FALSE(
      render(sample(), z0::test::channel_of(ChannelType::webhook), "wibble", 0, request, why));
  CHECK(why.starts_with("the secret is no key"));
}

TEST_CASE("A webhook's body keeps its limit and counts what it leaves out", "[notify]") {
  Notification group = sample();
  group.alerts.insert(group.alerts.end(), 500, sample_alert());
  const Signed it = sent(key, group);
  CHECK(it.body.size() <= z0::limits::webhook_body_bytes_max);
  const json data = json::parse(it.body)["data"];
  CHECK(data["alerts_left_out"] == 501 - data["alerts"].size());
  CHECK(it.body.size() + data["alerts"][0].dump().size() + 1 > z0::limits::webhook_body_bytes_max);
  CHECK(check(key, it) == WebhookCheck::good);
}
