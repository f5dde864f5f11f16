// Every maximum of z0 in one place: the number, the ceiling it respects, the margin.
//
// Include this wherever a list, a string, a depth or a loop needs its bound. A limit that a caller
// can meet is answered with a status of status.hpp, never with a trap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "z0.h"

namespace z0::limits {

// The simulator's core meets within tens of facts what takes others thousands: closed segments,
// sealed ids, full messages, states that were dropped. Nothing that a caller sees differs.
#ifdef Z0_SMALL_LIMITS
inline constexpr bool small = true;
#else
inline constexpr bool small = false;
#endif

// -- what a caller sends ------------------------------------------------------------------------

// One request. A Durable Object call takes 32 MiB, a Worker 100 MB: this is for latency, not for
// the platform. 1,000 facts of 4 KiB.
inline constexpr std::size_t body_bytes_max = 4u << 20;
// Facts in one request. Each may touch its own ledger, and a Worker invocation may make 1,000
// subrequests (10,000 on newer paid plans).
inline constexpr std::size_t facts_per_request_max = 1'000;
// A fact's `data`, minified. Small enough that a fact always fits a queue message
// (message_bytes_max).
inline constexpr std::size_t data_bytes_max = 64u << 10;
// Nesting of `data`, the outermost object counted as 1. SQLite's JSON takes 1,000.
inline constexpr std::size_t data_depth_max = 16;
// Nesting of a request's JSON: an envelope, an array, a fact, its data.
inline constexpr std::size_t json_depth_max = data_depth_max + 4;
// Members of one JSON object inside `data`; duplicate keys are found by comparing within an object.
inline constexpr std::size_t object_members_max = 1'024;
// Any id: entity, fact, tenant, config, dimension.
inline constexpr std::size_t id_bytes_max = 128;
// `type` and `subtype`.
inline constexpr std::size_t type_bytes_max = 64;
// Amounts are exact in JavaScript, JSON and SQLite alike: 2^53 - 1 minor units.
inline constexpr std::int64_t amount_max = (std::int64_t{1} << 53) - 1;
// Event times: 0 up to the year 9999, in ms.
inline constexpr std::int64_t timestamp_ms_max = 253'402'300'799'999;
// Config versions, sequence numbers: exact in JavaScript.
inline constexpr std::int64_t version_max = (std::int64_t{1} << 53) - 1;
// A bearer token, header and claims. Ours are about 250 bytes.
inline constexpr std::size_t token_bytes_max = 4'096;
// Kinds of facts that one request tells apart in metrics: by outcome, tenant, type, subtype and asset.
// Further ones count together, by tenant and outcome, so three points each of twice as many at most;
// the host merges them, and writes as many at a time as Analytics Engine takes.
inline constexpr std::size_t points_per_request_max = 64;
// A data point's index: longer tenant ids are cut, as Analytics Engine takes 96 bytes.
inline constexpr std::size_t point_index_bytes_max = 96;
// Query string and path.
inline constexpr std::size_t url_bytes_max = 8'192;
// Rows of one page of GET /v1/facts, and what a caller gets without `limit`.
inline constexpr std::size_t page_facts_max = 1'000;
inline constexpr std::size_t page_facts_default = 100;

// The data of one such page: a page is shorter when its facts are large. Two tables make it 16 MiB,
// and as much again in the answer, below frame_bytes_max.
inline constexpr std::int64_t page_bytes_max = std::int64_t{8} << 20;

// Dead letters that one request reads, by their bytes: D1 gives a blob as an array of numbers.
inline constexpr std::int64_t letters_bytes_max = std::int64_t{1} << 20;
// Dead letters that one request redrives; together they are one message, of message_bytes_max.
inline constexpr std::int64_t letters_per_redrive_max = 50;
// Entities that are named of a dead letter in a list.
inline constexpr std::size_t letter_entities_max = 10;
// The window of GET /v1/closure that was not asked for another: seven days.
inline constexpr std::int64_t closure_window_ms = std::int64_t{7} * 86'400'000;

// -- the core's own buffers ---------------------------------------------------------------------

// A frame: a body, or the rows that answer a need (see segments_per_read_max).
inline constexpr std::size_t frame_bytes_max = 48u << 20;

// -- the ledger ---------------------------------------------------------------------------------

// The tail segment grows in place up to this; then a new one begins. Each append rewrites the tail,
// so it is the price of small batches; each segment is a row, so it is the price of long reads.
// Measured in tests/bench/README.md: at one fact a batch 16 KiB cost a fifth less than 32, at a
// hundred the same.
inline constexpr std::size_t tail_bytes_max = small ? 600 : 16u << 10;
// A batch that begins a segment fills it up to this, so that an append of a hundred facts writes
// one row; a single fact of 64 KiB of data may take it a little further. Far below the 2 MB row.
inline constexpr std::size_t segment_bytes_max = small ? 1'200 : 64u << 10;
// Segments that one append may ask for, to compare suspected duplicates with their originals, and
// as many chunks of sealed ids: 256 x 64 KiB = 16 MiB, below frame_bytes_max. Items whose original
// lies in a further one are answered `overloaded`, and the client's retry of just those finds them.
inline constexpr std::int64_t originals_per_append_max = small ? 8 : 256;
// Segments that one read with a type filter looks through: 64 x 64 KiB = 4 MiB. A read without
// filter asks for those that hold its range, no more.
inline constexpr std::int64_t segments_per_read_max = small ? 3 : 64;
// Which bits of an id's hash count: all, but for the simulator's, where ids have to collide.
inline constexpr std::uint64_t id_hash_mask =
    small ? 0xfc00'0000'0000'03ffu : 0xffff'ffff'ffff'ffffu;
// Facts whose id hashes are looked up in memory by full hash before they are sealed into a sorted
// run with a filter. 131,072 x 16 bytes = 2 MiB while open.
inline constexpr std::size_t open_ids_max = small ? 16 : 1u << 17;
// Sealing is the alarm's work, since it takes some 15 ms. A ledger that grows faster than its alarm
// comes seals in the append: a rebuild reads every open hash, and must not run out of memory over
// it.
inline constexpr std::size_t open_ids_hard_max = 2 * open_ids_max;
// Sorted id hashes per row of a sealed run: 4,096 x 12 bytes = 48 KiB, below the 2 MB row.
inline constexpr std::size_t ids_per_chunk = small ? 4 : 4'096;
// Segments that one step of reconciliation reads: 128 x 64 KiB = 8 MiB at most, some 12,000 facts
// and 10 ms as a rule. What is left waits for the next step.
inline constexpr std::int64_t segments_per_pass_step = small ? 2 : 128;
// Facts of which one pass of reconciliation knows what corrections left: 4,096 x 16 bytes in memory
// and half of that in the meta row. A whole pass that meets more leaves them to the next one.
inline constexpr std::size_t corrected_per_pass_max = small ? 3 : 4'096;
// Ledger states kept in one instance, for every object of the isolate; the least recently used are
// dropped and rebuilt from rows. A young ledger's takes 5 KB, one with a tail of 16 KiB and a
// thousand open ids some 50 KB: 256 are 1 to 13 MB, and resident_bytes_max bounds those that are
// larger. More would save little: a rebuild is eight small reads of the object's own storage. It is
// eight times what one request has in flight, see calls_at_once_max.
inline constexpr std::size_t resident_ledgers_max = small ? 2 : 256;
// A state whose step waits outside of its object goes after all others. An object may die while its
// step waits, so this lasts no longer than the longest wait; the steps do not depend on it.
inline constexpr std::int64_t pin_ms = 30'000;
// Calls of other objects that one step has under way. Each is some 10 ms of work when all objects
// share one isolate, and whoever comes next waits for those that are there: a third of a second.
inline constexpr std::size_t calls_at_once_max = Z0_CALLS_AT_ONCE_MAX;
// Configs that one ledger knows: its tenant's and the platform's, and those of its own. They are
// part of every snapshot: 64 x 200 bytes.
inline constexpr std::size_t configs_per_ledger_max = 64;
// Of those, the ones of a tenant and of the platform: the rest is for the entity's own.
inline constexpr std::size_t policies_per_tenant_max = 48;
// A config's id: with a colon and a version of 16 digits it is the id of a fact.
inline constexpr std::size_t config_id_bytes_max = id_bytes_max - 17;
// Bytes of those states, the one that is about to come included. An isolate has 128 MB for
// everything, the core 96 MB: half of it may be a frame and what is made of it.
inline constexpr std::size_t resident_bytes_max = 40u << 20;
// Currencies whose money one ledger sums up. Each append rewrites the sums, and a fact looks its
// own up one by one: 32 x 70 bytes at most, where nearly every ledger has one.
inline constexpr std::size_t currencies_per_ledger_max = 32;
// Users with access to one entity: 256 x (two texts of 128 bytes, a number) = 67 KB, far below the
// 2 MB row.
inline constexpr std::size_t access_users_max = 256;

// -- traces -------------------------------------------------------------------------------------

// A span, its bytes after bound(): 16 attributes of a kilobyte, with their keys, its texts and links.
// What OpenTelemetry's SDKs send by default is cut at 128 attributes, of which few are long.
inline constexpr std::size_t attributes_per_span_max = 64;
inline constexpr std::size_t attribute_key_bytes_max = 128;
inline constexpr std::size_t attribute_bytes_max = 1'024;
inline constexpr std::size_t attributes_bytes_max = 16u << 10;
inline constexpr std::size_t links_per_span_max = 32;
inline constexpr std::size_t span_text_bytes_max = 1'024;
inline constexpr std::size_t span_bytes_max = 24u << 10;
// Spans of one log line's, one OTLP request's or one delivery's: as facts of one request.
inline constexpr std::size_t spans_per_request_max = 10'000;
// What one call brings an object of traces: 10,000 small spans, or 40 of the largest.
inline constexpr std::size_t traces_delivery_bytes_max = 1u << 20;
// Nesting of a request of OTLP: attributes stand at the tenth level, and their lists go on from there.
inline constexpr std::size_t otlp_depth_max = 64;
// Data points of one OTLP request, its observations by bucket, and the buckets of one histogram: ours
// has 650 up to a hundred years in ms.
inline constexpr std::size_t otlp_points_max = 10'000;
inline constexpr std::size_t otlp_observations_max = 20'000;
inline constexpr std::size_t otlp_buckets_max = 1'024;
// What the attributes of resources may come to, written into each of their spans.
inline constexpr std::size_t otlp_copied_bytes_max = 4u << 20;
// Objects of traces a deployment may be told to have (`trace_shards`): a search asks all of them.
inline constexpr std::int64_t trace_shards_max = 64;
// A trace is whole when nothing of it came for this long; then it is kept or not.
inline constexpr std::int64_t trace_quiet_ms = 5'000;
// One that never falls silent is judged by what came so far.
inline constexpr std::int64_t trace_open_ms_max = 60'000;
// Bytes of traces that wait for that, in memory and in rows: then the oldest are judged early.
inline constexpr std::size_t traces_open_bytes_max = small ? 8u << 10 : 8u << 20;
// A segment of traces grows in place up to this; below the 2 MB row, hashes and summaries included.
inline constexpr std::size_t trace_segment_bytes_max = small ? 2u << 10 : 512u << 10;
// Spans of one trace that an answer shows: 5,000 x 500 bytes.
inline constexpr std::size_t trace_spans_max = 5'000;
// Rows of segments that one step of a search reads, their summaries alone: 16 x 200 KB; and that one
// search reads in all, before it says how far it came.
inline constexpr std::int64_t trace_segments_per_step = small ? 2 : 16;
inline constexpr std::int64_t trace_segments_per_search = small ? 4 : 256;
// The same of a look-up, which reads whole segments: 8 x 512 KB.
inline constexpr std::int64_t trace_bodies_per_step = small ? 2 : 8;
// Tenants that a trace's summary names.
inline constexpr std::size_t tenants_per_trace_max = 8;
// Decisions that an object remembers for spans that come late: 16,384 x 16 bytes.
inline constexpr std::size_t trace_decisions_max = small ? 16 : 1u << 14;
inline constexpr std::int64_t trace_retention_ms = std::int64_t{7} * 86'400'000;
// Batches of kept traces, or of metrics, that wait to be sent to somebody else: 64 x 512 KB of rows. Then
// the newest are given up, and counted.
inline constexpr std::size_t export_bytes_max = small ? 2u << 10 : 512u << 10;
inline constexpr std::int64_t exports_waiting_max = small ? 4 : 64;
inline constexpr std::uint32_t export_timeout_ms = 10'000;
// What is read of the answer, which says how much of a batch was not taken.
inline constexpr std::uint32_t export_answer_bytes_max = 4'096;
// Between two tries of one batch: twice as long each time, or as long as the other side asks for.
inline constexpr std::int64_t export_pause_ms = 5'000;
inline constexpr std::int64_t export_pause_ms_max = 300'000;
inline constexpr std::size_t page_traces_max = 200;
inline constexpr std::size_t page_traces_default = 50;

// -- replication --------------------------------------------------------------------------------

// One queue message. The platform takes 128,000 bytes with about 100 of its own.
inline constexpr std::size_t message_bytes_max = Z0_MESSAGE_BYTES_MAX;
// Facts in one message. The rows that they become are one parameter of D1, whose ceiling is
// 2,000,000 bytes: 2,000 x 550 for the names that each row repeats, and the message itself.
inline constexpr std::size_t facts_per_message_max = small ? 5 : 2'000;
// How long after an append the ledger asks D1 whether its facts arrived, and sends them again if
// not.
inline constexpr std::int64_t confirm_after_ms = 10'000;
// The longest pause between two such checks while D1 fails. A D1 that was down for an hour is
// filled again from a minute after it is back; 10,000 ledgers that ask once a minute are 170 small
// reads a second, spread by `confirm_spread`.
inline constexpr std::int64_t confirm_pause_ms_max = 60'000;
// A pause is shorter by up to this part of it, differently for each ledger: those that D1 failed at
// one moment do not come back at one moment.
inline constexpr std::int64_t confirm_spread = 4;
// The pause while the ledger writes to D1 what it lacks and gets ahead.
inline constexpr std::int64_t catch_up_pause_ms = 1'000;
// Chunks of one message's size that a ledger writes to D1 in one alarm or call: 8 x 120 KB, eight
// D1 transactions one after the other. Twice that for a second of appends at 2,000 facts a second.
inline constexpr std::size_t chunks_per_round_max = small ? 3 : 8;
// Segments that are read for one chunk: 8 x 16 KiB, the size of tails, is one message.
inline constexpr std::int64_t segments_per_chunk = 8;
// How often the consumer of a message looks again because another one moved the same heads. Each
// look finds something to join only when another transaction came in between.
inline constexpr std::size_t projection_rounds_max = 8;
// Runs waiting ahead of gaps that one look at D1 brings: 2,000 x 700 bytes for their trees. Further
// ones are joined by the next look.
inline constexpr std::int64_t waiting_runs_max = 2'000;
// Steps that a frame may take where its stages lead one to the next: the longest chain is a
// redrive, which chooses, takes the consumer's steps and deletes. A ledger says it for each of its
// calls, see ledger/step.hpp.
inline constexpr std::size_t steps_per_frame_max = projection_rounds_max + 4;
// Heads and runs that one statement writes, and facts that one statement compares, as JSON. D1
// takes parameters of 2,000,000 bytes; what is counted before it is added is far below the rest.
inline constexpr std::size_t d1_json_bytes_max = 1'000'000;
// Facts of one comparison that D1 lacks and whose rows are looked for under another key. It reads
// the whole table, so it is for a row that was altered, not for rows that were lost.
inline constexpr std::size_t strays_max = 16;
// Ledgers of one page of GET /v1/replication: a call each, of the 1,000 that one request may make.
inline constexpr std::int64_t page_ledgers_max = 100;

// -- checkpoints --------------------------------------------------------------------------------

// A signed note, with the witnesses' signatures: 16 of the 5 KB that post-quantum ones take are the
// least that its specification asks for.
inline constexpr std::size_t note_bytes_max = 256u << 10;
inline constexpr std::size_t note_signatures_max = 64;

// -- time ---------------------------------------------------------------------------------------

// A ledger that has not answered by then has failed, and its facts become attempts.
inline constexpr std::uint32_t append_timeout_ms = 30'000;
inline constexpr std::uint32_t read_timeout_ms = 10'000;

// -- the monitor --------------------------------------------------------------------------------

// Seconds of the live window.
inline constexpr std::size_t live_seconds = 600;
// Latest facts shown.
inline constexpr std::size_t latest_facts = 50;
// Latest facts that one report brings.
inline constexpr std::size_t latest_per_report = 5;
// Ledgers with facts on their way that are followed by name; further ones are not counted in the
// depth.
inline constexpr std::size_t lagging_ledgers_max = 20'000;
// Series of one shard of the monitor. With all that belongs to one, 250 bytes: 25 MB of the 96 MB
// that the core has. Further ones count under other_value.
inline constexpr std::size_t monitor_series_max = small ? 60 : 100'000;
// Cells: a series, or each bucket of a histogram that something fell into. 32 bytes and 8 of index:
// 16 MB.
inline constexpr std::size_t monitor_cells_max = small ? 400 : 400'000;
// Events of one point of a product: a window's entry holds four times as many, and 2^63 of them, which a
// total may come to, are nine thousand million such points.
inline constexpr double point_events_max = 1e9;
// Cells in slots of windows, 8 bytes each: 16 MB, and twice that while a list grows. 1,000 cells that
// change all the time are 936,000: an hour in 10 s and two days in 5 minutes.
inline constexpr std::size_t window_entries_max = small ? 3'000 : 2'000'000;
// Series of one tenant, and of one metric of it: of the metrics with the most labels a thousand
// assets with a few types each would be more, and nobody reads a thousand lines.
inline constexpr std::size_t series_per_tenant_max = small ? 40 : 5'000;
inline constexpr std::size_t series_per_family_max = small ? 12 : 1'000;
// Isolates that one shard tells apart: 100 bytes each. What they tell is a flush a second.
inline constexpr std::size_t monitor_streams_max = small ? 8 : 4'096;
// An isolate begins a new stream after half of this without a word.
inline constexpr std::int64_t stream_silence_ms = 3'600'000;
// How often a shard saves what changed: as much as a crash loses.
inline constexpr std::int64_t monitor_save_ms = 10'000;
// Series of one row of a shard: 128 x (600 bytes of names, some hundred buckets of 8) is far from the
// 2 MB of a row.
inline constexpr std::size_t series_per_chunk = 128;
// Rows that a shard reads at a time while it comes back to memory: 8 x 2 MB at most.
inline constexpr std::int64_t monitor_rows_per_read = 8;
// Steps of a frame to a shard that first has to read its rows: 1,740 of them at most, some of everything
// that it keeps, and what it does then.
inline constexpr std::size_t monitor_steps_max = 1'740 / monitor_rows_per_read + 32;
// How often metrics go out to somebody else, unless a setting says otherwise; and the most that it may say:
// what is not sent yet stands in the slots of an hour.
inline constexpr std::int64_t metrics_interval_ms = 60'000;
inline constexpr std::int64_t metrics_interval_s_max = 1'200;
// While a receiver takes nothing, what happens adds up there for so long before it waits as a batch.
inline constexpr std::int64_t metrics_held_back_ms_max = 1'800'000;
// Shards of the monitor that a deployment may have: the root asks them all at once.
inline constexpr std::int64_t monitor_shards_max = 32;
// Groups, and steps of each, in one answer; series of one GET /metrics, of some hundred bytes each.
inline constexpr std::size_t metric_groups_max = 1'000;
inline constexpr std::int64_t metric_steps_max = 600;
inline constexpr std::size_t exposed_series_max = 20'000;
// Rules of one config, and what one of them may name.
inline constexpr std::size_t rules_max = 200;
inline constexpr std::size_t rule_selectors_max = 4;
inline constexpr std::size_t rule_matches_max = 8;
inline constexpr std::size_t rule_text_bytes_max = 500;
// Longer ones are not held: windows.hpp.
inline constexpr std::int64_t rule_window_ms_max = std::int64_t{2} * 86'400'000;
inline constexpr std::int64_t rule_patience_ms_max = std::int64_t{7} * 86'400'000;
// A gauge that was not heard for longer has no value, as Prometheus has it.
inline constexpr std::int64_t gauge_stale_ms = 300'000;
// Groups that one evaluator tells apart over all rules: a thousand tenants under some twenty kinds of
// labels. With states and sums 1 KB each at 40 rules: 20 MB.
inline constexpr std::size_t alert_groups_max = small ? 200 : 20'000;
// States of alerts by one tenant's own rules, each rule with each group: 56 bytes each, beside sums. Else its
// rules and labels together would fill the memory of the shard that judges for everybody.
inline constexpr std::size_t alert_states_of_tenant_max = small ? 100 : 10'000;
// Alerts of one report of a shard: 200 bytes each. So many at once have one cause, and nobody reads more.
inline constexpr std::size_t alerts_per_report_max = small ? 20 : 2'000;
// Of those, by the own rules of one tenant, so that there is room for others'.
inline constexpr std::size_t alerts_of_tenant_per_report_max = small ? 5 : 200;
// A row of a Durable Object may have 2 MB; one that has more fails the step that writes it. States of alerts of
// all tenants stand in one, and of one tenant's own rules no more than its part.
inline constexpr std::size_t alert_row_bytes_max = small ? 6'000 : 1'500'000;
inline constexpr std::size_t alert_row_bytes_of_tenant_max = small ? 1'500 : 100'000;
// How often rules are judged while something is told: with the second that an isolate collects for, an
// alert is known six seconds after its event, of ten that are promised.
inline constexpr std::int64_t alert_tick_ms = 5'000;
// How often once nothing was told for so long.
inline constexpr std::int64_t alert_quiet_ms = 60'000;
// A shard that has something to watch and says nothing for so long is taken for gone: three of its rare
// ticks.
inline constexpr std::int64_t shard_silent_ms = 200'000;
// Shards are asked to speak when the object of alerts begins anew. Whoever does not within two ticks is
// away, and what the others say has to do.
inline constexpr std::int64_t shard_unheard_ms = 2 * alert_tick_ms;
// Nobody waits for the object of alerts but the tick itself, and the next one says it again.
inline constexpr std::uint32_t alert_report_timeout_ms = 4'000;
// Alerts of one rule that are remembered until everybody heard of them: 400 bytes each, and a byte for
// each of 50 channels, are 900 KB of the 2 MB that a row may have. Further ones are counted.
inline constexpr std::size_t group_alerts_max = small ? 20 : 2'000;
// Alerts of one notification to people, who read some ten.
inline constexpr std::size_t told_alerts_max = small ? 10 : 100;
// How often a page that nobody answers goes further: an hour of quarters.
inline constexpr std::int64_t escalations_max = 4;
// Begins and ends of an alert that are remembered, so that flapping is seen.
inline constexpr std::int64_t flap_changes_max = 50;
inline constexpr std::int64_t flap_window_ms_max = 86'400'000;
// How often Alertmanager hears of an alert again, as from Prometheus.
inline constexpr std::int64_t alertmanager_resend_ms = 60'000;
// Silences at once, of one tenant and of all: 1 KB each. Nobody oversees more.
inline constexpr std::size_t silences_of_tenant_max = small ? 5 : 50;
inline constexpr std::size_t silences_max = small ? 20 : 1'000;
inline constexpr std::size_t silence_labels_max = 8;
// What is silenced for longer is a rule that ought to go.
inline constexpr std::int64_t silence_ms_max = std::int64_t{30} * 86'400'000;
// A silence that is over is shown for a day; by it, too, an alert that ended under it is known.
inline constexpr std::int64_t silence_kept_ms = 86'400'000;
// Baselines of one evaluator, 2.4 KB each: 14 MB.
inline constexpr std::size_t habits_max = small ? 50 : 6'000;
// Rows of them that one transaction writes, 38 KB each.
inline constexpr std::size_t habit_rows_per_save = small ? 2 : 32;
// Custom fact types counted by name; further ones count as "(other)".
inline constexpr std::size_t counted_types_max = 64;

}  // namespace z0::limits
