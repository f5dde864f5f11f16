// Kept traces on their way to somebody else.
#include <algorithm>

#include "traces/store.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

bool TraceStore::begins_export(const Frame& frame) {
  if (!outbox_.due(frame.now_ms) || !judged_ || settings_otlp(frame.settings).traces_url.empty())
    return false;
  judged_ = false;
  return true;
}

void TraceStore::write_export(Effects& effects) {
  std::string batch;
  std::int64_t spans = 0;
  const auto write = [&] {
    if (!batch.empty()) outbox_.put(batch, spans, effects);
    batch.clear();
    spans = 0;
  };
  for (const std::string& span : to_export_) {
    if (batch.size() + span.size() > limits::export_bytes_max) write();
    ByteWriter(batch).short_bytes(span);
    ++spans;
  }
  write();
  to_export_.clear();
}

void TraceStore::go_on(const Outbox::Settled& settled, std::int64_t now_ms, Effects& effects) {
  std::int64_t at = now_ms;
  if (settled.again) at = open_.empty() ? settled.at_ms : now_ms + limits::trace_quiet_ms;
  set_alarm(at, effects);
}

}  // namespace z0
