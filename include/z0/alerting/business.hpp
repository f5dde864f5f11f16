// Rules about business: whether a tenant's invocations, charges and revenue come as they usually do, and
// what an alert costs. All of it is from facts, as D1 has them.
//
// Once a minute it looks at what came since the last look, and once an hour is over and facts that were
// late had ten minutes, it learns that hour, read again as a whole. It looks up to the time that
// replication has reached, and where D1 does not answer, or lags, it judges nothing: an outage of D1 is no
// silence of a tenant. Before it judges a silence, the look asks for the tenant's newest fact once more.
//
// What is learned is rows, written once an hour for those to whom something came; what came since is in
// D1 and read again after a restart. At first it learns the last four weeks from D1.
//
// A day off. Who sleeps at night and of whom a fifth of what is usual has not come yet may have one: then
// others that should have begun their day are looked at. Where a quarter of them, and two at least, are quiet as well while one at least is not, it
// is taken for one, and nobody is paged. Otherwise 75 minutes have to pass, since clocks may have been
// changed, and two hours where nobody is there to compare with. In the first week such a silence means
// nothing. A silence that was told of for a day is not told of any longer, until the tenant comes back: it
// is known by then.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerting/budgets.hpp"
#include "z0/alerts/baseline.hpp"
#include "z0/alerts/cadence.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/alerts/rule_book.hpp"
#include "z0/alerts/takings.hpp"
#include "z0/base/bytes.hpp"
#include "z0/calls/look.hpp"
#include "z0/notify/notification.hpp"

namespace z0 {

class BusinessWatch {
 public:
  // -- looks
  // Facts are being recorded: there will be something to look at.
  void wake() { awake_ = true; }
  // When to look; 0: once facts are recorded.
  std::int64_t next_ms(std::int64_t now_ms) const;
  // What to ask the lookout now. Its texts live until the next take(). The look counts as begun.
  LookRequest begin_look(std::int64_t now_ms);
  // What it answered.
  void take(const LookRequest& asked, const LookReply& found, const RuleBook& book,
            std::int64_t now_ms);
  // Nothing came back, or it cannot be relied on.
  void missed(std::int64_t now_ms);

  // -- what it knows
  struct Alert {
    std::string rules_of;  // whose rules: a tenant's, or empty for the platform's
    std::string rule;
    std::string tenant_id;
    AlertState state;
    std::string seen;  // in words
    std::optional<AlertMoney> money;
  };
  // Those that are not idle.
  const std::map<std::string, Alert, std::less<>>& alerts() const { return alerts_; }
  // What an alert costs whose rule is about failures: of a tenant, or of all. Nothing where the rule is
  // about something else.
  std::optional<AlertMoney> money_of(const Rule& rule, std::string_view tenant_id,
                                     const AlertState& state, std::int64_t now_ms) const;
  // Why it is not known yet what something costs a tenant, or all of them.
  AlertMoney unknown_money(std::string_view tenant_id) const;
  // As far as facts are known and judged; 0: never.
  std::int64_t judged_until_ms() const { return judged_until_ms_; }
  // From then on what came is asked for again, hour by hour; 0: nothing was looked at yet.
  std::int64_t learned_until_ms() const { return learned_until_ms_; }
  // Tenants that there is room for, where that is less than business_limits::tenants_max.
  void limit_tenants(std::size_t most) { tenants_max_ = most; }
  std::size_t tenants() const { return tenants_.size(); }
  // Tenants and accounts that there was no room for.
  std::int64_t left_out() const { return left_out_ + budgets_.left_out(); }

  // -- rows: one for each tenant, and one of how far it came and of the alerts
  template <class Put>
  void save(std::int64_t tenant_kind, std::int64_t state_kind, Put put) {
    for (const std::string& id : to_save_) put(tenant_kind, id, encode_tenant(id));
    to_save_.clear();
    if (std::exchange(learned_, false)) put(state_kind, "budgets", budgets_.encode());
    std::string state = encode_state();
    if (state != saved_state_) put(state_kind, std::string_view(), state);
    saved_state_ = std::move(state);
  }
  // The tenants' rows come first. False for bytes that save() did not write.
  [[nodiscard]] bool load_tenant(std::string_view id, std::string_view bytes);
  [[nodiscard]] bool load_state(std::string_view part, std::string_view bytes);

