// The JSON of GET /v1/metrics/query. Each number says whether it is exact, and if not why.
#include <algorithm>
#include <map>
#include <vector>

#include "edge/metric_answers.hpp"
#include "z0/base/ids.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

using Amounts = std::vector<SeriesAmount>;

std::int64_t sum_of(const Amounts& amounts) {
  std::int64_t sum = 0;
  for (const SeriesAmount& amount : amounts) sum += amount.amount;
  return sum;
}

// By bucket, whatever the steps.
std::map<std::int64_t, std::int64_t> buckets_of(const Amounts& amounts) {
  std::map<std::int64_t, std::int64_t> buckets;
  for (const SeriesAmount& amount : amounts) buckets[amount.bucket] += amount.amount;
  return buckets;
}

// The nearest rank's bucket, by its bound. quantile: in millionths.
std::int64_t quantile_of(const Amounts& amounts, std::int64_t quantile) {
  const std::int64_t rank = Histogram::rank(sum_of(amounts), quantile);
  std::int64_t passed = 0;
  std::int64_t bound = 0;
  for (const auto& [bucket, amount] : buckets_of(amounts)) {
    passed += amount;
    bound = Histogram::bound(static_cast<std::size_t>(bucket));
    if (passed >= rank) break;
  }
  return bound;
}

class QueryAnswer {
 public:
  QueryAnswer(const SeriesReply& reply, const MetricQuery& query, std::int64_t now_ms)
      : reply_(reply),
        query_(query),
        row_(info(static_cast<Metric>(query.request.metric))),
        now_ms_(now_ms),
        json_(out_) {}

  std::string run() {
    json_.object().plain("metric", row_.name).plain("kind", kind_name(row_.kind));
    json_.plain("unit", row_.unit).plain("help", row_.help);
    json_.integer("from", reply_.from_ms).integer("to", now_ms_);
    json_.integer("window_ms", query_.request.window_ms);
    if (query_.request.step_ms > 0) json_.integer("step_ms", query_.request.step_ms);
    if (query_.quantile >= 0) json_.raw("quantile", millionths(query_.quantile));
    json_.array("groups");
    for (const SeriesGroup& group : reply_.groups) write(group);
    json_.end();
    write_limits();
    json_.end();
    return std::move(out_);
  }

 private:
  static std::string millionths(std::int64_t n) {
    if (n == 1'000'000) return "1";
    return "0." + std::to_string(1'000'000 + n).substr(1);
  }

  void write(const SeriesGroup& group) {
    json_.object().object("labels");
    if ((query_.request.by & 1) != 0) json_.text("tenant_id", group.tenant_id);
    for (std::size_t i = 0; i < row_.labels.size() && i < group.labels.size(); ++i) {
      if ((query_.request.by >> (i + 1) & 1) != 0)
        json_.any_key(row_.labels[i]).text(group.labels[i]);
    }
    json_.end();
    value(group, group.amounts);
    if (!group.trace.empty()) json_.hex("trace_id", group.trace);
    if (query_.request.step_ms > 0) steps(group);
    json_.end();
  }

  void value(const SeriesGroup& group, const Amounts& amounts) {
    std::string why;
    if (row_.kind == MetricKind::gauge) {
      json_.raw("value", std::to_string(group.value / 1'000) + fraction(group.value % 1'000));
      json_.integer("at", group.value_at_ms);
    } else if (query_.quantile < 0) {
      json_.integer("value", sum_of(amounts));
    } else {
      const std::int64_t bound = quantile_of(amounts, query_.quantile);
      json_.integer("value", bound).integer("count", sum_of(amounts));
      if (bound > Histogram::exact_max) {
        why =
            "the bound of a bucket: at least the value of that rank, and less than a twentieth "
            "above it";
      }
    }
    exactness(why);
  }

  static std::string fraction(std::int64_t thousandths) {
    return thousandths == 0 ? std::string() : "." + std::to_string(1'000 + thousandths).substr(1);
  }

  void exactness(std::string why) {
    const auto add = [&why](const std::string& reason) {
      if (!why.empty()) why += "; ";
      why += reason;
    };
    if (row_.kind == MetricKind::gauge) {
      add("the newest value that was told, which may have changed since");
    } else {
      if (reply_.missing > 0)
        add("up to " + std::to_string(reply_.missing) + " events that were told of did not arrive");
      if (reply_.lost > 0)
        add("there was no room for " + std::to_string(reply_.lost) +
            " events since counting began");
      if (reply_.reaches_ms > reply_.from_ms)
        add("for want of room nothing before " + std::to_string(reply_.reaches_ms) + " is held");
      if (reply_.since_ms > reply_.from_ms)
        add("counting began at " + std::to_string(reply_.since_ms) + ", within the window");
      if (reply_.unanswered > 0)
        add(std::to_string(reply_.unanswered) + " of the monitor's shards did not answer");
    }
    json_.boolean("exact", why.empty());
    json_.text("why", why.empty() ? "each event was counted, once" : why);
  }

  void steps(const SeriesGroup& group) {
    json_.array("steps");
    for (auto at = group.amounts.begin(); at != group.amounts.end();) {
      const std::int64_t begin = at->at_ms;
      const auto end = std::find_if(at, group.amounts.end(),
                                    [begin](const SeriesAmount& a) { return a.at_ms != begin; });
      const Amounts step(at, end);
      json_.object().integer("at", begin);
      json_.integer("value",
                    query_.quantile < 0 ? sum_of(step) : quantile_of(step, query_.quantile));
      json_.end();
      at = end;
    }
    json_.end();
  }

  void write_limits() {
    write_integer("since", reply_.since_ms);
    json_.integer("missing", reply_.missing);
    json_.integer("groups_left_off", reply_.left_off);
    json_.array("folded");
    for (const SeriesFolded& folded : reply_.folded) {
      json_.object().text("tenant_id", folded.tenant_id);
      const auto label = static_cast<std::size_t>(folded.label);
      if (label < row_.labels.size()) json_.plain("label", row_.labels[label]);
      json_.integer("events", folded.events).end();
    }
    json_.end();
    if (!query_.request.all_tenants) return;
    json_.object("monitor").integer("told", reply_.told).integer("lost", reply_.lost);
    json_.integer("series", reply_.series).integer("memory_bytes", reply_.memory_bytes);
    json_.integer("unanswered", reply_.unanswered).end();
    json_.object("export").integer("points", reply_.exported);
    json_.integer("lost", reply_.export_lost).end();
  }

  void write_integer(JsonName name, std::int64_t value) {
    value == 0 ? json_.null(name) : json_.integer(name, value);
  }

  const SeriesReply& reply_;
  const MetricQuery& query_;
  const MetricInfo& row_;
  const std::int64_t now_ms_;
  std::string out_;
  JsonWriter json_;
};

}  // namespace

std::string query_json(const SeriesReply& reply, const MetricQuery& query, std::int64_t now_ms) {
  return QueryAnswer(reply, query, now_ms).run();
}

}  // namespace z0
