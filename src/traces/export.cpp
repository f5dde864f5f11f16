// Kept traces on their way to somebody else: batches in rows, sent by the alarm one after the other.
#include <algorithm>

#include "traces/store.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

namespace {

namespace sql = traces_sql;

constexpr std::size_t batch_bytes_max = limits::traces_delivery_bytes_max / 2;

}  // namespace

void TraceStore::set_waiting(const Rows& rows) {
  outbox_first_ = rows.at(0, 0).integer;
  outbox_last_ = rows.at(0, 1).integer;
}

bool TraceStore::begins_export(const Frame& frame) {
  const bool due = outbox_first_ != 0 && frame.now_ms >= export_at_;
  if (!due || !judged_ || settings_otlp(frame.settings).traces_url.empty()) return false;
  judged_ = false;
  return true;
}

void TraceStore::write_export(Effects& effects) {
  std::string batch;
  std::int64_t spans = 0;
  const auto write = [&] {
    if (batch.empty()) return;
    // Nobody there may ever answer: the newest gives way, which costs no read of what it holds.
    if (outbox_first_ != 0 && outbox_last_ - outbox_first_ + 1 >= limits::exports_waiting_max) {
      counts_.export_lost += spans;
    } else {
      effects.write(sql::put_export, {Value::of(++outbox_last_), Value::blob(batch)});
      if (outbox_first_ == 0) outbox_first_ = outbox_last_;
    }
    batch.clear();
    spans = 0;
  };
  for (const std::string& span : to_export_) {
    if (batch.size() + span.size() > batch_bytes_max) write();
    ByteWriter(batch).short_bytes(span);
    ++spans;
  }
  write();
  to_export_.clear();
}

void TraceStore::end_export(std::int64_t n, std::int64_t spans, bool taken, Effects& effects) {
  effects.write(sql::drop_export, {Value::of(n)});
  if (!hydrated_) return;  // its rows will say the rest
  (taken ? counts_.exported : counts_.export_lost) += spans;
  effects.write(sql::put_meta, {Value::blob(encode(counts_))});
  outbox_first_ = n >= outbox_last_ ? 0 : n + 1;
  if (outbox_first_ == 0) outbox_last_ = 0;
  export_tries_ = 0;
  export_at_ = 0;
}

void TraceStore::put_off_export(std::uint32_t retry_after_s, const Frame& frame, Effects& effects) {
  const std::int64_t doubled = limits::export_pause_ms
                               << std::min<std::int64_t>(export_tries_++, 10);
  const std::int64_t asked = std::int64_t{retry_after_s} * 1'000;
  export_at_ = frame.now_ms + std::max(asked, std::min(doubled, limits::export_pause_ms_max));
  set_alarm(open_.empty() ? export_at_ : frame.now_ms + limits::trace_quiet_ms, effects);
}

}  // namespace z0