  // -- all of it as bytes, between two looks: it goes on with them as if it had never stopped, where rows
  // have it read again what came since the last whole hour
  void encode(ByteWriter& out) const;
  // False for bytes that encode did not write.
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  // What came in an hour that is not learned yet; of failures, which are not learned, in the last two days.
  struct Hour {
    std::int64_t hour = 0;          // since 1970
    std::uint64_t invocations = 0;  // minutes that brought some, as bits
    std::uint64_t charges = 0;
    std::int64_t taken = 0;  // in the tenant's currency, as is the next
    std::int64_t failed = 0;
  };
  // One kind of event of a tenant.
  struct Stream {
    Cadence cadence;
    std::int64_t newest_ms = 0;
    std::int64_t told_ms = 0;  // a silence since then was told of long enough
    // As of the last look.
    std::int64_t since_ms = 0;
    Lull lull;
    Day day;
    bool asked = false;             // for the newest once more
    std::int64_t off_until_ms = 0;  // until then it is taken for a day off
  };
  struct Tenant {
    Stream invocations;
    Stream charges;
    Takings takings;
    Baseline revenue;  // of each hour; what it said of the last one follows
    Reading last_revenue;
    std::string currency;
    std::int64_t learned_hour = 0;
    std::int64_t suspended_ms = 0;
    std::int64_t resumed_ms = 0;  // when invocations came again after a pause
    std::vector<Hour> hours;      // in order
  };
  // What others that should have begun their day say about it.
  enum class DayOff : std::uint8_t { unknown, no, yes };
  struct Others {
    std::int64_t quiet = 0;
    std::int64_t awake = 0;
  };
  // What a rule finds of a tenant.
  struct Finding {
    bool holds = false;
    double value = 0;
    std::string seen;
    std::optional<AlertMoney> money;
  };
  using StreamOf = Stream Tenant::*;

  Tenant* tenant_of(const LookReply::Hour& found);
  static void note_resumed(Tenant& tenant, const LookReply::Hour& found);
  void note(const LookReply::Hour& found);
  void note_newest(const LookReply::Newest& found);
  void learn(const LookRequest& asked, const LookReply& found);
  static void learn_hour(Tenant& tenant, const Hour& hour);
  void see_streams();
  bool gone(const Tenant& tenant) const;
  bool active(const Tenant& tenant, const Stream& stream) const;
  void see_stream(Tenant& tenant, StreamOf which, Others& others);
  DayOff day_off(StreamOf which, Stream& stream) const;
  bool begins_silent(StreamOf which, Tenant& tenant, std::int64_t window_ms) const;
  Finding find_silence(StreamOf which, const std::string& id, Tenant& tenant, const Rule& rule,
                       const AlertState& state);
  Finding find_low(const std::string& id, Tenant& tenant, const Rule& rule);
  Finding find_unusual(const std::string& id, const Tenant& tenant, const Rule& rule) const;
  Finding find(const std::string& id, Tenant& tenant, const Rule& rule, const AlertState& state);
  void judge(const RuleBook& book, std::int64_t now_ms);
  void judge_rule(const std::string& rules_of, const Rule& rule, const std::string& id,
                  Tenant& tenant, std::int64_t now_ms);
  AlertMoney missing(const std::string& id, const Tenant& tenant, std::int64_t since_ms) const;
  bool decode_tenant(ByteReader& in);
  std::string encode_tenant(std::string_view id) const;
  std::string encode_state() const;

  std::map<std::string, Tenant, std::less<>> tenants_;
  std::map<std::string, Alert, std::less<>> alerts_;
  Budgets budgets_;
  // By kind of event: how the tenants fare that should have begun their day.
  Others invocations_others_;
  Others charges_others_;
  std::int64_t learned_until_ms_ = 0;  // 0: nothing was looked at yet
  std::int64_t seen_until_ms_ = 0;
  std::int64_t judged_until_ms_ = 0;
  std::int64_t began_ms_ = 0;     // the last look
  std::int64_t step_hours_ = 24;  // that one look learns
  bool looking_ = false;
  bool learned_ = false;  // an hour, since the last save()
  bool awake_ = false;
  bool behind_ = false;  // there is more to look at at once
  std::int64_t left_out_ = 0;
  std::size_t tenants_max_ = SIZE_MAX;
  std::set<std::string> to_save_;  // tenants
  std::string saved_state_;
};

}  // namespace z0
