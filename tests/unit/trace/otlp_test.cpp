// What OTLP's specification says of a receiver of JSON, and that what is written is read the same.
#include "z0/trace/otlp.hpp"

#include <string>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"

namespace {

using namespace z0;

constexpr const char* ids =
    R"("traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"a",)"
    R"("startTimeUnixNano":"1700000000000001000","endTimeUnixNano":"1700000000000003000")";

std::string spans(const std::string& list, const std::string& resource = "") {
  return R"({"resourceSpans":[{)" + resource + R"("scopeSpans":[{"spans":[)" + list + "]}]}]}";
}
std::string span_with(const std::string& members) {
  return std::string("{") + ids + "," + members + "}";
}

OtlpTraces read(const std::string& body) {
  OtlpTraces out;
  OtlpFault fault;
  INFO(body);
  const bool ok = read_otlp_traces(body, out, fault);
  INFO(fault.place << ' ' << fault.why);
  REQUIRE(ok);
  return out;
}
std::string fault_of(const std::string& body) {
  OtlpTraces out;
  OtlpFault fault;
  CHECK_FALSE(read_otlp_traces(body, out, fault));
  return fault.place + " " + std::string(fault.why);
}
std::string value_of(const std::string& any) {
  const OtlpTraces t =
      read(spans(span_with(R"("attributes":[{"value":)" + any + R"(,"key":"k"}])")));
  return t.spans.at(0).attributes.at(0).value;
}

}  // namespace

TEST_CASE("A request without spans is read, and so is what a newer OTLP adds", "[otlp]") {
  CHECK(read("{}").spans.empty());
  CHECK(read(R"({"resourceSpans":[]})").spans.empty());
  CHECK(read(R"({"resourceSpans":null,"new":{"a":[{"spans":1}]}})").spans.empty());
  const OtlpTraces t =
      read(spans(span_with(R"("new":[[{"traceId":1}]],"flags":257,"trace_id":"x")")));
  CHECK(t.spans.size() == 1);
}

TEST_CASE("Ids are hexadecimal in either case, times a number or a text", "[otlp]") {
  const std::string lower =
      R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"","kind":2,)"
      R"("name":"a","startTimeUnixNano":1700000000000001000,"endTimeUnixNano":1700000000000003000})";
  const OtlpTraces t = read(spans(span_with(R"("parentSpanId":null,"kind":2)") + "," + lower));
  REQUIRE(t.spans.size() == 2);
  CHECK(t.spans[0] == t.spans[1]);
  CHECK(t.spans[0].start_us == 1700000000000001);
  CHECK(t.spans[0].end_us == 1700000000000003);
  CHECK(t.spans[0].kind == SpanKind::server);
}

TEST_CASE("What cannot be decoded is told with its place", "[otlp]") {
  CHECK(fault_of("{") == "byte 2 is no JSON");
  CHECK(fault_of("[]") == "body is not what OTLP has there");
  CHECK(fault_of(R"({"resourceSpans":{}})") == "resourceSpans is not what OTLP has there");
  CHECK(fault_of(R"({"resourceSpans":[null]})") == "resourceSpans[0] is not what OTLP has there");
  CHECK(fault_of(spans(span_with(R"("kind":"SPAN_KIND_SERVER")"))) ==
        "resourceSpans[0].scopeSpans[0].spans[0].kind is not what OTLP has there");
  CHECK(fault_of(spans(R"({"traceId":"W47/95gDgQPSabYzgT/GDA=="})")) ==
        "resourceSpans[0].scopeSpans[0].spans[0].traceId is no id of 32 hexadecimal digits");
  CHECK(fault_of(spans(R"({"startTimeUnixNano":1.5})")) ==
        "resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano is no 64-bit integer");
  CHECK(fault_of(std::string(100, '[')).find("body") == 0);
  std::string deep = R"({"a":)" + std::string(70, '[') + std::string(70, ']') + "}";
  CHECK(fault_of(deep).find("nested too deeply") != std::string::npos);
}

TEST_CASE("A span without an id or a start is rejected by itself", "[otlp]") {
  const OtlpTraces t =
      read(spans(R"({"traceId":"00000000000000000000000000000000","spanId":"EEE19B7EC3C1B174"},)" +
                 span_with(R"("kind":1)")));
  CHECK(t.spans.size() == 1);
  CHECK(t.rejected.count == 1);
  CHECK(t.rejected.why == "a span has no traceId");
}

