#include "z0/outbox/outbox.hpp"

#include <algorithm>
#include <string>

#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/metrics/events.hpp"

namespace z0 {
namespace {

constexpr std::string_view create_tables[] = {
    "CREATE TABLE IF NOT EXISTS export_batches (n INTEGER PRIMARY KEY, items INTEGER NOT NULL, "
    "body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS export_counts (n INTEGER PRIMARY KEY, taken INTEGER NOT NULL, "
    "lost INTEGER NOT NULL, tries INTEGER NOT NULL, again_at INTEGER NOT NULL)"};
constexpr std::string_view select_state =
    R"(SELECT b.first, b.last, b.items, c.taken, c.lost, c.tries, c.again_at
      FROM (SELECT min(n) AS first, max(n) AS last, sum(items) AS items FROM export_batches) AS b
      LEFT JOIN export_counts AS c ON c.n = 1)";
namespace of_state {
enum Column : std::size_t { first, last, items, taken, lost, tries, again_at };
}
constexpr std::string_view select_first =
    "SELECT n, items, body FROM export_batches ORDER BY n LIMIT 1";
constexpr std::string_view put_batch =
    "INSERT INTO export_batches (n, items, body) VALUES (?1, ?2, ?3)";
constexpr std::string_view drop_batch = "DELETE FROM export_batches WHERE n <= ?1";
// Added up by the row, so that it is right whatever is in memory.
constexpr std::string_view count_items =
    R"(INSERT INTO export_counts (n, taken, lost, tries, again_at) VALUES (1, ?1, ?2, ?3, ?4)
      ON CONFLICT (n) DO UPDATE
      SET taken = taken + ?1, lost = lost + ?2, tries = ?3, again_at = ?4)";

void count(std::int64_t taken, std::int64_t lost, std::int64_t tries, std::int64_t again_at_ms,
           Effects& effects) {
  effects.write(count_items,
                {Value::of(taken), Value::of(lost), Value::of(tries), Value::of(again_at_ms)});
}

// Whether the other side may take it later, by OTLP's own list.
bool worth_another_try(const FetchAnswer& answer) {
  if (answer.outcome != Z0_OK) return true;
  return answer.http == 429 || answer.http == 502 || answer.http == 503 || answer.http == 504;
}

// A 64-bit integer of OTLP: a number, or a text of one.
std::int64_t number_in(JsonReader& in) {
  std::string scratch;
  std::string_view text;
  std::int64_t number = 0;
  JsonReader::Fit fit{};
  if (in.peek() == JsonKind::number)
    return in.integer(number, fit) && fit == JsonReader::Fit::exact ? number : 0;
  if (in.peek() != JsonKind::string) {
    in.skip();
    return 0;
  }
  if (!in.string(text, scratch)) return 0;
  JsonReader inner(text, 1);
  const bool whole = inner.peek() == JsonKind::number && inner.integer(number, fit);
  return whole && fit == JsonReader::Fit::exact ? number : 0;
}

// Of {"partialSuccess":{"rejectedSpans":"2"}}: how many were not taken. An answer that says nothing, or
// not in JSON, took all.
std::int64_t rejected_in(std::string_view body) {
  constexpr std::size_t depth_max = 16;
  JsonReader in(body, depth_max);
  std::string_view key;
  std::int64_t rejected = 0;
  if (in.peek() != JsonKind::object || !in.enter_object()) return 0;
  while (in.next_member(key)) {
    if (key != "partialSuccess" || in.peek() != JsonKind::object) {
      in.skip();
      continue;
    }
    in.enter_object();
    while (in.next_member(key)) {
      if (key == "rejectedSpans" || key == "rejectedDataPoints")
        rejected = number_in(in);
      else
        in.skip();
    }
  }
  return in.error() == JsonError::none ? rejected : 0;
}

}  // namespace

void Outbox::ask_state(Effects& effects) { effects.need_rows(select_state, {}); }

