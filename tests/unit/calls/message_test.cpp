// Queue messages: packed to the platform's limit, read whole or not at all.
#include "z0/calls/message.hpp"

#include <limits>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Fact;
using z0::Message;
using z0::MessageKind;
using z0::MessagePacker;

constexpr std::int64_t now_ms = 1'700'000'000'000;
const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string submission(const std::string& id, std::size_t data_bytes = 0) {
  Fact fact;
  fact.type = z0::FactType::deposit;
  fact.id = id;
  fact.timestamp = now_ms;
  fact.amount = 5;
  fact.fields = z0::field_amount;
  const std::string data = "{\"a\":\"" + std::string(data_bytes, 'x') + "\"}";
  if (data_bytes > 0) {
    fact.fields |= z0::field_data;
    fact.data = data;
  }
  z0::Buffer out;
  z0::append_submission(out, fact);
  return std::string(out.view());
}

z0::Attempt attempt(const std::string& packed, std::string_view message = "no answer") {
  return {
      "north", "acct_a", now_ms, "timeout", message, "z0.do.ledger.append_fact", "0123456789abcdef",
      packed};
}

// A run as text: entity first..last.
std::string runs_of(const std::string& bytes) {
  Message message;
  REQUIRE(z0::parse_message(bytes, message));
  CHECK(message.traceparents == std::vector<std::string_view>{traceparent});
  std::string out;
  for (const auto& run : message.runs) {
    out += std::string(run.tenant_id) + '/' + std::string(run.entity_id) + ' ' +
           std::to_string(run.first_seq) + ".." + std::to_string(run.first_seq + run.count - 1) +
           ' ';
  }
  return out;
}

}  // namespace

TEST_CASE("Facts of one ledger in a row make one run", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  CHECK(packer.take().empty());
  const std::string s = submission("f_1");
  struct Row {
    const char* tenant;
    const char* entity;
    std::int64_t seq;
  };
  for (const auto& [tenant, entity, seq] :
       {Row{"north", "acct_a", 1}, Row{"north", "acct_a", 2}, Row{"north", "acct_a", 4},
        Row{"north", "acct_b", 5}, Row{"south", "acct_b", 6}, Row{"north", "acct_a", 5}}) {
    packer.add_record(tenant, entity, seq, now_ms, s);
  }
  const auto messages = packer.take();
  REQUIRE(messages.size() == 1);
  CHECK(
      runs_of(messages[0]) ==
      "north/acct_a 1..2 north/acct_a 4..4 north/acct_b 5..5 south/acct_b 6..6 north/acct_a 5..5 ");
  CHECK(packer.take().empty());
}

TEST_CASE("A packed fact reads back as it was", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  packer.add_record("north", "acct_a", 300, now_ms, submission("f_1", 50));
  const auto messages = packer.take();
  Message message;
  REQUIRE(z0::parse_message(messages.at(0), message));
  REQUIRE(message.runs.size() == 1);
  z0::ByteReader in(message.runs[0].records);
  Fact fact;
  REQUIRE(z0::next_record(in, "acct_a", fact));
  CHECK(fact.seq == 300);
  CHECK(fact.recorded_at == now_ms);
  CHECK(fact.id == "f_1");
  CHECK(fact.amount == 5);
  CHECK(fact.data.size() == 58);
  CHECK(in.done());
}

