#include "traces/store.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

namespace sql = traces_sql;

std::uint64_t key_of(std::string_view trace_id) { return id_hash(trace_id, 0); }

// Of a span that encode() wrote: its id stands behind the trace's.
std::string_view span_id_in(std::string_view span) {
  ByteReader in(span);
  in.short_bytes();
  return in.short_bytes();
}

std::uint64_t number_of(std::string_view span_id) { return ByteReader(span_id).u64(); }

}  // namespace

OwnedTraceStore new_trace_store() { return OwnedTraceStore(new TraceStore); }
void EndTraceStore::operator()(TraceStore* store) const { delete store; }

void TraceStore::need_rows(Effects& effects) {
  for (const auto create : sql::create_tables) effects.need_rows(create, {});
  effects.need_rows(sql::select_meta, {});
  effects.need_rows(sql::select_inbox, {});
  effects.need_rows(sql::select_tail, {});
  Outbox::ask_state(effects);
}

bool TraceStore::hydrate(const Frame& frame) {
  constexpr std::size_t first = std::size(sql::create_tables);
  if (frame.answers.size() < first + 4) return false;
  const Rows meta = parse_rows(frame.answers[first]);
  const Rows inbox = parse_rows(frame.answers[first + 1]);
  const Rows tail = parse_rows(frame.answers[first + 2]);
  if (meta.failed || inbox.failed || tail.failed) return false;
  *this = TraceStore();
  if (meta.size() > 0 && !decode(meta.at(0, 0).bytes, counts_)) return false;
  for (std::size_t i = 0; i < inbox.size(); ++i) {
    StoreRequest request;
    if (!decode(inbox.at(i, 1).bytes, request)) return false;
    for (const auto& item : request.items) {
      Span span;
      if (!decode(item.span, span)) return false;
      add(item, span.start_us, frame.now_ms);
    }
    inbox_n_ = inbox.at(i, 0).integer;
  }
  if (tail.size() > 0) {
    tail_ = {tail.at(0, 0).integer,
             tail.at(0, 1).integer,
             tail.at(0, 2).integer,
             tail.at(0, 3).integer,
             std::string(tail.at(0, 4).bytes),
             std::string(tail.at(0, 5).bytes),
             std::string(tail.at(0, 6).bytes)};
  }
  hydrated_ = outbox_.load(parse_rows(frame.answers[first + 3]));
  return hydrated_;
}

bool TraceStore::add(const StoreRequest::Item& item, std::int64_t start_us, std::int64_t now_ms) {
  const std::string_view span = item.span;
  auto found = open_.find(item.trace_id);
  if (found == open_.end()) {
    found = open_.emplace(std::string(item.trace_id), Open()).first;
    found->second.first_at = now_ms;
  }
  Open& open = found->second;
  // A span of another trace that is linked has an id of its own, which no span of this one shares.
  if (!open.ids.insert(number_of(span_id_in(span))).second) return false;
  open.start_us = std::min(open.start_us, start_us);
  open.last_at = std::max(open.last_at, now_ms);
  open.spans.emplace_back(span);
  open.bytes += span.size();
  open_bytes_ += span.size();
  return true;
}

StoreReply TraceStore::take(const StoreRequest& request, const Frame& frame, Effects& effects) {
  StoreReply reply;
  StoreRequest fresh;
  for (const auto& item : request.items) {
    Span span;
    const auto trace = open_.find(item.trace_id);
    const bool crowded =
        trace != open_.end() && trace->second.spans.size() >= limits::trace_spans_max;
    if (crowded || item.span.size() > limits::span_bytes_max || !decode(item.span, span)) {
      ++reply.refused;
    } else if (add(item, span.start_us, frame.now_ms)) {
      ++reply.stored;
      fresh.items.push_back(item);
    } else {
      ++reply.known;
    }
  }
  counts_.spans_refused += reply.refused;
  if (open_bytes_ > limits::traces_open_bytes_max) {
    // The oldest are judged before their time, until half of the room is free.
    std::vector<std::pair<std::int64_t, std::string>> oldest;
    for (const auto& [id, open] : open_) oldest.emplace_back(open.first_at, id);
    std::sort(oldest.begin(), oldest.end());
    for (const auto& [at, id] : oldest) {
      if (open_bytes_ <= limits::traces_open_bytes_max / 2) break;
      decide(id, open_.find(id)->second, frame, effects);
    }
    rewrite(effects);
  } else if (!fresh.items.empty()) {
    write_inbox(encode(fresh), effects);
  }
  if (!open_.empty()) set_alarm(frame.now_ms + limits::trace_quiet_ms, effects);
  return reply;
}

