// A lane by itself: what replaces what, what goes first, what there is room for.
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "z0/alerting/postbox.hpp"
#include "z0/notify/limits.hpp"

namespace {

using z0::ChannelType;
using z0::DeliveryVerdict;
using z0::Effects;
using z0::LetterFate;
using z0::Notification;
using z0::NotificationStatus;
using z0::Postbox;
using z0::SentLetter;
using z0::Severity;

constexpr std::string_view lane = "cfg_a/one";

Notification word(const std::string& key, NotificationStatus status = NotificationStatus::firing,
                  Severity severity = Severity::warning) {
  Notification notification;
  notification.id = "ntf_" + key;
  notification.dedup_key = key;
  notification.status = status;
  notification.at_ms = 1'000;
  notification.alerts.emplace_back().severity = severity;
  return notification;
}

// A postbox whose letters are told by their numbers, in the order in which they came.
class Lane {
 public:
  explicit Lane(ChannelType type = ChannelType::webhook) : type_(type) {}

  void put(const Notification& notification) {
    effects_.begin_step();
    box_.put(lane, type_, notification, now_ms_, effects_);
  }
  // The number of the letter that goes now; 0: none does.
  std::int64_t take() {
    const std::vector<Postbox::Due> due = box_.take_due(now_ms_);
    return due.empty() ? 0 : due.at(0).n;
  }
  Postbox::Fate settle(std::int64_t n, const std::string& key, const DeliveryVerdict& verdict) {
    effects_.begin_step();
    SentLetter sent;
    sent.n = n;
    sent.channel = lane;
    sent.type = type_;
    sent.dedup_key = key;
    sent.at_ms = 1'000;
    return box_.settle(sent, verdict, now_ms_, effects_);
  }
  // All that waits, in the order in which it goes.
  std::vector<std::int64_t> drain() {
    std::vector<std::int64_t> order;
    for (std::int64_t n = take(); n != 0; n = take()) {
      order.push_back(n);
      settle(n, "", {LetterFate::delivered, 0, {}, false});
    }
    return order;
  }
  z0::LaneState state() const { return box_.lanes().at(std::string(lane)); }
  void wait(std::int64_t ms) { now_ms_ += ms; }
  std::int64_t next_ms() const { return box_.next_ms(now_ms_); }

 private:
  ChannelType type_;
  Postbox box_;
  Effects effects_;
  std::int64_t now_ms_ = 1'000;
};

using Numbers = std::vector<std::int64_t>;

DeliveryVerdict again(std::int64_t wait_ms, bool of_this_one = false) {
  return {LetterFate::retry, wait_ms, "it failed", of_this_one};
}

}  // namespace

TEST_CASE("A newer word of a group takes the place of what still waits", "[postbox]") {
  Lane one;
  one.put(word("a"));
  one.put(word("b"));
  one.put(word("a"));
  one.put(word("a", NotificationStatus::resolved));
  CHECK(one.drain() == Numbers{2, 4});
}

TEST_CASE("PagerDuty hears that something fires before it hears that it is over", "[postbox]") {
  Lane one(ChannelType::pagerduty);
  one.put(word("a"));
  one.put(word("a", NotificationStatus::acknowledged));
  one.put(word("a", NotificationStatus::resolved));
  CHECK(one.drain() == Numbers{1, 3});
  // What fires again is what counts.
  one.put(word("a"));
  one.put(word("a", NotificationStatus::resolved));
  one.put(word("a"));
  CHECK(one.drain() == Numbers{6});
}

TEST_CASE("What is on its way is not taken back, and what came meanwhile goes after it",
          "[postbox]") {
  Lane one;
  one.put(word("a"));
  REQUIRE(one.take() == 1);
  one.put(word("a", NotificationStatus::resolved));
  one.settle(1, "a", {LetterFate::delivered, 0, {}, false});
  CHECK(one.drain() == Numbers{2});
  // It failed: what came meanwhile says all.
  one.put(word("a"));
  REQUIRE(one.take() == 3);
  one.put(word("a", NotificationStatus::resolved));
  one.settle(3, "a", again(10));
  one.wait(10);
  CHECK(one.drain() == Numbers{4});
}