TEST_CASE("No message is larger than the platform takes, and none is empty", "[message]") {
  // Sizes that end near the limit, above and below, and the largest fact there can be.
  const std::string longest(z0::limits::id_bytes_max - 5, 'e');
  for (const std::size_t data_bytes : {std::size_t{1}, std::size_t{500}, std::size_t{39'900},
                                       std::size_t{59'900}, z0::limits::data_bytes_max - 8}) {
    const std::string s = submission("f_1", data_bytes);
    const std::size_t count = 400'000 / (data_bytes + 200) + 3;
    for (const bool one_ledger : {true, false}) {
      MessagePacker packer(MessageKind::facts, traceparent);
      std::vector<std::string> expected;
      for (std::size_t i = 1; i <= count; ++i) {
        const std::string entity =
            one_ledger ? "acct_a" : "acct_" + longest.substr(0, 20 + i % 100);
        const auto seq = static_cast<std::int64_t>(one_ledger ? i : 10 * i);
        expected.push_back(entity + std::to_string(seq));
        packer.add_record("north", entity, seq, now_ms, s);
      }
      std::vector<std::string> found;
      const auto messages = packer.take();
      for (const auto& bytes : messages) {
        CHECK(bytes.size() <= z0::limits::message_bytes_max);
        Message message;
        REQUIRE(z0::parse_message(bytes, message));
        CHECK_FALSE(message.runs.empty());
        for (const auto& run : message.runs) {
          z0::ByteReader in(run.records);
          Fact fact;
          while (z0::next_record(in, run.entity_id, fact)) {
            found.push_back(std::string(run.entity_id) + std::to_string(fact.seq));
          }
        }
      }
      CHECK(found == expected);
      // Full as they should be: no more than twice as many as the bytes need.
      CHECK(messages.size() <= 2 * (count * (s.size() + 200) / z0::limits::message_bytes_max + 1));
    }
  }
}

TEST_CASE("Attempts are packed with their error, within the limit", "[message]") {
  MessagePacker packer(MessageKind::attempts, traceparent);
  const std::string small = submission("f_1");
  const std::string large = submission("f_2", z0::limits::data_bytes_max - 8);
  for (int i = 0; i < 5; ++i) {
    packer.add_attempt(attempt(small));
    packer.add_attempt(attempt(large, "overloaded"));
  }
  const auto messages = packer.take();
  std::size_t found = 0;
  for (const auto& bytes : messages) {
    CHECK(bytes.size() <= z0::limits::message_bytes_max);
    Message message;
    REQUIRE(z0::parse_message(bytes, message));
    CHECK_FALSE(message.attempts.empty());
    CHECK(message.runs.empty());
    for (const auto& a : message.attempts) {
      CHECK(a.entity_id == "acct_a");
      CHECK(a.attempted_at == now_ms);
      CHECK(a.message == (found % 2 == 0 ? "no answer" : "overloaded"));
      CHECK(a.trace == "0123456789abcdef");
      CHECK(a.submission == (found % 2 == 0 ? small : large));
      ++found;
    }
  }
  CHECK(found == 10);
}

TEST_CASE("Cut messages are refused, at every byte", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  packer.add_record("north", "acct_a", 1, now_ms, submission("f_1", 10));
  packer.add_record("north", "acct_b", 7, now_ms, submission("f_2", 10));
  const std::string facts = packer.take().at(0);
  for (std::size_t n = 0; n < facts.size(); ++n) {
    Message message;
    INFO("cut at " << n << " of " << facts.size());
    CHECK_FALSE(z0::parse_message(facts.substr(0, n), message));
  }
  MessagePacker attempts(MessageKind::attempts, traceparent);
  const std::string packed = submission("f_1");
  attempts.add_attempt(attempt(packed));
  const std::string failed = attempts.take().at(0);
  for (std::size_t n = 0; n < failed.size(); ++n) {
    Message message;
    CHECK_FALSE(z0::parse_message(failed.substr(0, n), message));
  }
  Message message;
  CHECK_FALSE(z0::parse_message(facts + 'x', message));
}

TEST_CASE("Messages one after the other are a message", "[message]") {
  MessagePacker facts(MessageKind::facts, traceparent);
  MessagePacker attempts(MessageKind::attempts, traceparent);
  const std::string packed = submission("f_1");
  std::string joined;
  for (int i = 1; i <= 3; ++i) {
    facts.add_record("north", "acct_a", i, now_ms, packed);
    attempts.add_attempt(attempt(packed));
    joined += facts.take().at(0);
    joined += attempts.take().at(0);
  }
  CHECK(runs_of(joined) == "north/acct_a 1..1 north/acct_a 2..2 north/acct_a 3..3 ");
  Message message;
  REQUIRE(z0::parse_message(joined, message));
  CHECK(message.attempts.size() == 3);
}

TEST_CASE("A message holds no more facts than the consumer can carry", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  const std::string packed = submission("f");
  const auto count = static_cast<std::int64_t>(2 * z0::limits::facts_per_message_max + 1);
  for (std::int64_t seq = 1; seq <= count; ++seq)
    packer.add_record("north", "acct_a", seq, now_ms, packed);
  std::int64_t next = 1;
  for (const auto& bytes : packer.take()) {
    Message message;
    REQUIRE(z0::parse_message(bytes, message));
    REQUIRE(message.runs.size() == 1);
    CHECK(message.runs[0].first_seq == next);
    CHECK(static_cast<std::size_t>(message.runs[0].count) <= z0::limits::facts_per_message_max);
    next += message.runs[0].count;
  }
  CHECK(next == count + 1);
}

TEST_CASE("Flipped bits never harm: the message is refused, or reads as one", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  packer.add_record("north", "acct_a", 1, now_ms, submission("f_1", 10));
  packer.add_record("north", "acct_b", 7, now_ms, submission("f_2", 10));
  MessagePacker attempts(MessageKind::attempts, traceparent);
  const std::string packed = submission("f_1");
  attempts.add_attempt(attempt(packed));
  for (const std::string& whole : {packer.take().at(0), attempts.take().at(0)}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        Message message;
        if (!z0::parse_message(flipped, message)) continue;
        for (const auto& run : message.runs) {
          CHECK(run.first_seq >= 1);
          CHECK(run.count >= 1);
        }
      }
    }
  }
}

TEST_CASE("Runs that lie about their numbers are refused", "[message]") {
  const std::string s = submission("f_1");
  const auto message_of = [&](std::int64_t first, std::int64_t count, std::int64_t seq) {
    z0::Buffer record;
    z0::append_record(record, seq, now_ms, s);
    std::string run;
    z0::ByteWriter items(run);
    items.short_bytes("north");
    items.short_bytes("acct_a");
    items.varint(static_cast<std::uint64_t>(first));
    items.varint(static_cast<std::uint64_t>(count));
    items.bytes(record.view());
    std::string bytes;
    z0::ByteWriter out(bytes);
    out.u8(1);
    out.u8(static_cast<std::uint8_t>(MessageKind::facts));
    out.short_bytes(traceparent);
    out.bytes(run);
    return bytes;
  };
  const auto accepted = [&](std::int64_t first, std::int64_t count, std::int64_t seq) {
    Message message;
    return z0::parse_message(message_of(first, count, seq), message);
  };
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  CHECK(accepted(1, 1, 1));
  CHECK(accepted(z0::limits::version_max, 1, z0::limits::version_max));
  CHECK_FALSE(accepted(1, 1, 2));
  CHECK_FALSE(accepted(1, 2, 1));
  CHECK_FALSE(accepted(1, 0, 1));
  CHECK_FALSE(accepted(0, 1, 0));
  CHECK_FALSE(accepted(largest, 1, largest));
  CHECK_FALSE(accepted(2, largest, 2));
  CHECK_FALSE(accepted(-1, 1, -1));
}

TEST_CASE("Messages of another version, kind or address are refused", "[message]") {
  MessagePacker packer(MessageKind::facts, traceparent);
  packer.add_record("north", "acct_a", 1, now_ms, submission("f_1"));
  const std::string whole = packer.take().at(0);
  Message message;
  REQUIRE(z0::parse_message(whole, message));
  for (const auto& [at, value] :
       {std::pair{0, '\0'}, std::pair{0, '\2'}, std::pair{1, '\0'}, std::pair{1, '\3'}}) {
    std::string other = whole;
    other[static_cast<std::size_t>(at)] = value;
    Message refused;
    CHECK_FALSE(z0::parse_message(other, refused));
  }
  for (const auto& [from, to] : {std::pair{"acct_a", "cmp__a"}, std::pair{"acct_a", "acct /"},
                                 std::pair{"north", "no/th"}}) {
    std::string other = whole;
    other.replace(other.find(from), std::string(to).size(), to);
    Message refused;
    CHECK_FALSE(z0::parse_message(other, refused));
  }
}
