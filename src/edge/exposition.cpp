// https://prometheus.io/docs/specs/om/open_metrics_spec/, and the text format that came before it.
#include <algorithm>
#include <map>
#include <vector>

#include "edge/metric_answers.hpp"
#include "z0/base/ids.hpp"
#include "z0/metrics/exposed.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// Thousandths as a decimal number.
std::string thousandths(std::int64_t n) {
  std::string text = std::to_string(n / 1'000);
  if (n % 1'000 == 0) return text;
  text += '.';
  text += std::to_string(1'000 + n % 1'000).substr(1);
  while (text.back() == '0') text.pop_back();
  return text;
}

class Exposition {
 public:
  Exposition(const SeriesReply& reply, bool open) : reply_(reply), open_(open) {}

  std::string run() {
    std::map<std::int64_t, std::vector<const SeriesGroup*>> by_metric;
    for (const SeriesGroup& group : reply_.groups) by_metric[group.metric].push_back(&group);
    for (const auto& [number, groups] : by_metric) {
      const MetricInfo& row = info(static_cast<Metric>(number));
      const std::string name = family_name(row);
      head(row, name);
      for (const SeriesGroup* group : groups) write(row, name, *group);
    }
    if (open_) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  void head(const MetricInfo& row, const std::string& family) {
    // The older format names a counter's family as its samples.
    const bool total = !open_ && row.kind == MetricKind::counter;
    const std::string name = total ? family + "_total" : family;
    out_ += "# HELP " + name + ' ';
    out_ += row.help;
    out_ += ".\n# TYPE " + name + ' ' + std::string(kind_name(row.kind)) + '\n';
    if (open_ && in_seconds(row)) out_ += "# UNIT " + name + " seconds\n";
  }

  // Those of a series as its lines have them, without brackets.
  static std::string labels_of(const MetricInfo& row, const SeriesGroup& group) {
    std::string text;
    const auto add = [&text](std::string_view name, std::string_view value) {
      // An empty label is the same as none.
      if (value.empty()) return;
      if (!text.empty()) text += ',';
      text += name;
      text += '=';
      append_label_value(text, value);
    };
    add("tenant_id", group.tenant_id);
    for (std::size_t i = 0; i < row.labels.size() && i < group.labels.size(); ++i)
      add(row.labels[i], group.labels[i]);
    return text;
  }

  void bracketed(std::string_view labels) {
    if (labels.empty()) return;
    out_ += '{';
    out_ += labels;
    out_ += '}';
  }

  void exemplar(const MetricInfo& row, const SeriesGroup& group) {
    if (!open_ || group.trace.empty()) return;
    std::string trace;
    append_hex(trace, group.trace);
    out_ += " # {trace_id=";
    append_label_value(out_, trace);
    out_ += "} ";
    out_ += in_seconds(row) ? thousandths(group.trace_value) : std::to_string(group.trace_value);
    out_ += ' ' + thousandths(group.trace_at_ms);
  }

  void write(const MetricInfo& row, const std::string& name, const SeriesGroup& group) {
    if (row.kind == MetricKind::histogram) return histogram(row, name, group);
    out_ += name;
    if (row.kind == MetricKind::counter) out_ += "_total";
    bracketed(labels_of(row, group));
    out_ += ' ';
    if (row.kind == MetricKind::gauge) {
      // Thousandths of ms are millionths of a second: more than anybody measures.
      out_ += thousandths(in_seconds(row) ? group.value / 1'000 : group.value);
    } else {
      out_ += std::to_string(group.amounts.empty() ? 0 : group.amounts[0].amount);
      exemplar(row, group);
    }
    out_ += '\n';
  }

  void histogram(const MetricInfo& row, const std::string& name, const SeriesGroup& group) {
    std::int64_t count = 0;
    std::int64_t sum_ms = 0;
    std::int64_t shown_below = -1;
    auto at = group.amounts.begin();
    const auto pass = [&](std::int64_t bound_ms) {
      for (; at != group.amounts.end(); ++at) {
        const std::int64_t value = Histogram::bound(static_cast<std::size_t>(at->bucket));
        if (bound_ms >= 0 && value > bound_ms) return;
        count += at->amount;
        sum_ms += value * at->amount;
      }
    };
    const std::string labels = labels_of(row, group);
    // Of a bucket, up to its bound: the same in all lines of a series.
    std::string bucket = name + "_bucket{" + labels;
    bucket += labels.empty() ? "le=" : ",le=";
    bucket += '"';
    const auto line = [&](std::string_view bound, bool holds_exemplar) {
      out_ += bucket;
      out_ += bound;
      out_ += '"';
      out_ += "} ";
      out_ += std::to_string(count);
      if (holds_exemplar) exemplar(row, group);
      out_ += '\n';
    };
    for (const std::int64_t bound : shown_bounds) {
      pass(bound);
      line(thousandths(bound), shown_below < group.trace_value && group.trace_value <= bound);
      shown_below = bound;
    }
    pass(-1);
    line("+Inf", group.trace_value > shown_below);
    for (const auto& [end, value] :
         {std::pair{"_sum", thousandths(sum_ms)}, std::pair{"_count", std::to_string(count)}}) {
      out_ += name;
      out_ += end;
      bracketed(labels);
      out_ += ' ';
      out_ += value;
      out_ += '\n';
    }
  }

  const SeriesReply& reply_;
  const bool open_;
  std::string out_;
};

}  // namespace

std::string exposition(const SeriesReply& reply, bool open) {
  return Exposition(reply, open).run();
}

}  // namespace z0
