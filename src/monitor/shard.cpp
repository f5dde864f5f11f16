#include "z0/monitor/shard.hpp"

#include <algorithm>
#include <cmath>

#include "monitor/step.hpp"
#include "monitor/watch.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/reports.hpp"

namespace z0 {
namespace {

constexpr std::string_view create_rows =
    R"(CREATE TABLE IF NOT EXISTS metric_rows (kind INTEGER, id INTEGER, bytes BLOB NOT NULL,
      PRIMARY KEY (kind, id)) WITHOUT ROWID)";
constexpr std::string_view put_row =
    "INSERT OR REPLACE INTO metric_rows (kind, id, bytes) VALUES (?1, ?2, ?3)";
constexpr std::string_view select_rows =
    R"(SELECT kind, id, bytes
      FROM metric_rows
      WHERE (kind, id) > (?1, ?2)
      ORDER BY kind, id
      LIMIT ?3)";
namespace of_rows {
enum Column : std::size_t { kind, id, bytes };
}
// Kinds of rows: what there is one of; chunks of series; slots of each level.
constexpr std::int64_t head_kind = 0;
constexpr std::int64_t series_kind = 1;
constexpr std::int64_t slots_kind = 2;
constexpr std::int64_t watch_kind = slots_kind + static_cast<std::int64_t>(Windows::level_count);

constexpr std::uint8_t head_version = 3;
constexpr std::int64_t hour_ms = 3'600'000;
// Of a metric's name and its labels.
constexpr std::size_t blobs_max = 19;

// A point as Z0_POINT carries it. False for one that the table of metrics does not have: another
// version of z0 may tell of it.
bool read_sample(ByteReader& in, Sample& sample, double& how_much) {
  sample.labels.clear();
  const std::uint8_t kind = in.u8();
  sample.tenant_id = in.bytes();
  const std::uint16_t blobs = in.u16();
  if (blobs == 0 || blobs > blobs_max) return false;
  sample.metric = metric_named(in.bytes());
  for (std::uint16_t i = 1; i < blobs && in.ok(); ++i) sample.labels.push_back(in.bytes());
  how_much = in.f64();
  sample.value = in.f64();
  sample.trace_id = in.bytes();
  if (!in.ok() || sample.metric == Metric::count_) return false;
  const MetricInfo& row = info(sample.metric);
  return kind == static_cast<std::uint8_t>(row.kind) && sample.labels.size() == row.labels.size();
}

bool countable(double v) { return v >= 0 && v <= 9e15; }

}  // namespace

Shard::Shard() : watch_(std::make_unique<Watch>()) {}
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;
Shard::~Shard() = default;

bool Shard::take(std::string_view flush, std::int64_t now_ms) {
  ByteReader in(flush);
  FlushHead head;
  head.stream = in.u64();
  head.began_ms = static_cast<std::int64_t>(in.u64());
  head.number = static_cast<std::int64_t>(in.u64());
  head.before = static_cast<std::int64_t>(in.u64());
  head.events = static_cast<std::int64_t>(in.u64());
  const std::uint32_t count = in.u32();
  std::int64_t events = 0;
  std::vector<Sample> samples;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Sample sample;
    double how_much = 0;
    ByteReader one(in.bytes());
    const bool known = read_sample(one, sample, how_much);
    if (!one.ok() || !countable(how_much) || !countable(sample.value)) return false;
    sample.how_much = static_cast<std::int64_t>(how_much);
    if (sample.how_much > flush_events_max - events) return false;
    events += sample.how_much;
    if (known) samples.push_back(std::move(sample));
  }
  const bool sound = in.ok() && in.done() && head.number >= 1 && head.began_ms >= 0 &&
                     head.before >= 0 && head.before <= flush_events_max && head.events == events;
  if (!sound) return false;
  if (since_ms_ == 0) since_ms_ = now_ms;
  change(now_ms);
  if (!streams_.take(head, now_ms)) return true;
  if (!samples.empty()) {
    // A clock that went back adds to slots that were over.
    if (now_ms < heard_at_ms_) watch_->forget_sums();
    const std::int64_t tick_at_ms = now_ms + limits::alert_tick_ms;
    if (tick_at_ms_ == 0 || tick_at_ms < tick_at_ms_) tick_at_ms_ = tick_at_ms;
    heard_at_ms_ = std::max(heard_at_ms_, now_ms);
    if (news_at_ms_ == 0) news_at_ms_ = now_ms;
  }
  for (const Sample& sample : samples) {
    const std::uint32_t cell = table_.cell_of(sample, now_ms);
    if (cell != SeriesTable::none)
      table_.add(cell, static_cast<std::uint64_t>(sample.how_much), windows_, now_ms);
  }
  return true;
}