TEST_CASE("Each kind of value is JSON of one line", "[otlp]") {
  CHECK(value_of(R"({"stringValue":"a\"b"})") == R"("a\"b")");
  CHECK(value_of(R"({"boolValue":true})") == "true");
  CHECK(value_of(R"({"intValue":"-9223372036854775808"})") == "-9223372036854775808");
  CHECK(value_of(R"({"intValue":7})") == "7");
  CHECK(value_of(R"({"doubleValue":1})") == "1.0");
  CHECK(value_of(R"({"doubleValue":"1.5"})") == "1.5");
  CHECK(value_of(R"({"doubleValue":"NaN"})") == R"("NaN")");
  CHECK(value_of(R"({"bytesValue":"AAE="})") == R"("AAE=")");
  CHECK(value_of("{}") == R"("")");
  CHECK(value_of(R"({"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"x"},{}]}})") ==
        R"([1,"x",null])");
  CHECK(value_of(R"({"arrayValue":{}})") == "[]");
  CHECK(value_of(R"({"kvlistValue":{"values":[{"value":{"intValue":1},"key":"a"}]}})") ==
        R"("{\"a\":1}")");
  CHECK(value_of(R"({"stringValue":")" + std::string(5'000, 'x') + R"("})").size() <=
        limits::attribute_bytes_max);
}

TEST_CASE("z0's attributes are members of the span, others stay", "[otlp]") {
  const auto text = [](const char* k, const char* v) {
    return std::string(R"({"key":")") + k + R"(","value":{"stringValue":")" + v + R"("}})";
  };
  const std::string resource = R"("resource":{"attributes":[)" + text("service.name", "shop") +
                               "," + text("tenant_id", "t_all") + "," + text("host", "h") + "," +
                               text("telemetry.sdk.name", "x") + "]},";
  const OtlpTraces t =
      read(spans(span_with(R"("attributes":[)" + text("z0.tenant_id", "t_1") + "," +
                           text("z0.entity_id", "acct_1") + "," + text("z0.money", "failed") + "," +
                           text("z0.clock", "stood") + "," + text("z0.fact_id", "f") +
                           R"(],"status":{"code":2,"message":"no"},"events":[{"name":"exception",)"
                           R"("attributes":[)" +
                           text("exception.type", "TypeError") + "]}]") +
                     "," + span_with(R"("kind":3)"),
                 resource));
  REQUIRE(t.spans.size() == 2);
  const Span& s = t.spans[0];
  CHECK(s.service == "shop");
  CHECK(s.tenant_id == "t_1");
  CHECK(t.spans[1].tenant_id == "t_all");
  CHECK(s.entity_id == "acct_1");
  CHECK(s.money == MoneyEffect::failed);
  CHECK(s.clock == Clock::stood);
  CHECK(s.error_code == "TypeError");
  CHECK(s.message == "no");
  CHECK(s.attributes == std::vector<Attribute>{{"z0.fact_id", "\"f\""},
                                               {"exception.type", "\"TypeError\""},
                                               {"host", "\"h\""}});
}

TEST_CASE("Metrics that come where spans belong are no spans, and the other way round", "[otlp]") {
  const std::string metrics =
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"dataPoints":[{"asInt":"3"}]}}]}]}]})";
  CHECK(read(metrics).spans.empty());
  OtlpMetrics out;
  OtlpFault fault;
  CHECK(read_otlp_metrics(spans(span_with(R"("kind":1)")), out, fault));
  CHECK(out.metrics.empty());
}

TEST_CASE("What is written is read the same", "[otlp]") {
  const OtlpTraces t = read(spans(span_with(
      R"("kind":5,"parentSpanId":"eee19b7ec3c1b175","links":[{"traceId":"5b8efff798038103d269b633813fc60d",)"
      R"("spanId":"eee19b7ec3c1b174"}],"status":{"code":1},"attributes":[{"key":"d","value":{"doubleValue":2}},)"
      R"({"key":"l","value":{"arrayValue":{"values":[{"boolValue":false},{"kvlistValue":{}}]}}},)"
      R"({"key":"z0.money","value":{"stringValue":"moved"}},{"key":"i","value":{"intValue":"12"}}])")));
  CHECK(read(write_otlp_traces(t.spans)).spans == t.spans);
  CHECK(t.spans.at(0).attributes.at(1).value == R"([false,"{}"])");
}

