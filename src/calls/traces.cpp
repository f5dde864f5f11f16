#include "z0/calls/traces.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

std::size_t traces_shard(std::string_view trace_id, std::size_t shards) {
  // Somebody's trace ids may be numbers that count up: their hash is spread all the same.
  return static_cast<std::size_t>(id_hash(trace_id, 0) % shards);
}

std::string traces_object_name(std::size_t shard) { return "traces_" + std::to_string(shard); }

namespace {

class Sorting {
 public:
  explicit Sorting(std::size_t shards) : open_(shards) {}

  void add(std::string_view trace_id, std::string_view span) {
    const std::size_t shard = traces_shard(trace_id, open_.size());
    Open& open = open_[shard];
    if (open.bytes + span.size() > limits::traces_delivery_bytes_max) close(shard);
    open.request.items.push_back({trace_id, span});
    open.bytes += trace_id.size() + span.size() + 8;
  }
  std::vector<Delivery> take() {
    for (std::size_t shard = 0; shard < open_.size(); ++shard) close(shard);
    return std::move(done_);
  }

 private:
  struct Open {
    StoreRequest request;
    std::size_t bytes = 0;
  };
  void close(std::size_t shard) {
    Open& open = open_[shard];
    if (open.request.items.empty()) return;
    done_.push_back({shard, encode(open.request), open.request.items.size()});
    open = {};
  }

  std::vector<Open> open_;
  std::vector<Delivery> done_;
};

}  // namespace

std::vector<Delivery> deliveries_of(const std::vector<Span>& spans, std::size_t shards) {
  std::vector<std::string> encoded;
  encoded.reserve(spans.size());  // views into it stay
  Sorting sorting(shards);
  for (const Span& span : spans) {
    const std::string& bytes = encoded.emplace_back(encode(span));
    sorting.add(span.trace_id, bytes);
    std::vector<std::string_view> filed{span.trace_id};
    for (const SpanLink& link : span.links) {
      const std::string_view other = link.trace_id;
      if (std::find(filed.begin(), filed.end(), other) != filed.end()) continue;
      filed.push_back(other);
      sorting.add(other, bytes);
    }
  }
  return sorting.take();
}

}  // namespace z0
