#include "edge/trace_tree.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "z0/base/trap.hpp"
#include "z0/trace/span.hpp"

namespace z0 {
namespace {

class Tree {
 public:
  Tree(std::string_view trace_id, const TraceReply& reply) {
    for (const std::string_view bytes : reply.spans) {
      Span span;
      if (!decode(bytes, span)) trap("a span that was kept can be read");
      (span.trace_id == trace_id ? spans_ : linked_).push_back(std::move(span));
    }
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
      return std::tie(a.start_us, a.span_id) < std::tie(b.start_us, b.span_id);
    });
    for (std::size_t i = 0; i < spans_.size(); ++i) place_.emplace(spans_[i].span_id, i);
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      const std::string& parent = spans_[i].parent_id;
      const auto found = place_.find(parent);
      const bool root = found == place_.end() || found->second == i;
      if (root && !parent.empty()) orphans_.insert(parent);
      if (root)
        roots_.push_back(i);
      else
        children_[found->second].push_back(i);
    }
  }

  void write(JsonWriter& json) {
    json.array("spans");
    std::vector<bool> written(spans_.size());
    for (const std::size_t root : roots_) write_from(json, root, written);
    // Of a circle of parents none is a root.
    for (std::size_t i = 0; i < spans_.size(); ++i) write_from(json, i, written);
    json.end().array("linked");
    for (const Span& span : linked_) json.raw(span_json(span));
    json.end();
  }

  void write_head(JsonWriter& json) const {
    if (spans_.empty()) return;
    const Span& root = spans_[roots_.empty() ? 0 : roots_[0]];
    json.text("operation", root.name).text_if_any("service", root.service);
    std::int64_t end = 0;
    std::int64_t errors = 0;
    for (const Span& span : spans_) {
      end = std::max(end, span.end_us);
      if (span.status == SpanStatus::error) ++errors;
    }
    const std::int64_t start = spans_[0].start_us;
    json.integer("start_us", start);
    if (end == start && root.clock == Clock::stood)
      json.null("duration_us");
    else
      json.integer("duration_us", end - start);
    json.integer("errors", errors);
  }

  void write_missing(JsonWriter& json, const TraceReply& reply) const {
    const auto stood = std::count_if(spans_.begin(), spans_.end(),
                                     [](const Span& s) { return s.clock == Clock::stood; });
    json.object("missing").array("parents");
    for (const std::string& parent : orphans_) json.hex(parent);
    json.end().integer("durations", stood).boolean("more_spans", reply.cut);
    json.boolean("open", reply.open).end();
  }

 private:
  // Depth first without recursion: a chain may be as long as a trace.
  void write_from(JsonWriter& json, std::size_t root, std::vector<bool>& written) {
    std::vector<std::pair<std::size_t, std::int64_t>> open{{root, 0}};
    while (!open.empty()) {
      const auto [i, depth] = open.back();
      open.pop_back();
      if (written[i]) continue;
      written[i] = true;
      const std::string span = span_json(spans_[i]);
      json.object().parts(members_of(span));
      json.integer("depth", depth);
      if (spans_[i].clock == Clock::stood)
        json.null("duration_us");
      else
        json.integer("duration_us", spans_[i].end_us - spans_[i].start_us);
      json.end();
      const auto found = children_.find(i);
      if (found == children_.end()) continue;
      for (auto child = found->second.rbegin(); child != found->second.rend(); ++child)
        open.emplace_back(*child, depth + 1);
    }
  }

  std::vector<Span> spans_;
  std::vector<Span> linked_;
  std::map<std::string, std::size_t> place_;
  std::map<std::size_t, std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::set<std::string> orphans_;
};

}  // namespace

void write_trace(JsonWriter& json, std::string_view trace_id, const TraceReply& reply) {
  Tree tree(trace_id, reply);
  tree.write_head(json);
  tree.write(json);
  tree.write_missing(json, reply);
}

}  // namespace z0
