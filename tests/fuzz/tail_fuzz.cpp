// Any bytes as what the Tail Worker was brought: whatever comes of it are spans within their limits, which
// go through their bytes and JSON unchanged, from which what is redacted is gone, and which are filed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "step_law.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/traces.hpp"
#include "z0/traces/tail.hpp"

namespace {

using namespace z0;
using step_law::broken;

const std::string entropy(48, 'e');

void check(const Span& span, const Redaction& redaction) {
  const std::string bytes = encode(span);
  if (bytes.size() > limits::span_bytes_max) broken("a span is within its limits");
  Span again;
  if (!decode(bytes, again) || !(again == span)) broken("a span goes through its bytes");
  const std::string json = span_json(span);
  JsonReader in(json, limits::data_depth_max + 4);
  Span read;
  if (!read_span(in, read) || !in.at_end()) broken("a span can be read where it was written");
  if (encode(read) != bytes) broken("a span goes through JSON");
  Span twice = span;
  redact(twice, redaction);
  if (twice.message != span.message && span.message.find("...") == std::string::npos)
    broken("what was redacted is redacted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Redaction redaction = settings_redaction({});
  const TailSpans tail = read_tail(bytes, redaction, entropy);
  for (const Span& span : tail.spans) check(span, redaction);
  std::size_t delivered = 0;
  for (const Delivery& delivery : deliveries_of(tail.spans, 3)) {
    if (delivery.request.size() >
        limits::traces_delivery_bytes_max + limits::span_bytes_max + 1'024)
      broken("a delivery is bounded");
    delivered += delivery.spans;
  }
  if (delivered < tail.spans.size()) broken("every span is filed");
  return 0;
}
