// The object of alerts: it hears from every shard what its alerts are, adds up what they know of the rules
// about all tenants, and judges those.
//
// A shard says all of its alerts each time, so words may be lost, repeated or late: one that comes after a
// newer one changes nothing. What is known here of shards is in memory alone, but for the names of those
// that have something to watch: after a restart they are asked to say it again, and what comes first is
// believed. Until all of them did, nothing ends, and for limits::shard_unheard_ms a share of some is not taken
// for that of all. Whoever says nothing for limits::shard_silent_ms counts as silent, and what it alone knew is
// over. Rules, the states of rules about all tenants, and what people said are rows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerting/business.hpp"
#include "z0/alerting/dispatch.hpp"
#include "z0/alerting/silences.hpp"
#include "z0/alerts/evaluator.hpp"
#include "z0/alerts/rule_book.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/silences.hpp"

namespace z0 {

class Desk {
 public:
  Desk();

  // -- what happens
  // Hears a shard, judges, and answers it. False for bytes that are no report. The reply borrows the rules.
  [[nodiscard]] bool take(std::string_view report, std::int64_t now_ms, ShardReportReply& reply);
  void tick(std::int64_t now_ms) { judge(now_ms); }
  // Shards that were awake before a restart, and were not heard since.
  std::vector<std::string> unheard() const;
  // They were asked: once in a life is enough, since they speak by themselves.
  bool asked() const { return asked_; }
  void ask() { asked_ = true; }
  // A config's rules as of now.
  void set_rules(const RulesSource& source);
  // False where whoever asks has no such alert, or it does not wait or fire. Else the answer is the alert.
  [[nodiscard]] bool acknowledge(const AcknowledgeRequest& request, std::int64_t now_ms,
                                 AlertsReply& reply);

  // The answer is the silence, or none where there are as many as may be; nor where it is about a rule
  // that there is not: a slip of the hand would silence nothing, and whoever made it would be paged on.
  void silence(const SilenceRequest& request, std::int64_t now_ms, SilencesReply& reply);
  // False where whoever asks has none of that id.
  [[nodiscard]] bool unsilence(const UnsilenceRequest& request, std::int64_t now_ms,
                               SilencesReply& reply);
  SilencesReply silences(const SilencesRequest& request, std::int64_t now_ms) const;

  // What clocks show where people listen, as it was said last.
  const std::vector<ZoneOffset>& zones() const { return zones_; }
  void set_zone(ZoneOffset zone);

  const Dispatch& dispatch() const { return dispatch_; }
  // What is to be told now. It counts as told with the next save(), whose commit has to keep it.
  std::vector<Told> decide(std::span<const Listener> listeners, std::span<const ZoneOffset> zones,
                           std::int64_t now_ms);

  // What the object of alerts measures of itself, for the judgements that follow.
  void set_own(std::vector<std::pair<Metric, double>> gauges) { own_gauges_ = std::move(gauges); }
  const std::vector<std::pair<Metric, double>>& own() const { return own_gauges_; }
  std::int64_t judged_ms() const { return judged_ms_; }  // 0: never
  // For how long the one that is silent for longest should have spoken; 0: all did.
  std::int64_t overdue_ms(std::int64_t now_ms) const;

  // Rules about business, by looks at facts: what to ask, what came of it.
  std::int64_t next_look_ms(std::int64_t now_ms) const { return business_.next_ms(now_ms); }
  LookRequest begin_look(std::int64_t now_ms) { return business_.begin_look(now_ms); }
  void take_look(const LookRequest& asked, const LookReply& found, std::int64_t now_ms);
  void miss_look(std::int64_t now_ms) { business_.missed(now_ms); }

  // The texts live as long as this does and nothing is taken.
  AlertsReply answer(const AlertsRequest& request, std::int64_t now_ms);

  // When to judge again though no shard says anything; 0: when one does.
  std::int64_t next_ms(std::int64_t now_ms) const;

  // -- rows
  bool is_loaded() const { return loaded_; }
  void end_loading(std::int64_t now_ms);
  template <class Put>
  void save(Put put) {
    std::string states = encode_states();
    if (states != saved_states_) put(states_row, std::string_view(), states);
    saved_states_ = std::move(states);
    for (const std::string& id : changed_rules_) put(rules_row, id, rules_of(id));
    for (const std::string& id : changed_words_) put(words_row, id, encode_words(id));
    for (const std::string& id : changed_silences_) put(silences_row, id, silences_.encode(id));
    for (const auto& name : changed_shards_)
      put(shards_row, name, awake_.contains(name) ? std::string(1, 1) : std::string());
    if (zones_changed_) put(zones_row, std::string_view(), encode_zones());
    zones_changed_ = false;
    dispatch_.save(groups_row, listeners_row, put);
    business_.save(tenants_row, business_row, put);
    changed_rules_.clear();
    changed_words_.clear();
    changed_silences_.clear();
    changed_shards_.clear();
  }
  // One row; those of rules come before the others. False for bytes that save() did not write.
  [[nodiscard]] bool load(std::int64_t kind, std::string_view id, std::string_view bytes);

