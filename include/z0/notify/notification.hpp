// What is said to receivers: a group of alerts, as one value that each channel has its form for.
//
// Texts are UTF-8 of any length; what is too long for a receiver is cut between two characters, and
// alerts that do not fit are counted. Whoever decides whom to tell fills it in; nothing here looks
// anything up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerts/rule.hpp"

namespace z0 {

enum class NotificationStatus : std::uint8_t { firing, acknowledged, resolved, count_ };
std::string_view notification_status_name(NotificationStatus status);

// What an alert costs, in minor units of a currency of ISO 4217.
struct AlertMoney {
  std::string currency;               // empty: it is not known yet, and `reckoning` says why
  std::int64_t lost = 0;              // so far, against what was to be expected
  std::int64_t at_risk_per_hour = 0;  // while it goes on
  std::string reckoning;              // how both were found, in words
};

struct NotifiedAlert {
  std::string rule;
  Severity severity = Severity::warning;
  std::uint8_t level = 1;
  std::uint8_t audience = 1;  // bit i: Audience i
  std::string summary;
  std::string tenant_id;                                    // empty: the platform as a whole
  std::vector<std::pair<std::string, std::string>> labels;  // what else tells it from its like
  std::string value;                                        // in words: "1.2 % (12 of 1,000)"
  std::string threshold;                                    // in words: "above 1 %"
  std::int64_t window_ms = 0;   // over which the value was taken: facts are linked from then on
  std::int64_t started_ms = 0;  // since when the condition holds
  std::int64_t ended_ms = 0;    // 0 while it fires
  std::int64_t expires_ms =
      0;  // when a receiver that hears no more takes it for over; 0: its own rule
  std::string owner;
  std::string runbook;   // the name of its page
  std::string trace_id;  // of an example; empty: none
  std::optional<AlertMoney> money;
};

// Where links lead: addresses in which {tenant_id}, {rule}, {from_ms}, {to_ms}, {trace_id}, {runbook}
// and the alert's labels by their names stand for what it says, percent-encoded. Empty: there is no
// such link; nor is there one where an alert lacks what the address asks for, unless it asks with a
// question mark: {tenant_id?} is then nothing.
struct LinkTemplates {
  std::string dashboard;
  std::string facts;
  std::string trace;
  std::string runbook;
};

struct Notification {
  // Letters, digits, _ and -. The same for each attempt at each receiver, another one for what is said
  // next: so a receiver that gets it twice shows it once.
  std::string id;
  std::string dedup_key;  // of the group, the same as long as it lives
  NotificationStatus status = NotificationStatus::firing;
  std::int64_t at_ms = 0;             // when it was decided, not when it is sent
  std::string by;                     // of an acknowledgement: who
  std::string reason;                 // and why
  std::vector<NotifiedAlert> alerts;  // one at least
  std::int64_t left_out = 0;          // further alerts of the group, not brought along
  LinkTemplates links;
};

enum class Link : std::uint8_t { dashboard, facts, trace, runbook, count_ };
std::string_view link_name(Link which);
// The address, or nothing where there is none, or it would be longer than receivers take.
std::string link_of(const Notification& notification, const NotifiedAlert& alert, Link which);

// "USD 1,234.50", "JPY -3"; minor units of a code that ISO 4217 does not have are whole ones.
std::string money_text(std::string_view currency, std::int64_t minor);
// "USD 12.00 lost so far, USD 3.00 an hour at risk"; what is 0 is left out. Who reads nothing of money
// takes it that nothing is lost: so what is not known yet is said as well.
std::string money_words(const AlertMoney& money);
// What all alerts cost together, a sum for each currency in order of appearance. A sum beyond 64 bits
// stays at their end.
std::vector<AlertMoney> money_of(const Notification& notification);

// One line that says all: "[FIRING:3] USD 3.00 an hour at risk: FactWriteFailures of acct_north: ...".
std::string headline(const Notification& notification);

}  // namespace z0
