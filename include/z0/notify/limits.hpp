// What receivers of notifications take, each as it is documented, and what we hold ourselves to.
//
// Receivers count characters; we count bytes of UTF-8, which are never fewer, whether they mean code
// points or UTF-16's units.
#pragma once

#include <cstddef>
#include <cstdint>

#include "z0/base/limits.hpp"

namespace z0::limits {

// PagerDuty, Events API v2. An event is at most 512 KB, which is read as 512,000.
inline constexpr std::size_t pagerduty_routing_key_bytes = 32;
inline constexpr std::size_t pagerduty_dedup_key_bytes_max = 255;
inline constexpr std::size_t pagerduty_summary_bytes_max = 1'024;
inline constexpr std::size_t pagerduty_event_bytes_max = 512'000;

// Slack, Block Kit.
inline constexpr std::size_t slack_blocks_max = 50;
inline constexpr std::size_t slack_header_bytes_max = 150;
inline constexpr std::size_t slack_text_bytes_max = 3'000;
inline constexpr std::size_t slack_fields_max = 10;
inline constexpr std::size_t slack_field_bytes_max = 2'000;
inline constexpr std::size_t slack_button_url_bytes_max = 3'000;
// Alerts that one message shows. Slack would take 22, of two blocks each; nobody reads them.
inline constexpr std::size_t slack_alerts_max = 10;

// Standard Webhooks recommends bodies below 20 KB; receivers in general take 100 KB, and a group of
// alerts is worth having whole.
inline constexpr std::size_t webhook_body_bytes_max = 100'000;
// How far the time in a webhook may be from the receiver's.
inline constexpr std::int64_t webhook_tolerance_ms = 300'000;
// Keys that sign at once: the one in use, and its neighbours while it is changed.
inline constexpr std::size_t webhook_secrets_max = 4;
// Of a key, as Standard Webhooks has it.
inline constexpr std::size_t webhook_key_bytes_min = 24;
inline constexpr std::size_t webhook_key_bytes_max = 64;

// Channels of one config, and of all: each hears of each alert, so a few dozen are many.
inline constexpr std::size_t channels_max = 50;
// Of a text of an alert, and labels of one, in what is sent. Rules have texts of half of that.
inline constexpr std::size_t notified_text_bytes_max = 1'000;
inline constexpr std::size_t notified_labels_max = 32;
// Of a link: what Slack takes, and browsers do.
inline constexpr std::size_t notified_link_bytes_max = slack_button_url_bytes_max;

// Pauses between attempts: the first is at most a second, the longest five minutes, so that a receiver
// that was away for an hour hears within five minutes of its return. What it asks for itself is
// waited for up to an hour: a page that comes tomorrow is none.
inline constexpr std::int64_t notify_pause_ms = 1'000;
inline constexpr std::int64_t notify_pause_ms_max = 300'000;
inline constexpr std::int64_t notify_asked_ms_max = 3'600'000;

// What waits for one receiver. A group waits once, with its newest word, so it is as many groups that
// changed while a receiver was away; of more the oldest warnings are lost first, and counted. 50 lanes of
// 100 letters of 64 KiB are 320 MB of rows, of the 10 GB that an object has.
inline constexpr std::size_t letters_per_lane_max = 100;
// Of a letter; what does not fit are further alerts of its group, which are counted.
inline constexpr std::size_t letter_bytes_max = 64u << 10;
// A word that is a day old helps nobody.
inline constexpr std::int64_t letter_age_ms_max = std::int64_t{24} * 3'600'000;
// How long a receiver may take. Whatever becomes due meanwhile waits as long, of the 15 s that a page may
// take in all.
inline constexpr std::uint32_t letter_timeout_ms = 5'000;

// Facts about alerts that wait for their ledger, and those of one call.
inline constexpr std::int64_t alert_facts_waiting_max = 2'000;
inline constexpr std::int64_t alert_facts_per_call_max = small ? 8 : 100;
// After a restart all of them may have been told before.
static_assert(alert_facts_per_call_max <= originals_per_append_max);
// Steps of one frame to the object of alerts: its rows, zones, letters, answers.
inline constexpr std::size_t alerts_steps_max = 6;

}  // namespace z0::limits
