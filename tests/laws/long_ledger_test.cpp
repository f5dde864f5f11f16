// One ledger that is long enough to have sealed its oldest ids: random runs never get there.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "world.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/facts/fact.hpp"
#include "z0/ledger/ledger.hpp"

namespace z0::laws {
namespace {

constexpr std::string_view tenant_id = "ten_amber";
constexpr std::string_view entity_id = "acct_long";
constexpr std::int64_t now_ms = 1'774'915'200'000;
constexpr std::int64_t batch = static_cast<std::int64_t>(limits::facts_per_request_max);
// The first run of ids, and some that stay open.
constexpr std::int64_t batches = static_cast<std::int64_t>(limits::open_ids_max) / batch + 3;

// A ledger object that is called directly, without an edge.
class Ledger {
 public:
  void evict() { ++incarnation_; }

  // The results of an append of facts with these numbers and amount.
  std::vector<AppendResult> append(const std::vector<std::int64_t>& numbers, std::int64_t amount) {
    std::string packed;
    Buffer submission;
    for (const std::int64_t n : numbers) {
      const std::string id = "f" + std::to_string(n);
      Fact fact;
      fact.type = FactType::deposit;
      fact.fields = field_amount;
      fact.id = id;
      fact.timestamp = n;
      fact.amount = amount;
      submission.clear();
      append_submission(submission, fact);
      ByteWriter(packed).short_bytes(submission.view());
    }
    reply_ = run(LedgerMethod::append,
                 encode_append_request(0, tenant_id, entity_id, numbers.size(), packed));
    AppendReply reply;
    REQUIRE(decode(reply_, reply));
    REQUIRE(reply.results.size() == numbers.size());
    return reply.results;
  }

  // The alarm goes off while D1 is down.
  void alarm() { run(LedgerMethod::alarm, {}); }

  std::int64_t count(std::string_view sql) {
    return storage_.run({sql, {}})->rows.at(0, 0).integer;
  }

 private:
  std::string run(LedgerMethod method, const std::string& request) {
    Frame frame;
    frame.kind = method == LedgerMethod::alarm ? Z0_FRAME_ALARM : Z0_FRAME_CALL;
    frame.target = Z0_TARGET_LEDGER;
    frame.method = static_cast<std::uint8_t>(method);
    frame.now_ms = now_ms;
    frame.incarnation = incarnation_;
    frame.entropy = Entropy(entropy_);
    frame.parts = {"account_acct_long", request};
    std::string continuation;
    std::vector<std::string> answers;
    for (;;) {
      std::vector<Effect> effects;
      const std::string bytes(core_.step(encode_frame(frame)));
      REQUIRE(parse_effects(bytes, effects));
      if (effects.empty() || effects[0].phase != Phase::need) return carry_out(effects);
      answers.clear();
      for (const Effect& need : effects) {
        if (need.kind == Z0_NEED_RESUME) {
          frame.kind = Z0_FRAME_RESUME;
          continuation = carried_by<ResumeNeed>(need).continuation;
        } else {
          answers.push_back(answer(need));
        }
      }
      frame.parts = {continuation};
      frame.answers.assign(answers.begin(), answers.end());
    }
  }

  // Its own rows; D1 fails, and the directory knows no policies.
  std::string answer(const Effect& need) {
    std::string bytes;
    ByteWriter out(bytes);
    if (need.kind == Z0_NEED_QUERY) {
      out.u16(0);
      out.bytes("D1 is down");
    } else if (need.kind == Z0_NEED_CALL) {
      constexpr char no_policies[] = {static_cast<char>(Status::ok), 1, 0};
      out.u8(Z0_OK);
      out.bytes({no_policies, sizeof no_policies});
      out.bytes({});
    } else {
      append_rows(bytes, storage_.run(carried_by<RowsNeed>(need).statement)->rows);
    }
    return bytes;
  }

  std::string carry_out(const std::vector<Effect>& effects) {
    std::string reply;
    storage_.begin();
    for (const Effect& effect : effects) {
      if (effect.kind == Z0_WRITE)
        REQUIRE_FALSE(storage_.run(carried_by<Write>(effect).statement)->rows.failed);
      if (effect.kind == Z0_REPLY) reply = carried_by<HttpAnswer>(effect).body;
    }
    storage_.commit();
    return reply;
  }

  Core core_;
  world::Database storage_;
  std::uint64_t incarnation_ = 1;
  std::string entropy_ = std::string(Z0_ENTROPY_BYTES, '\x5a');
  std::string reply_;
};

// Every retry finds its original, every other content is a conflict, and what is new is recorded.
void check_history(Ledger& ledger, std::int64_t& next) {
  std::vector<std::int64_t> old;
  for (std::int64_t n = 1; n < next; n += 331) old.push_back(n);
  const auto retries = ledger.append(old, 100);
  const auto clashes = ledger.append(old, 101);
  for (std::size_t i = 0; i < old.size(); ++i) {
    INFO("fact " << old[i]);
    REQUIRE(retries[i].status == Status::duplicate);
    REQUIRE(retries[i].seq == old[i]);
    REQUIRE(clashes[i].status == Status::conflict);
  }
  const auto fresh = ledger.append({next, next + 1}, 100);
  REQUIRE(fresh[0].status == Status::recorded);
  REQUIRE(fresh[1].seq == next + 1);
  next += 2;
}

}  // namespace

TEST_CASE("A ledger finds its duplicates among sealed ids, remembered or rebuilt", "[laws]") {
  Ledger ledger;
  std::int64_t next = 1;
  for (std::int64_t b = 0; b < batches; ++b) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = 0; i < batch; ++i) numbers.push_back(next++);
    REQUIRE(ledger.append(numbers, 100).back().seq == next - 1);
  }
  check_history(ledger, next);
  REQUIRE(ledger.count("SELECT count(*) FROM id_runs") == 0);

  ledger.alarm();
  const auto chunks = static_cast<std::int64_t>(limits::open_ids_max / limits::ids_per_chunk);
  REQUIRE(ledger.count("SELECT count(*) FROM id_runs") == 1 + chunks);
  check_history(ledger, next);
  ledger.evict();
  check_history(ledger, next);
  REQUIRE(ledger.count("SELECT max(last_seq) FROM segments") == next - 1);
}

}  // namespace z0::laws
