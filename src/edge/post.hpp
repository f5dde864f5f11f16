// Between the two halves of POST /v1/facts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "http/http.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/status.hpp"

namespace z0 {

// What can be said of a submission that was refused at the edge, as far as it could be read.
struct Refusal {
  std::string field;
  std::string id;
  std::string entity_id;
  std::string tenant_id;
};

// One submission: refused at the edge, or (status recorded, so far) the next one of a ledger's
// batch.
struct PostItem {
  Status status = Status::recorded;
  std::uint32_t index = 0;  // of its call, or of its refusal
};

// From this item on the lines of NDJSON follow one another, beginning with this number.
struct LineRun {
  std::size_t item = 0;
  std::size_t line = 1;
};

struct PostItems {
  std::vector<PostItem> items;
  std::vector<Refusal> refusals;
  std::vector<LineRun> lines;  // in order of items; none for an array or a single fact

  void refuse(Status status, Refusal refusal) {
    items.push_back({status, static_cast<std::uint32_t>(refusals.size())});
    refusals.push_back(std::move(refusal));
  }
  const Refusal& refusal(const PostItem& item) const { return refusals[item.index]; }
  // Says that the next item stands in this line.
  void next_line(std::size_t line);
  // The line of an item; 0 where there are none.
  std::size_t line_of(std::size_t item) const;
};

// The members that say where in a batch something was refused. A line of 0 is left out.
void write_place(JsonWriter& json, std::size_t index, std::size_t line);

void write_items(ByteWriter& out, bool single, const PostItems& items);
// False for bytes that write_items did not write.
[[nodiscard]] bool read_items(ByteReader& in, bool& single, PostItems& items);

// The second half: what the ledgers answered, in the order of the calls; nothing when none had to
// be asked.
void answer_post(bool single, const PostItems& items, const std::vector<std::string_view>& answers,
                 const Context& context, const Frame& frame, Effects& effects);

}  // namespace z0
