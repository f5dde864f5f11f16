#include "traces/segment.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// The span that none of the others is the parent of; of several the one that began first.
const Span* root_of(const std::vector<Span>& spans) {
  const Span* root = nullptr;
  for (const Span& span : spans) {
    const bool inner =
        !span.parent_id.empty() && std::any_of(spans.begin(), spans.end(), [&](const Span& other) {
          return &other != &span && other.span_id == span.parent_id;
        });
    if (!inner && (root == nullptr || span.start_us < root->start_us)) root = &span;
  }
  // A circle of parents has none.
  return root != nullptr || spans.empty() ? root : spans.data();
}

}  // namespace

std::string trace_hash(std::string_view trace_id) {
  std::string hash;
  ByteWriter(hash).u64(id_hash(trace_id, 0));
  return hash;
}

bool TraceSegment::full() const {
  return ids.size() + summaries.size() + body.size() >= limits::trace_segment_bytes_max;
}

void TraceSegment::add(const TraceSummary& summary, const std::vector<std::string>& spans,
                       std::int64_t now_ms) {
  from_us = body.empty() ? summary.start_us : std::min(from_us, summary.start_us);
  to_us = std::max(to_us, summary.start_us);
  last_at = std::max(last_at, now_ms);
  ids += trace_hash(summary.trace_id);
  ByteWriter(summaries).short_bytes(encode(summary));
  ByteWriter out(body);
  out.raw(summary.trace_id);
  const std::size_t mark = out.mark();
  out.u32(0);
  for (const std::string& span : spans) out.short_bytes(span);
  out.patch_u32(mark, static_cast<std::uint32_t>(out.mark() - mark - sizeof(std::uint32_t)));
}

bool find_trace(std::string_view body, std::string_view trace_id,
                std::vector<std::string_view>& spans) {
  ByteReader in(body);
  while (!in.done()) {
    const std::string_view id = in.raw(trace_id_bytes);
    const std::string_view bytes = in.bytes();
    if (!in.ok()) return false;
    if (id != trace_id) continue;
    for (ByteReader of(bytes); !of.done();) {
      spans.push_back(of.short_bytes());
      if (!of.ok()) return false;
    }
  }
  return true;
}

TraceSummary summary_of(std::string_view trace_id, const std::vector<Span>& spans) {
  TraceSummary trace;
  trace.trace_id = trace_id;
  trace.spans = static_cast<std::int64_t>(spans.size());
  for (const Span& span : spans) {
    if (span.status == SpanStatus::error) ++trace.errors;
    if (trace.error_code.empty()) trace.error_code = span.error_code;
    trace.money = std::max(trace.money, span.money);
    const auto known = std::find(trace.tenants.begin(), trace.tenants.end(), span.tenant_id);
    if (!span.tenant_id.empty() && known == trace.tenants.end() &&
        trace.tenants.size() < limits::tenants_per_trace_max)
      trace.tenants.push_back(span.tenant_id);
  }
  if (const Span* root = root_of(spans)) {
    trace.operation = root->name;
    trace.service = root->service;
    trace.start_us = root->start_us;
    trace.end_us = root->end_us;
    trace.clock = root->clock;
  }
  return trace;
}

bool matches(const TraceSummary& trace, const SearchRequest& request) {
  const auto& tenants = trace.tenants;
  if (!request.tenant_id.empty() &&
      std::find(tenants.begin(), tenants.end(), request.tenant_id) == tenants.end())
    return false;
  if (!request.operation.empty() && trace.operation != request.operation) return false;
  if (trace.end_us - trace.start_us < request.min_us) return false;
  if (request.error && trace.errors == 0) return false;
  if (request.any_money && trace.money == MoneyEffect::none) return false;
  if (request.money != MoneyEffect::none && trace.money != request.money) return false;
  if (trace.start_us < request.from_us) return false;
  return request.to_us == 0 || trace.start_us < request.to_us;
}

}  // namespace z0