void Shard::change(std::int64_t now_ms) {
  if (!changed_) changed_at_ms_ = now_ms;
  changed_ = true;
}

std::size_t Shard::memory_bytes() const {
  constexpr std::size_t stream_bytes = 112;
  return table_.memory_bytes() + windows_.memory_bytes() + streams_.size() * stream_bytes;
}

std::string Shard::encode_head() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(head_version);
  out.varint(static_cast<std::uint64_t>(since_ms_));
  streams_.encode(out);
  table_.encode_guard(out);
  windows_.encode_reaches(out);
  if (!name_.empty()) {
    out.varint(static_cast<std::uint64_t>(exported_to_ms_));
    out.short_bytes(name_);
  }
  return bytes;
}

bool Shard::decode_head(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != head_version) return false;
  since_ms_ = static_cast<std::int64_t>(in.varint());
  if (since_ms_ < 0 || since_ms_ > limits::timestamp_ms_max) return false;
  if (!streams_.decode(in) || !table_.decode_guard(in) || !windows_.decode_reaches(in))
    return false;
  if (!in.done()) {
    exported_to_ms_ = static_cast<std::int64_t>(in.varint());
    name_ = in.short_bytes();
    if (exported_to_ms_ < 0 || exported_to_ms_ > limits::timestamp_ms_max) return false;
  }
  return in.ok() && in.done();
}

bool Shard::save_due(std::int64_t now_ms, bool late) const {
  constexpr std::int64_t late_ms = 2'000;
  // A clock that ran back makes nothing wait for longer.
  return changed_ && (watch_->turned() || now_ms < changed_at_ms_ ||
                      now_ms - changed_at_ms_ >= limits::monitor_save_ms + (late ? late_ms : 0));
}

void Shard::save(std::int64_t now_ms, Effects& effects) {
  if (now_ms >= forgot_at_ms_ + hour_ms) {
    forgot_at_ms_ = now_ms;
    streams_.forget(now_ms);
    table_.forget(now_ms);
    watch_->forget_sums();
  }
  if (!has_table_) effects.write(create_rows, {});
  has_table_ = true;
  if (wipe_) effects.write("DELETE FROM metric_rows", {});
  wipe_ = false;
  const auto put = [&effects](std::int64_t kind, std::int64_t id, std::string_view bytes) {
    effects.write(put_row, {Value::of(kind), Value::of(id), Value::blob(bytes)});
  };
  put(head_kind, 0, encode_head());
  table_.save(
      [&](std::int64_t chunk, const std::string& bytes) { put(series_kind, chunk, bytes); });
  windows_.save([&](std::size_t level, std::int64_t place, const std::string& bytes) {
    put(slots_kind + static_cast<std::int64_t>(level), place, bytes);
  });
  watch_->save([&](std::int64_t id, const std::string& bytes) { put(watch_kind, id, bytes); });
  // There may be nobody any more to send to.
  if (!sends()) outbox_.give_up(effects);
  changed_ = false;
}

bool Shard::tick_due(std::int64_t now_ms) const {
  // A clock that ran back makes nothing wait for longer.
  return tick_at_ms_ != 0 && (now_ms >= tick_at_ms_ || now_ms < heard_at_ms_);
}

std::string Shard::tick(std::int64_t now_ms) {
  if (now_ms < heard_at_ms_) watch_->forget_sums();
  watch_->tick(table_, windows_, now_ms);
  tick_at_ms_ = watch_->next_ms(heard_at_ms_, now_ms);
  if (watch_->changed()) change(now_ms);
  if (watch_->turned()) {
    tick_at_ms_ = now_ms;
    return {};
  }
  return watch_->has_to_say() && !name_.empty() ? watch_->report(name_, now_ms) : std::string();
}

void Shard::report_at(std::int64_t now_ms) {
  watch_->say_again();
  tick_at_ms_ = now_ms;
}

