// What the object of alerts hears from the monitor's shards, and what it is asked by the edge.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/fields.hpp"
#include "z0/base/span_name.hpp"

namespace z0 {

// What the object of alerts is asked: to hear a shard, which alerts there are, to go by the rules of a
// config, to take somebody's word. Its alarm takes its place among them, but nobody calls it.
enum class AlertsMethod : std::uint8_t {
  alarm = 0,
  report = 1,
  list = 2,
  publish_rules = 3,
  acknowledge = 4,
  silences = 5,
  silence = 6,
  unsilence = 7,
  publish_channels = 8,
  look = 9,  // of the lookout alone: calls/look.hpp
  count_ = 10,
};
constexpr z0_target target_of(AlertsMethod) { return Z0_TARGET_ALERTS; }
inline constexpr std::string_view alerts_method_names[] = {
    "alarm",    "report",  "list",      "publish_rules",    "acknowledge",
    "silences", "silence", "unsilence", "publish_channels", "look"};
constexpr SpanName span_of(AlertsMethod method) {
  constexpr SpanName names[] = {
      "z0.do.alerts.alarm",         "z0.do.alerts.report",      "z0.do.alerts.list",
      "z0.do.alerts.publish_rules", "z0.do.alerts.acknowledge", "z0.do.alerts.silences",
      "z0.do.alerts.silence",       "z0.do.alerts.unsilence",   "z0.do.alerts.publish_channels",
      "z0.do.alerts.look"};
  return names[static_cast<std::size_t>(method)];
}
// There is one: it knows the rules, and the alerts of all shards.
inline constexpr std::string_view alerts_object = "alerts";
// Whose configs concern all tenants, and the ledger that holds what happened to alerts.
inline constexpr std::string_view platform_tenant = "platform";
inline constexpr std::string_view alerts_ledger = "acct_z0";

// A value as reports carry it.
std::int64_t millionths(double value);

// An alert as who evaluates it sees it.
struct AlertReport {
  std::string_view rules_of;  // whose rules: a tenant's, or empty for the platform's
  std::string_view rule;
  std::string_view tenant_id;
  std::vector<std::string_view> labels;  // in the order of the rule's `by`
  std::int64_t phase = 0;                // an AlertPhase
  std::int64_t active_at_ms = 0;
  std::int64_t fired_at_ms = 0;
  std::int64_t resolved_at_ms = 0;
  std::int64_t value_millionths = 0;
  std::string_view words;  // why, where the value alone does not say it

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.rules_of);
    f.text(self.rule);
    f.text(self.tenant_id);
    f.list(self.labels);
    for (auto* n : {&self.phase, &self.active_at_ms, &self.fired_at_ms, &self.resolved_at_ms})
      f.number(*n);
    f.signed_number(self.value_millionths);
    f.text(self.words);
  }
};

// What one shard says at a tick: all its alerts that are not idle, so that a word that is lost is made
// good by the next one; and what it adds to the rules that are about all tenants.
struct ShardReport {
  std::string_view shard;  // its object's name
  std::int64_t at_ms = 0;
  std::string_view rules_hash;  // of the rules that it goes by: 32 bytes
  bool rests = false;           // nothing is left to be watched: it is silent from now on
  std::int64_t left_out = 0;    // groups that there was no room for
  std::vector<AlertReport> alerts;
  std::string_view sums;  // Evaluator::encode_sums

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.shard);
    f.number(self.at_ms);
    f.text(self.rules_hash);
    f.flag(self.rests);
    f.number(self.left_out);
    f.list(self.alerts);
    f.bytes(self.sums);
  }
};

// Settings of a config of type alert_rules, and whose they are.
struct RulesSource {
  std::string_view config_id;
  std::string_view tenant_id;  // empty: the platform's
  std::string_view settings;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.config_id);
    f.text(self.tenant_id);
    f.bytes(self.settings);
  }
};

struct ShardReportReply {
  // Empty where the shard goes by the same; else all of them.
  std::string_view rules_hash;
  std::vector<RulesSource> rules;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.rules_hash);
    f.list(self.rules);
  }
};

