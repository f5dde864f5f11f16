#include "z0/trace/context.hpp"

#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/trace_headers.hpp"

namespace {

using z0::TraceContext;

constexpr std::string_view trace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view test_parent = "00f067aa0ba902b7";

// 24 bytes 01 02 .. 18: what a new trace and its first span are made of.
std::string entropy() {
  std::string out;
  for (char c = 1; c <= 24; ++c) out.push_back(c);
  return out;
}
constexpr std::string_view fresh_trace = "0102030405060708090a0b0c0d0e0f10";
constexpr std::string_view fresh_span = "1112131415161718";

const std::string valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TraceContext read(std::string_view traceparent, std::string_view tracestate = "") {
  return z0::trace_context(traceparent, tracestate, entropy());
}

}  // namespace

TEST_CASE("A valid traceparent is taken over with a span of our own", "[trace]") {
  struct Row {
    std::string header;
    int flags;
  };
  const Row rows[] = {
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 0},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", 2},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", 3},
      // Reserved flags are read past and not sent on.
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fc", 0},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09", 1},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", 3},
      // Later versions are read as far as we know them.
      {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1},
      {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1},
      {"fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 0},
      {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", 1},
      {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", 1},
  };
  for (const Row& row : rows) {
    INFO(row.header);
    const TraceContext context = read(row.header, "congo=t61rcWkgMzE");
    CHECK(context.trace_id == trace);
    CHECK(context.parent_id == test_parent);
    CHECK(context.span_id == fresh_span);
    CHECK(context.flags == row.flags);
    CHECK(context.tracestate == "congo=t61rcWkgMzE");
    CHECK(context.traceparent() ==
          "00-4bf92f3577b34da6a3ce929d0e0e4736-1112131415161718-0" + std::to_string(row.flags));
  }
}

TEST_CASE("An invalid traceparent begins a new trace", "[trace]") {
  const std::string headers[] = {
      "",
      "00",
      "-",
      // version: forbidden, too long, too short, not hexadecimal, upper case
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      ".0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0.-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "CC-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "FF-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      // trace id: zero, too long, too short, not hexadecimal, upper case
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e47360-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
      "00-.bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      // parent id: zero, too long, too short, not hexadecimal, upper case
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b70-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-.0f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
      // flags: too long, too short, not hexadecimal, upper case
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.0",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
      // version 0 ends after the flags; a later one goes on with a dash only
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what-the-future-will-be-like",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010",
      // separators
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
      " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      // two headers, joined as HTTP joins them
      valid + "," + valid,
  };
  for (const std::string& header : headers) {
    INFO(header);
    const TraceContext context = read(header, "congo=t61rcWkgMzE");
    CHECK(context.trace_id == fresh_trace);
    CHECK(context.span_id == fresh_span);
    CHECK(context.parent_id.empty());
    CHECK(context.flags == 3);
    CHECK(context.tracestate.empty());
    CHECK(context.traceparent() == "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-03");
  }
}

TEST_CASE("A changed byte of the fixed part never yields another trace unnoticed", "[trace]") {
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const char c : {'\0', ' ', 'G', 'F', '/', ':', '`', 'g', '\x80', '\xff'}) {
      std::string header = valid;
      header[i] = c;
      INFO(header);
      CHECK(read(header).parent_id.empty());
    }
  }
}

TEST_CASE("What others wrote into tracestate goes on behind our member, or not at all", "[trace]") {
  const TraceContext kept = read(valid, "rojo=00f067aa0ba902b7 ,\tcongo=t61rcWkgMzE,");
  CHECK(kept.tracestate == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  CHECK(z0::tracestate_of(kept.span_id, kept.tracestate) ==
        "z0=1112131415161718,rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  const TraceContext dropped = read(valid, "a=\r\nset-cookie: b");
  CHECK(dropped.trace_id == trace);
  CHECK(dropped.tracestate.empty());
  CHECK(z0::tracestate_of(dropped.span_id, {}) == "z0=1112131415161718");
}

TEST_CASE("What one hop sends, the next one reads", "[trace]") {
  const TraceContext sent = read(valid, "congo=t61rcWkgMzE");
  const TraceContext arrived =
      read(z0::traceparent_of(sent.trace_id, "fffefdfcfbfaf9f8", sent.flags),
           z0::tracestate_of("fffefdfcfbfaf9f8", sent.tracestate));
  CHECK(arrived.trace_id == trace);
  CHECK(arrived.parent_id == "fffefdfcfbfaf9f8");
  CHECK(arrived.flags == 1);
  CHECK(arrived.tracestate == "congo=t61rcWkgMzE");
}

TEST_CASE("Entropy of zeros still makes valid ids", "[trace]") {
  const TraceContext context = z0::trace_context("", "", std::string(24, '\0'));
  CHECK(context.traceparent() == "00-00000000000000000000000000000001-0000000000000001-03");
  CHECK(read(context.traceparent()).parent_id == "0000000000000001");
}
