// POST /v1/facts between its halves: ledgers that said they are new are registered together, with one
// call a shard of the directory, and get their batches again. A request for a thousand new ledgers
// asked the directory a thousand times.
#include <algorithm>

#include "edge/handlers.hpp"
#include "edge/post.hpp"
#include "operations/value.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"

namespace z0 {
namespace {

enum PostStep : std::uint8_t { step_registered = 1, step_begun = 2 };

// What the ledgers answered so far, and the items of the request.
struct Answers {
  std::vector<std::string_view> all;  // in the order of the calls; empty: asked again
  bool single = false;
  PostItems items;

  std::string encode(const Context& context, std::uint8_t step) const {
    std::string bytes;
    ByteWriter out(bytes);
    write_context(out, context, step);
    out.varint(all.size());
    for (const auto answer : all) out.bytes(answer);
    write_items(out, single, items);
    return bytes;
  }
  void decode(ByteReader& in) {
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) all.push_back(in.bytes());
    decode_items(in);
  }
  void decode_items(ByteReader& in) {
    if (!read_items(in, single, items) || !in.done())
      trap("the items of a batch go round as they were written");
  }
  void answer(const Context& context, const Frame& frame, Effects& effects) const {
    answer_post(single, items, all, context, frame, effects);
  }
};

// A batch whose ledger is new.
struct Beginning {
  std::size_t call = 0;
  std::string_view request;
  AppendRequest read;
};

std::vector<Beginning> beginnings(const Answers& answers) {
  std::vector<Beginning> found;
  for (std::size_t i = 0; i < answers.all.size(); ++i) {
    const CallAnswer answer = parse_call(answers.all[i]);
    if (answer.outcome != Z0_OK || !says_new(answer.reply)) continue;
    Beginning& beginning = found.emplace_back();
    beginning.call = i;
    beginning.request = answer.request;
    if (!decode(answer.request, beginning.read))
      trap("a call comes back with the request that was sent");
  }
  return found;
}

// The new ledgers of one shard, in the order of their calls.
struct Shard {
  std::string name;
  RegisterRequest request;
};

std::vector<Shard> shards_of(const std::vector<Beginning>& found) {
  std::vector<Shard> shards;
  for (const Beginning& beginning : found) {
    std::string name = directory_object_name(beginning.read.entity_id);
    auto shard = std::find_if(shards.begin(), shards.end(),
                              [&](const Shard& other) { return other.name == name; });
    if (shard == shards.end()) shard = shards.insert(shard, Shard{std::move(name), {}});
    shard->request.ledgers.push_back({beginning.read.tenant_id, beginning.read.entity_id});
  }
  return shards;
}

// What a shard said: of one of its ledgers, by tenant.
class Word {
 public:
  Word(const Shard& shard, const CallAnswer& answer)
      : tenants_(shard.request.tenants()), answer_(answer) {
    known_ = value_in(answer, reply_) == Status::ok && reply_.policies.size() == tenants_.size();
  }
  // Null when the directory failed.
  const std::vector<std::string_view>* policies(std::string_view tenant_id) const {
    if (!known_) return nullptr;
    const auto at = std::find(tenants_.begin(), tenants_.end(), tenant_id);
    return &reply_.policies[static_cast<std::size_t>(at - tenants_.begin())].submissions;
  }
  // The answer to the batch of a ledger that could not be registered.
  std::string failure(std::string_view request) const {
    std::string bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(answer_.outcome == Z0_OK ? Z0_FAILED : answer_.outcome));
    out.bytes(answer_.outcome == Z0_OK ? "the directory could not read its rows" : answer_.reply);
    out.bytes(request);
    return bytes;
  }

 private:
  std::vector<std::string_view> tenants_;
  const CallAnswer& answer_;
  RegisterReply reply_;
  bool known_ = false;
};

}  // namespace

void resume_post_facts(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Answers answers;
  answers.all = frame.answers;
  answers.decode_items(in);
  std::vector<Shard> shards = shards_of(beginnings(answers));
  if (shards.empty()) return answers.answer(context, frame, effects);
  for (Shard& shard : shards) {
    shard.request.created_at = frame.now_ms;
    effects.need_call(DirectoryMethod::register_ledger, shard.name, limits::read_timeout_ms,
                      encode(shard.request));
  }
  effects.resume(answers.encode(context, step_registered));
}

// The directory has answered: each new ledger gets its batch again, with its policies.
void resume_post_registered(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Answers answers;
  answers.decode(in);
  const std::vector<Beginning> found = beginnings(answers);
  const std::vector<Shard> shards = shards_of(found);
  std::vector<CallAnswer> said;
  std::vector<Word> words;
  said.reserve(shards.size());
  words.reserve(shards.size());
  for (std::size_t i = 0; i < shards.size(); ++i) {
    said.push_back(parse_call(i < frame.answers.size() ? frame.answers[i] : std::string_view{}));
    words.emplace_back(shards[i], said.back());
  }
  std::vector<std::string> failures;
  failures.reserve(found.size());
  for (const Beginning& beginning : found) {
    const std::string name = directory_object_name(beginning.read.entity_id);
    std::size_t shard = 0;
    while (shards[shard].name != name) ++shard;
    const auto* policies = words[shard].policies(beginning.read.tenant_id);
    if (policies == nullptr) {
      failures.push_back(words[shard].failure(beginning.request));
      answers.all[beginning.call] = failures.back();
      continue;
    }
    answers.all[beginning.call] = {};
    effects.need_call(LedgerMethod::append, ledger_object_name(beginning.read.entity_id),
                      limits::append_timeout_ms, registered_append(beginning.request, *policies));
  }
  if (!effects.needs()) return answers.answer(context, frame, effects);
  effects.resume(answers.encode(context, step_begun));
}

void resume_post_begun(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Answers answers;
  answers.decode(in);
  std::size_t next = 0;
  for (auto& known : answers.all) {
    if (known.empty() && next < frame.answers.size()) known = frame.answers[next++];
  }
  answers.answer(context, frame, effects);
}

}  // namespace z0
