// Any bytes as what configs are made of: none breaks the fold, the edge or the directory.
//
// The first byte says which: 0 the encoded fold, 1 the data of a version, 2 the body of a PUT, 3
// what the directory's storage and the ledgers that it calls answer, each with its length in front
// (u32).
#include "src/folds/config_data.hpp"
#include "step_law.hpp"
#include "unit/folds/config_facts.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/directory.hpp"
#include "z0/http/token.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr std::int64_t now_ms = 1'774'915'200'000;
// Rows, the calls of ledgers, and one to spare.
constexpr int rounds_max = 4;

void check_code(const ConfigState& state) {
  const std::string bytes = state.encode();
  ConfigState again;
  if (!again.decode(bytes) || !(again == state)) broken("what was encoded can be read");
  for (const auto& config : state.known()) {
    if (!valid_id(config.config_id)) return;  // no fact that was recorded names such a one
  }
  std::string out;
  JsonWriter json(out);
  json.object().integer("a", 0);
  state.write_budgets(json, CachedState{}, now_ms);
  json.end();
  if (!is_json(out)) broken("budgets are shown as JSON");
}

void read_state(std::string_view bytes) {
  ConfigState state;
  if (!state.decode(bytes)) return;
  if (state.encode() != bytes) broken("a state has one spelling");
  check_code(state);
}

void read_version(std::string_view data) {
  ConfigState state;
  test::OwnedConfig version;
  version.data = data;
  if (state.apply(version.fact()) != FoldError::none) broken("a first config fits");
  if (state.known().size() != 1) broken("a version is known, whatever it says");
  check_code(state);
  ConfigData read;
  if (!read_config_data(data, read)) return;
  std::string written;
  append_config_data(written, read);
  ConfigData again;
  if (!read_config_data(written, again) || again.settings != read.settings)
    broken("what was written can be read");
}

void put_body(std::string_view body) {
  Claims claims;
  claims.all_tenants = true;
  claims.scopes = scope_config_write;
  claims.expires_s = now_ms / 1000 + 60;
  const std::string bearer = "Bearer " + mint_token(claims, "secret", now_ms / 1000);
  Core core;
  Frame frame;
  frame.kind = Z0_FRAME_REQUEST;
  frame.target = Z0_TARGET_EDGE;
  frame.now_ms = now_ms;
  const std::string entropy(Z0_ENTROPY_BYTES, 'e');
  frame.entropy = Entropy(entropy);
  frame.parts = {"PUT", "/v1/configs/cfg_a", body, "secret", "authorization", bearer};
  const auto effects = step(core, frame, 1);
  if (asks(effects)) {
    if (effects.size() != 3) broken("a change that is in order asks its ledger and the directory");
    return;
  }
  const Reply reply = reply_of(effects);
  if (reply.status < 400 || reply.status >= 500 || !is_json(reply.body))
    broken("a change that is not in order is refused");
}

std::string directory_request(DirectoryMethod method) {
  std::string tenant;
  ByteWriter(tenant).short_bytes("north");
  if (method == DirectoryMethod::policies) return tenant;
  if (method == DirectoryMethod::register_ledger)
    return encode(RegisterRequest{1, {{"north", "acct_a"}}});
  if (method == DirectoryMethod::list) return encode(ListRequest{"", "", "", 10});
  if (method == DirectoryMethod::alarm) return {};
  Buffer submission;
  append_submission(submission, test::naming("cfg_a", 1, 0));
  return encode(PublishRequest{"north", submission.view()});
}

// The answer to a need: the caller's bytes as rows or as a reply, with what was asked.
std::string answer(const Effect& need, std::string_view bytes) {
  if (need.kind != Z0_NEED_CALL) return std::string(bytes);
  std::string call;
  ByteWriter out(call);
  out.u8(Z0_OK);
  out.bytes(bytes);
  out.bytes(carried_by<CallNeed>(need).request);
  return call;
}

void call_directory(ByteReader answers) {
  const auto methods = static_cast<std::uint8_t>(DirectoryMethod::count_);
  const auto method = static_cast<DirectoryMethod>(answers.u8() % methods);
  const bool alarm = method == DirectoryMethod::alarm;
  const std::size_t replies = alarm ? 0 : 1;
  const std::string request = directory_request(method);
  Core core;
  Frame frame;
  frame.kind = alarm ? Z0_FRAME_ALARM : Z0_FRAME_CALL;
  frame.target = Z0_TARGET_DIRECTORY;
  frame.method = static_cast<std::uint8_t>(method);
  frame.now_ms = now_ms;
  const std::string entropy(Z0_ENTROPY_BYTES, 'e');
  frame.entropy = Entropy(entropy);
  frame.parts = {"directory_0", request};
  std::string continuation;
  std::vector<std::string> given;
  for (int round = 0; round < rounds_max; ++round) {
    const auto effects = step(core, frame, replies);
    if (!asks(effects)) return;
    given.clear();
    for (std::size_t i = 0; i + 1 < effects.size(); ++i)
      given.push_back(answer(effects[i], answers.bytes()));
    go_on(frame, effects, continuation);
    frame.answers.assign(given.begin(), given.end());
  }
  broken("a call ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 0) read_state(rest);
  if (data[0] % 4 == 1) read_version(rest);
  if (data[0] % 4 == 2) put_body(rest);
  if (data[0] % 4 == 3) call_directory(ByteReader(rest));
  return 0;
}