TEST_CASE("A lane that pauses is asked when the pause is over, and not before", "[postbox]") {
  Lane one;
  one.put(word("a"));
  one.settle(one.take(), "a", again(5'000));
  CHECK(one.next_ms() == 6'000);
  one.put(word("b"));
  CHECK(one.take() == 0);
  one.wait(5'000);
  CHECK(one.drain() == Numbers{2, 1});
}

TEST_CASE("A letter that a receiver never takes holds up no other", "[postbox]") {
  Lane one;
  one.put(word("a"));
  one.settle(one.take(), "a", again(300'000, true));
  CHECK(one.take() == 0);
  one.put(word("b"));
  CHECK(one.take() == 2);
  one.settle(2, "b", {LetterFate::delivered, 0, {}, false});
  CHECK(one.take() == 1);
}

TEST_CASE("Of more than there is room for the oldest warnings are lost, and counted", "[postbox]") {
  Lane one;
  const auto most = static_cast<int>(z0::limits::letters_per_lane_max);
  one.put(word("page", NotificationStatus::firing, Severity::critical));
  for (int i = 0; i < most + 4; ++i) one.put(word("w" + std::to_string(i)));
  CHECK(one.state().waiting == most);
  CHECK(one.state().lost == 5);
  const Numbers order = one.drain();
  CHECK(order.front() == 1);
  CHECK(order.at(1) == 7);
  Lane pages;
  for (int i = 0; i < most; ++i)
    pages.put(word("p" + std::to_string(i), NotificationStatus::firing, Severity::critical));
  pages.put(word("w"));
  CHECK(pages.state().lost == 1);
  CHECK(pages.drain().front() == 1);
}

TEST_CASE("What is refused is given up, and so is what is a day old", "[postbox]") {
  Lane one;
  one.put(word("a"));
  CHECK(one.settle(one.take(), "a", {LetterFate::give_up, 0, "it refuses", false}) ==
        Postbox::Fate::given_up);
  one.put(word("b"));
  CHECK(one.settle(one.take(), "b", again(0)) == Postbox::Fate::waits);
  one.wait(z0::limits::letter_age_ms_max + 1);
  CHECK(one.settle(one.take(), "b", again(0)) == Postbox::Fate::given_up);
  CHECK(one.state().given_up == 2);
  CHECK(one.state().waiting == 0);
}

TEST_CASE("A receiver that is gone loses what waits, and gets no more", "[postbox]") {
  Lane one;
  one.put(word("a"));
  one.put(word("b"));
  one.settle(one.take(), "a", {LetterFate::disable, 0, "it is gone for good", false});
  one.put(word("c"));
  CHECK(one.take() == 0);
  CHECK(one.next_ms() == 0);
  CHECK(one.state().lost == 2);
  CHECK(one.state().given_up == 1);
}

TEST_CASE("A letter of too many alerts has the worst of them, and counts the rest", "[postbox]") {
  Effects effects;
  Postbox box;
  Notification many = word("a");
  for (int i = 0; i < 2'000; ++i) many.alerts.push_back(many.alerts[0]);
  for (auto& alert : many.alerts) alert.summary = std::string(200, 's');
  many.alerts.back().severity = Severity::critical;
  box.put(lane, ChannelType::webhook, many, 1'000, effects);
  const std::string bytes(effects.finish());
  const auto writes = z0::test::carried<z0::Write>(bytes);
  const std::string row(writes.back().statement.values.back().bytes);
  CHECK(row.size() <= z0::limits::letter_bytes_max);
  z0::Rows rows;
  rows.failed = false;
  rows.columns = 1;
  rows.cells = {z0::Value::blob(row)};
  Notification read;
  SentLetter sent;
  sent.n = 1;
  sent.channel = lane;
  REQUIRE(box.read_letter(rows, read, sent));
  CHECK(read.alerts[0].severity == Severity::critical);
  CHECK(read.alerts.size() + static_cast<std::size_t>(read.left_out) == 2'001);
  CHECK(read.alerts[0].summary == many.alerts[0].summary);
  CHECK(sent.dedup_key == "a");
}