 private:
  static constexpr std::int64_t rules_row = 0;
  static constexpr std::int64_t states_row = 1;
  static constexpr std::int64_t words_row = 2;
  static constexpr std::int64_t silences_row = 3;
  static constexpr std::int64_t groups_row = 4;
  static constexpr std::int64_t listeners_row = 5;
  static constexpr std::int64_t zones_row = 6;
  static constexpr std::int64_t tenants_row = 7;
  static constexpr std::int64_t business_row = 8;
  static constexpr std::int64_t shards_row = 9;

  // An alert as its shard said it, with texts of its own.
  struct Known {
    std::string rules_of;
    std::string rule;
    std::string tenant_id;
    std::vector<std::string> labels;
    AlertState state;
    std::string words;  // why, where the value alone does not say it
    std::optional<AlertMoney> money;
  };
  struct HeardShard {
    std::int64_t heard_ms = 0;
    std::int64_t at_ms = 0;  // as its clock had it
    bool rests = true;
    std::int64_t left_out = 0;
    std::map<std::string, Known> alerts;  // by id
    std::string sums;

    bool is_awake() const { return !rests || !alerts.empty(); }
  };
  // What people said of an alert.
  struct Words {
    std::string author;
    std::string reason;
    std::int64_t at_ms = 0;
    std::int64_t until_ms = 0;  // 0: as long as it fires
    std::string said_for;       // the tenant whose credentials said so; empty: the platform's

    bool holds(std::int64_t now_ms) const { return until_ms == 0 || now_ms < until_ms; }
    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.author);
      f.text(self.reason);
      f.number(self.at_ms);
      f.number(self.until_ms);
      f.text(self.said_for);
    }
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  const Known* find(const std::string& id) const;
  void judge(std::int64_t now_ms);
  void note_awake(const std::string& name, bool awake);
  Evaluator::Cover cover(std::int64_t now_ms);
  static std::string id_of(const Known& known);
  void list_own(std::int64_t now_ms);
  void list_business(std::int64_t now_ms);
  void price(std::map<std::string, Known>& alerts, std::int64_t now_ms) const;
  void forget_words();
  std::string rules_of(std::string_view config_id) const;
  std::string encode_states() const;
  std::string encode_words(std::string_view id) const;
  std::string encode_zones() const;
  [[nodiscard]] bool load_zones(std::string_view bytes);
  std::vector<std::string_view> rule_names(std::string_view made_for) const;
  // Null where another version of the rules does not have it.
  const Rule* rule_of(const Known& known) const;
  static Labels labels_of(const Rule* rule, const Known& known);
  LiveAlert live_of(const std::string& id, const Known& known, const Rule& rule,
                    std::int64_t now_ms) const;
  AlertsReply::Alert view_of(const std::string& id, const Known& known,
                             const AlertsRequest& request, std::int64_t now_ms) const;
  void list(const std::map<std::string, Known>& alerts, const AlertsRequest& request,
            std::int64_t now_ms, AlertsReply& reply) const;

  RuleBook book_;
  Evaluator of_all_;
  std::map<std::string, HeardShard, std::less<>> shards_;
  std::set<std::string> awake_;  // as rows have it
  bool asked_ = false;
  std::map<std::string, Known> own_;  // of the rules about all tenants
  BusinessWatch business_;
  std::map<std::string, Known> of_business_;
  std::map<std::string, Words, std::less<>> words_;
  Silences silences_;
  Dispatch dispatch_;
  std::vector<ZoneOffset> zones_;
  bool zones_changed_ = false;
  std::int64_t judged_ms_ = 0;
  bool all_heard_ = false;  // what no shard says is over
  std::vector<std::pair<Metric, double>> own_gauges_;
  bool loaded_ = false;
  std::int64_t loaded_ms_ = 0;
  std::string saved_states_;
  std::vector<std::string> changed_rules_;
  std::vector<std::string> changed_words_;
  std::vector<std::string> changed_silences_;
  std::set<std::string> changed_shards_;
};

}  // namespace z0