void TraceStore::judge(std::int64_t oldest_at, const Frame& frame, Effects& effects) {
  const std::int64_t now = frame.now_ms;
  judged_ = true;
  // In the order in which they began, as far as it is known: a search shows them so.
  std::vector<std::pair<std::int64_t, std::string>> due;
  for (const auto& [id, open] : open_) {
    // A clock that ran back makes nothing wait for longer.
    const bool quiet = now - open.last_at >= limits::trace_quiet_ms || now < open.first_at;
    if (quiet || now - open.first_at >= limits::trace_open_ms_max)
      due.emplace_back(open.start_us, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [start, id] : due) decide(id, open_.find(id)->second, frame, effects);
  if (!due.empty()) rewrite(effects);
  const std::int64_t expired = now - limits::trace_retention_ms;
  if (oldest_at != 0 && oldest_at < expired)
    effects.write(sql::drop_segments, {Value::of(expired)});
  if (settings_otlp(frame.settings).traces_url.empty()) outbox_.give_up(effects);
  if (outbox_.waits()) set_alarm(std::max(now, outbox_.at_ms()), effects);
  if (!open_.empty())
    set_alarm(now + limits::trace_quiet_ms, effects);
  else if (oldest_at != 0 || tail_.n != 0)
    // Whatever is the oldest then; it need not be asked for.
    set_alarm(now + limits::trace_retention_ms / 7, effects);
}

bool TraceStore::keeps(const TraceSummary& trace, const TraceSampling& sampling,
                       std::int64_t& one_in) const {
  one_in = 1;
  const bool slow = trace.end_us - trace.start_us >= sampling.slow_ms * 1'000;
  if (trace.errors > 0 || trace.money != MoneyEffect::none || slow) return true;
  if (decision(trace.trace_id) == Decision::kept) return true;
  one_in = sampling.one_in;
  return key_of(trace.trace_id) % static_cast<std::uint64_t>(sampling.one_in) == 0;
}

void TraceStore::decide(const std::string& trace_id, const Open& open, const Frame& frame,
                        Effects& effects) {
  std::vector<Span> spans(open.spans.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (!decode(open.spans[i], spans[i])) trap("a span that was taken can be read");
  }
  TraceSummary trace = summary_of(trace_id, spans);
  const bool kept = keeps(trace, settings_trace_sampling(frame.settings), trace.one_in);
  const Decision before = decision(trace_id);
  if (kept) {
    if (tail_.full() || tail_.n == 0) {
      write_tail(effects);
      tail_ = TraceSegment{tail_.n + 1, 0, 0, 0, {}, {}, {}};
    }
    tail_.add(trace, open.spans, frame.now_ms);
    tail_changed_ = true;
    if (!settings_otlp(frame.settings).traces_url.empty())
      to_export_.insert(to_export_.end(), open.spans.begin(), open.spans.end());
  }
  if (before == Decision::none) ++(kept ? counts_.kept : counts_.dropped);
  if (before == Decision::dropped && kept) {
    --counts_.dropped;
    ++counts_.kept;
  }
  if (before != Decision::kept) remember(trace_id, kept ? Decision::kept : Decision::dropped);
  open_bytes_ -= open.bytes;
  open_.erase(open_.find(trace_id));
}

TraceStore::Decision TraceStore::decision(std::string_view trace_id) const {
  const auto found = decisions_.find(key_of(trace_id));
  return found == decisions_.end() ? Decision::none : found->second;
}

void TraceStore::remember(std::string_view trace_id, Decision decision) {
  const std::uint64_t key = key_of(trace_id);
  const bool known = !decisions_.insert_or_assign(key, decision).second;
  if (known) return;
  decided_.push_back(key);
  if (decided_.size() <= limits::trace_decisions_max) return;
  decisions_.erase(decided_.front());
  decided_.pop_front();
}

void TraceStore::write_tail(Effects& effects) const {
  if (!tail_changed_) return;
  effects.write(sql::put_segment,
                {Value::of(tail_.n), Value::of(tail_.last_at), Value::of(tail_.from_us),
                 Value::of(tail_.to_us), Value::blob(tail_.ids), Value::blob(tail_.summaries),
                 Value::blob(tail_.body)});
}

void TraceStore::write_inbox(std::string_view body, Effects& effects) {
  effects.write(sql::put_inbox, {Value::of(++inbox_n_), Value::blob(body)});
}

// After something was judged: the inbox holds what still waits, and nothing else.
void TraceStore::rewrite(Effects& effects) {
  write_tail(effects);
  tail_changed_ = false;
  write_export(effects);
  effects.write(sql::empty_inbox, {});
  inbox_n_ = 0;
  StoreRequest left;
  std::size_t bytes = 0;
  for (const auto& [id, open] : open_) {
    for (const std::string& span : open.spans) {
      if (bytes + span.size() > limits::traces_delivery_bytes_max) {
        write_inbox(encode(left), effects);
        left.items.clear();
        bytes = 0;
      }
      left.items.push_back({id, span});
      bytes += id.size() + span.size();
    }
  }
  if (!left.items.empty()) write_inbox(encode(left), effects);
  effects.write(sql::put_meta, {Value::blob(encode(counts_))});
}

void TraceStore::set_alarm(std::int64_t at_ms, Effects& effects) {
  if (alarm_at_ != 0 && alarm_at_ <= at_ms) return;
  alarm_at_ = at_ms;
  effects.alarm(at_ms);
}

std::vector<std::string_view> TraceStore::open_spans(std::string_view trace_id) const {
  std::vector<std::string_view> spans;
  const auto found = open_.find(trace_id);
  if (found != open_.end()) spans.assign(found->second.spans.begin(), found->second.spans.end());
  return spans;
}

}  // namespace z0