TEST_CASE("A resource may name the entity, and neither it nor an event what a span did", "[otlp]") {
  const auto text = [](const char* k, const char* v) {
    return std::string(R"({"key":")") + k + R"(","value":{"stringValue":")" + v + R"("}})";
  };
  const std::string names =
      text("z0.entity_id", "acct_1") + "," + text("z0.money", "moved") + "," + text("host", "h");
  const OtlpTraces t = read(
      spans(span_with(R"("kind":3,"events":[{"name":"exception","attributes":[)" + names + "]}]"),
            R"("resource":{"attributes":[)" + names + "]},"));
  REQUIRE(t.spans.size() == 1);
  CHECK(t.spans[0].entity_id == "acct_1");
  CHECK(t.spans[0].money == MoneyEffect::none);
  CHECK(t.spans[0].attributes == std::vector<Attribute>{{"host", "\"h\""}});
  CHECK(read(write_otlp_traces(t.spans)).spans == t.spans);
}

TEST_CASE("Data points of every kind become observations at the bounds of their buckets",
          "[otlp]") {
  OtlpMetrics out;
  OtlpFault fault;
  REQUIRE(read_otlp_metrics(
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"s","sum":{"dataPoints":[{"asInt":"3"},{"asDouble":2.5},{"flags":1}],"aggregationTemporality":1,"isMonotonic":true}},
        {"histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"6","sum":9,"max":40,"bucketCounts":["1",2,0,"3"],
          "explicitBounds":[1,2,5],"exemplars":[{"traceId":"5B8EFFF798038103D269B633813FC60C","asDouble":1}]}]},"name":"h"},
        {"name":"e","exponentialHistogram":{"dataPoints":[{"count":3,"scale":0,"zeroCount":1,
          "positive":{"offset":1,"bucketCounts":[1,1]}}]}},
        {"name":"b","histogram":{"dataPoints":[{"count":2,"bucketCounts":[1],"explicitBounds":[]}]}}]}],
        "resource":{"attributes":[{"key":"tenant_id","value":{"stringValue":"t"}}]}}]})",
      out, fault));
  REQUIRE(out.metrics.size() == 4);
  CHECK(out.metrics[0].tenant_id == "t");
  CHECK(out.metrics[0].monotonic);
  REQUIRE(out.metrics[0].points.size() == 2);
  CHECK(out.metrics[0].points[1].number == 2.5);
  CHECK(out.metrics[1].temporality == OtlpTemporality::cumulative);
  const OtlpPoint& h = out.metrics[1].points.at(0);
  CHECK(h.trace_id == "5b8efff798038103d269b633813fc60c");
  std::vector<OtlpObservation> seen;
  std::string_view why;
  REQUIRE(observations_of(h, OtlpKind::histogram, seen, why));
  REQUIRE(seen.size() == 3);
  CHECK(seen[1].value == 2);
  CHECK(seen[1].times == 2);
  CHECK(seen[2].value == 40);
  REQUIRE(observations_of(out.metrics[2].points.at(0), OtlpKind::exponential, seen, why));
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].value == 0);
  CHECK(seen[1].value == 4);
  CHECK(seen[2].value == 8);
  CHECK_FALSE(observations_of(out.metrics[3].points.at(0), OtlpKind::histogram, seen, why));
  CHECK(why == "has bucketCounts that do not add up to its count");
}

TEST_CASE("Data points that are written are read the same, in as many requests as it takes",
          "[otlp]") {
  std::vector<std::string> bodies;
  std::int64_t points = 0;
  const std::int64_t bounds[] = {1, 3, 7};
  OtlpMetricsWriter writer({"z0", "1.2", "a/metrics_0"}, 4'000,
                           [&](std::string_view body, std::int64_t count) {
                             bodies.emplace_back(body);
                             points += count;
                           });
  const std::string trace(16, '\x5b');
  for (int i = 0; i < 100; ++i) {
    OtlpOut point;
    point.kind = i < 40 ? OtlpKind::sum : i < 70 ? OtlpKind::histogram : OtlpKind::gauge;
    point.name = i < 40 ? "m_total" : i < 70 ? "m_ms" : "m_depth";
    point.unit = "{facts}";
    point.help = "What it \"counts\"";
    const std::string number = std::to_string(i);
    point.attributes = {{"tenant_id", number}, {"fact_type", ""}};
    point.start_ms = 1'700'000'000'000;
    point.at_ms = 1'700'000'060'000;
    point.count = i;
    point.thousandths = i * 1'000 + 5;
    if (i >= 40 && i < 70) {
      point.bounds = bounds;
      point.counts = {1, 0, i - 3, 2};
      point.total = 77;
      point.max = 9;
    }
    if (i % 2 == 0) point.trace_id = trace;
    writer.add(point);
  }
  writer.end();
  writer.end();
  CHECK(points == 100);
  CHECK(bodies.size() > 4);
  int i = 0;
  for (const std::string& body : bodies) {
    CHECK(body.size() < 5'000);
    OtlpMetrics out;
    OtlpFault fault;
    REQUIRE(read_otlp_metrics(body, out, fault));
    for (const OtlpMetric& metric : out.metrics) {
      for (const OtlpPoint& point : metric.points) {
        REQUIRE(point.attributes.size() == 1);
        CHECK(attribute_text(point.attributes[0].value) == std::to_string(i));
        CHECK(point.trace_id.empty() == (i % 2 != 0));
        if (i < 40) {
          CHECK(metric.name == "m_total");
          CHECK(metric.kind == OtlpKind::sum);
          CHECK(metric.monotonic);
          CHECK(metric.temporality == OtlpTemporality::delta);
          CHECK(point.number == i);
        } else if (i < 70) {
          CHECK(metric.kind == OtlpKind::histogram);
          CHECK(metric.temporality == OtlpTemporality::delta);
          std::vector<OtlpObservation> seen;
          std::string_view why;
          REQUIRE(observations_of(point, metric.kind, seen, why));
          CHECK(seen.size() == 3);
          CHECK(seen[2].value == 9);
          CHECK(point.total == 77);
        } else {
          CHECK(metric.kind == OtlpKind::gauge);
          CHECK(point.number == i + 0.005);
        }
        ++i;
      }
    }
  }
  CHECK(i == 100);
}
