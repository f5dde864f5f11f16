// Any bytes as what a ledger's storage and D1 answer: the ledger refuses, or goes on; it never
// breaks.
//
// The first byte says what is called: 0 an append, 1 a read, 2 the head, 3 the alarm. The rest are
// the answers, each with its length in front (u32), dealt out as they are needed.
#include <vector>

#include "step_law.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/facts/fact.hpp"
#include "z0/ledger/ledger.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr LedgerMethod methods[] = {LedgerMethod::append, LedgerMethod::read, LedgerMethod::head,
                                    LedgerMethod::alarm};
// Rebuild, chunks, originals, D1, resend, and one to spare.
constexpr int rounds_max = 7;

std::string append_request() {
  std::string packed;
  for (const auto id : {"f1", "f2", "f1"}) {
    Fact fact;
    fact.type = FactType::deposit;
    fact.fields = field_amount;
    fact.amount = 100;
    fact.id = id;
    fact.timestamp = 1'774'915'000'000;
    Buffer submission;
    append_submission(submission, fact);
    ByteWriter(packed).short_bytes(submission.view());
  }
  return encode_append_request(0, "ten_amber", "acct_1", 3, packed);
}

std::string read_request() {
  ReadRequest request;
  request.tenant_id = "ten_amber";
  request.entity_id = "acct_1";
  request.limit = 10;
  return encode(request);
}

void check_reply(LedgerMethod method, const std::vector<Effect>& effects) {
  const Reply reply = reply_of(effects);
  if (method == LedgerMethod::alarm) return;
  if (method == LedgerMethod::append) {
    AppendReply append;
    const bool answered = decode(reply.body, append) && append.results.size() == 3;
    if (!answered && reply.status != 503) broken("an append is answered or refused");
    return;
  }
  ByteReader in(reply.body);
  const auto status = static_cast<Status>(in.u8());
  if (status >= Status::count_) broken("a read has a status");
  if (status != Status::ok && reply.status < 400) broken("a refusal says so");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const LedgerMethod method = methods[data[0] % 4];
  const bool alarm = method == LedgerMethod::alarm;
  ByteReader answers({reinterpret_cast<const char*>(data) + 1, size - 1});
  const std::string request = method == LedgerMethod::append ? append_request()
                              : alarm                        ? ""
                                                             : read_request();
  Core core;
  Frame frame;
  frame.kind = alarm ? Z0_FRAME_ALARM : Z0_FRAME_CALL;
  frame.target = Z0_TARGET_LEDGER;
  frame.method = static_cast<std::uint8_t>(method);
  frame.now_ms = 1'774'915'200'000;
  frame.incarnation = 1;
  frame.parts = {"account_acct_1", request};
  std::string continuation;
  for (int round = 0; round < rounds_max; ++round) {
    const auto effects = step(core, frame, alarm ? 0 : 1);
    if (!asks(effects)) {
      check_reply(method, effects);
      return 0;
    }
    frame.answers.clear();
    for (std::size_t i = 0; i + 1 < effects.size(); ++i) frame.answers.push_back(answers.bytes());
    go_on(frame, effects, continuation);
  }
  broken("a call ends");
}