// What the edge asks for: alerts that fire, wait, or were resolved within the last quarter of an hour.
struct AlertsRequest {
  std::string_view tenant_id;  // empty with all_tenants: of all, and of the platform
  bool all_tenants = false;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.flag(self.all_tenants);
  }
};

struct AlertsReply {
  struct Alert {
    AlertReport alert;
    std::string_view id;  // 16 hexadecimal digits: the same as long as rule and labels are
    // What was said of it.
    std::string_view acknowledged_by;
    std::string_view reason;
    std::int64_t acknowledged_at_ms = 0;
    std::int64_t acknowledged_until_ms = 0;  // 0: as long as it fires
    std::string_view silence_id;             // of a silence that holds for who asks; empty: none
    std::string_view inhibited_by;           // the id of the alert that is its cause; empty: none
    std::int64_t escalations = 0;            // how often it went further, as nobody acknowledged it
    bool flaps = false;  // somebody was told so, and hears no more until it is quiet
    // What it costs, in minor units; no currency: it is not known yet, and the reckoning says why. No
    // reckoning: nothing.
    std::string_view currency;
    std::int64_t lost = 0;
    std::int64_t at_risk_per_hour = 0;
    std::string_view reckoning;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.part(self.alert);
      f.text(self.id);
      f.text(self.acknowledged_by);
      f.text(self.reason);
      f.number(self.acknowledged_at_ms);
      f.number(self.acknowledged_until_ms);
      f.text(self.silence_id);
      f.text(self.inhibited_by);
      f.number(self.escalations);
      f.flag(self.flaps);
      f.text(self.currency);
      f.number(self.lost);
      f.number(self.at_risk_per_hour);
      f.text(self.reckoning);
    }
  };
  // How it stands with who is told. Times are 0 where there is none.
  struct ChannelView {
    std::string_view channel;  // its config's id, '/', and its name
    std::string_view to;       // its type
    std::string_view off;      // why it is told nothing any more; empty: it is
    std::string_view why;      // what became of the last try; empty: it was taken
    std::int64_t waiting = 0;
    std::int64_t delivered = 0;
    std::int64_t given_up = 0;
    std::int64_t lost = 0;
    std::int64_t delivered_at_ms = 0;
    std::int64_t again_at_ms = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      for (auto* text : {&self.channel, &self.to, &self.off, &self.why}) f.text(*text);
      for (auto* n : {&self.waiting, &self.delivered, &self.given_up, &self.lost,
                      &self.delivered_at_ms, &self.again_at_ms})
        f.number(*n);
    }
  };
  std::vector<Alert> alerts;
  std::vector<ChannelView> channels;  // for who may see all tenants
  bool has_dead_man = false;
  std::int64_t dead_man_heard_at_ms = 0;
  std::string_view dead_man_why;
  std::vector<RulesSource> rules;    // what was said beside the rules that ship
  std::int64_t evaluated_at_ms = 0;  // 0: never
  std::int64_t left_out = 0;         // groups that there was no room for
  std::int64_t silent_shards = 0;    // that should have spoken, and did not

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.alerts);
    f.list(self.channels);
    f.flag(self.has_dead_man);
    f.number(self.dead_man_heard_at_ms);
    f.text(self.dead_man_why);
    f.list(self.rules);
    f.number(self.evaluated_at_ms);
    f.number(self.left_out);
    f.number(self.silent_shards);
  }
};

// Somebody looks after an alert. The answer is the alert, as of then.
struct AcknowledgeRequest {
  std::string_view id;
  std::string_view tenant_id;
  bool all_tenants = false;
  std::string_view author;
  std::string_view reason;
  std::int64_t for_ms = 0;  // 0: as long as it fires

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.id);
    f.text(self.tenant_id);
    f.flag(self.all_tenants);
    f.text(self.author);
    f.text(self.reason);
    f.number(self.for_ms);
  }
};

}  // namespace z0