void Shard::heard(std::string_view reply, std::int64_t now_ms) {
  watch_->heard(reply);
  if (watch_->changed()) change(now_ms);
}

void Shard::ask(Effects& effects) const {
  effects.need_rows(select_rows, {Value::of(after_kind_), Value::of(after_id_),
                                  Value::of(limits::monitor_rows_per_read)});
}

bool Shard::load_row(std::int64_t kind, std::int64_t id, std::string_view bytes) {
  if (kind == head_kind) return decode_head(bytes);
  if (kind == series_kind) return table_.load_chunk(id, bytes);
  if (kind == watch_kind) return watch_->load(id, bytes);
  return windows_.load(static_cast<std::size_t>(kind - slots_kind), id, bytes);
}

// A row that cannot be read begins anew: metrics are no ledger, and a shard that never came back
// would lose all that comes.
bool Shard::load(const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    after_kind_ = rows.at(i, of_rows::kind).integer;
    after_id_ = rows.at(i, of_rows::id).integer;
    if (load_row(after_kind_, after_id_, rows.at(i, of_rows::bytes).bytes)) continue;
    *this = Shard();
    has_table_ = wipe_ = true;
    return true;
  }
  return rows.size() < static_cast<std::size_t>(limits::monitor_rows_per_read);
}

bool Shard::loaded(const Frame& frame, Effects& effects) {
  if (loading_ == Loading::done) return true;
  if (loading_ == Loading::begin || frame.answers.empty()) {
    loading_ = Loading::rows;
    ask(effects);
    return false;
  }
  const Rows rows = parse_rows(frame.answers[0]);
  const bool no_table = rows.failed && rows.message.find("no such table") != std::string_view::npos;
  const bool of_outbox = loading_ == Loading::outbox;
  if (of_outbox ? !outbox_.load(rows) : rows.failed && !no_table) {
    *this = Shard();
    // An alarm is owed no reply; it comes again.
    if (frame.kind == Z0_FRAME_ALARM)
      effects.alarm(frame.now_ms + limits::monitor_save_ms);
    else
      effects.reply(503, {}, {});
    return false;
  }
  if (of_outbox) {
    loading_ = Loading::done;
    return true;
  }
  has_table_ = !rows.failed;
  if (!rows.failed && !load(rows)) {
    ask(effects);
    return false;
  }
  table_.finish_loading();
  for (const SeriesTable::Series& series : table_.series())
    heard_at_ms_ = std::max(heard_at_ms_, series.heard_ms);
  if (exported_to_ms_ != 0 && heard_at_ms_ >= exported_to_ms_) news_at_ms_ = exported_to_ms_;
  // What was judged before is judged anew, and what was said may have been lost.
  tick_at_ms_ = frame.now_ms;
  watch_->say_again();
  loading_ = Loading::outbox;
  Outbox::ask_state(effects);
  return false;
}

void step_shard(Shard& shard, const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_ALARM) return alarm_of_shard(shard, frame, effects);
  if (frame.kind == Z0_FRAME_RESUME) return resume_shard(shard, frame, effects);
  SeriesRequest request;
  const auto called = [&frame](MonitorMethod method) {
    return frame.kind == Z0_FRAME_CALL && frame.method == static_cast<std::uint8_t>(method);
  };
  const bool reports = called(MonitorMethod::report);
  const bool asked = called(MonitorMethod::series) && decode(frame.part(1), request);
  if (!asked && !reports && frame.kind != Z0_FRAME_TELL)
    trap("a shard of the monitor is told flushes, and asked for series and reports alone");
  if (!shard.loaded(frame, effects)) return;
  if (reports) shard.report_at(frame.now_ms);
  if (!asked) {
    shard.heed(frame, frame.part(0));
    for (ByteReader in(frame.part(1)); in.ok() && !in.done();) {
      // One that cannot be read was told of by the next ones: it is missing.
      static_cast<void>(shard.take(in.bytes(), frame.now_ms));
    }
    // Somebody who takes long to answer holds up the alarm, and so would the rows.
    if (shard.save_due(frame.now_ms, true)) shard.save(frame.now_ms, effects);
    shard.set_alarm(frame.now_ms, effects);
    return effects.reply(200, {}, {});
  }
  effects.reply(200, {}, encode(shard.answer(request, frame.now_ms)));
}

}  // namespace z0