bool Outbox::load(const Rows& rows) {
  if (rows.failed) return rows.message.find("no such table") != std::string_view::npos;
  has_tables_ = true;
  first_ = rows.at(0, of_state::first).integer;
  last_ = rows.at(0, of_state::last).integer;
  items_ = rows.at(0, of_state::items).integer;
  taken_ = rows.at(0, of_state::taken).integer;
  lost_ = rows.at(0, of_state::lost).integer;
  tries_ = rows.at(0, of_state::tries).integer;
  again_at_ms_ = rows.at(0, of_state::again_at).integer;
  return true;
}

void Outbox::make_tables(Effects& effects) {
  if (has_tables_) return;
  for (const std::string_view create : create_tables) effects.write(create, {});
  has_tables_ = true;
}

void Outbox::put(std::string_view batch, std::int64_t items, Effects& effects) {
  make_tables(effects);
  if (waits() && last_ - first_ + 1 >= limits::exports_waiting_max) {
    lost_ += items;
    return count(0, items, tries_, again_at_ms_, effects);
  }
  effects.write(put_batch, {Value::of(++last_), Value::of(items), Value::blob(batch)});
  if (first_ == 0) first_ = last_;
  items_ += items;
}

void Outbox::give_up(Effects& effects) {
  if (!waits()) return;
  effects.write(drop_batch, {Value::of(last_)});
  count(0, items_, 0, 0, effects);
  lost_ += items_;
  first_ = last_ = items_ = tries_ = again_at_ms_ = 0;
}

void Outbox::ask_first(Effects& effects) { effects.need_rows(select_first, {}); }

bool Outbox::read_first(const Rows& rows, SentBatch& sent, std::string_view& batch) const {
  if (rows.failed || rows.size() == 0) return false;
  sent = {rows.at(0, 0).integer, rows.at(0, 1).integer, tries_};
  batch = rows.at(0, 2).bytes;
  return true;
}

void Outbox::send(const std::string& url, const OtlpTarget& target, std::string_view body,
                  Effects& effects) {
  FetchRequest request{"POST", url, {{"content-type", "application/json"}}, body};
  for (const auto& [name, value] : target.headers) request.headers.emplace_back(name, value);
  request.timeout_ms = limits::export_timeout_ms;
  request.answer_bytes_max = limits::export_answer_bytes_max;
  effects.need_fetch("z0.external.otlp.export", request);
}

Outbox::Settled Outbox::settle(const SentBatch& sent, std::string_view bytes, const Frame& frame,
                               Outbox* known, Effects& effects) {
  // Given up meanwhile, and counted.
  if (known != nullptr && (!known->waits() || sent.n < known->first_)) return {};
  const FetchAnswer answer = parse_fetch(bytes);
  Settled settled;
  settled.http = answer.http;
  const bool taken = answer.outcome == Z0_OK && answer.http >= 200 && answer.http < 300;
  if (!taken && worth_another_try(answer)) {
    const std::int64_t doubled = limits::export_pause_ms << std::min<std::int64_t>(sent.tries, 10);
    const std::int64_t asked = std::int64_t{answer.retry_after_s} * 1'000;
    settled.again = true;
    settled.at_ms = frame.now_ms + std::max(asked, std::min(doubled, limits::export_pause_ms_max));
    count(0, 0, sent.tries + 1, settled.at_ms, effects);
    if (known == nullptr) return settled;
    known->tries_ = sent.tries + 1;
    known->again_at_ms_ = settled.at_ms;
    return settled;
  }
  const std::int64_t rejected = rejected_in(answer.body);
  settled.refused = taken ? std::clamp<std::int64_t>(rejected, 0, sent.items) : sent.items;
  effects.write(drop_batch, {Value::of(sent.n)});
  count(sent.items - settled.refused, settled.refused, 0, 0, effects);
  if (known == nullptr) return settled;
  known->taken_ += sent.items - settled.refused;
  known->lost_ += settled.refused;
  known->items_ -= sent.items;
  known->first_ = sent.n >= known->last_ ? 0 : sent.n + 1;
  if (known->first_ == 0) known->last_ = 0;
  known->tries_ = known->again_at_ms_ = 0;
  return settled;
}

void Outbox::log_refused(const Settled& settled, std::string_view signal, Effects& effects) {
  if (settled.refused > 0)
    log_event(effects, Event::export_refused, {signal, settled.http, settled.refused});
}

}  // namespace z0
