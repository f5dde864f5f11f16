// Parts of the core that no frame asks for by themselves, over and over, as a module of their own: a
// span, a point, a value in a histogram. lib/metric_loops.js calls them; the caller holds the clock.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "z0/base/ids.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/trace/span.hpp"
#include "z0/wire/effects.hpp"

namespace {

using z0::Histogram;

constexpr std::size_t variants = 64;
constexpr std::string_view trace = "4bf92f3577b34da6a3ce929d0e0e4736";

struct State {
  z0::Effects effects;
  std::string_view done;
  z0::TraceContext context{std::string(trace), "00f067aa0ba902b7", "b7ad6b7169203331", 1, {}};
  std::array<std::string, variants> assets;
  std::array<Histogram, 128> histograms;
  std::vector<std::int32_t> values;

  State() {
    for (std::size_t i = 0; i < variants; ++i) assets[i] = "ast_bench_" + std::to_string(i);
  }
};

State& state() {
  static auto* const only = new State;
  return *only;
}

// What edge/routes.cpp emits when a POST of facts was answered.
void emit_span(State& s, std::uint32_t i) {
  const auto* bytes = reinterpret_cast<const char*>(&i);
  s.context.span_id.resize(8);
  z0::append_hex(s.context.span_id, {bytes, sizeof i});
  z0::Span span = z0::request_span(s.context, "z0.worker.facts.record", z0::SpanKind::server,
                                   1'774'915'200'000, 1'774'915'200'007);
  span.tenant_id = "tenant_acme";
  span.money = z0::MoneyEffect::moved;
  span.attributes.push_back({"http.request.method", "\"POST\""});
  span.attributes.push_back({"http.route", "\"/v1/facts\""});
  span.attributes.push_back({"http.response.status_code", std::to_string(200)});
  span.attributes.push_back({"z0.facts", std::to_string(100)});
  s.effects.span(z0::span_json(span));
}

void emit_count(State& s, std::uint32_t i) {
  z0::count(s.effects, z0::Metric::facts_written, "tenant_acme",
            {"invocation", "inbound_call", s.assets[i % variants]}, 1, trace);
}

void emit_observation(State& s, std::uint32_t i) {
  z0::observe(s.effects, z0::Metric::external_call_duration, "tenant_acme",
              {"tool_openai", "completion", ""}, i * 7 % 1'000, 1, trace);
}

template <class Emit>
std::uint32_t loop(std::uint32_t n, Emit emit) {
  State& s = state();
  for (std::uint32_t i = 0; i < n; ++i) {
    s.effects.begin_step();
    emit(s, i);
    s.done = s.effects.finish();
  }
  return static_cast<std::uint32_t>(s.done.size());
}

}  // namespace

extern "C" {

// Each says how many bytes the last step's effects have, which stand at bench_effects().
std::uint32_t bench_spans(std::uint32_t n) { return loop(n, emit_span); }
std::uint32_t bench_counts(std::uint32_t n) { return loop(n, emit_count); }
std::uint32_t bench_observations(std::uint32_t n) { return loop(n, emit_observation); }
// One of them, with the labels of the i-th.
std::uint32_t bench_span(std::uint32_t i) {
  return loop(1, [i](State& s, std::uint32_t) { emit_span(s, i); });
}
std::uint32_t bench_count(std::uint32_t i) {
  return loop(1, [i](State& s, std::uint32_t) { emit_count(s, i); });
}
std::uint32_t bench_observation(std::uint32_t i) {
  return loop(1, [i](State& s, std::uint32_t) { emit_observation(s, i); });
}
const char* bench_effects() { return state().done.data(); }

// Room for n values of 32 bits.
std::int32_t* bench_values(std::uint32_t n) {
  state().values.resize(n);
  return state().values.data();
}
void bench_insert(std::uint32_t histogram, std::uint32_t n) {
  State& s = state();
  for (std::uint32_t i = 0; i < n; ++i) s.histograms[histogram].add(s.values[i]);
}
void bench_clear(std::uint32_t histogram) { state().histograms[histogram] = {}; }
void bench_merge(std::uint32_t into, std::uint32_t histogram) {
  state().histograms[into].merge(state().histograms[histogram]);
}
double bench_quantile(std::uint32_t histogram, std::uint32_t millionths) {
  return static_cast<double>(state().histograms[histogram].quantile(millionths));
}

}  // extern "C"
