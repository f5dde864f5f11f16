// POST /v1/facts, first half: read and check each fact, pack them by ledger, ask the ledgers.
#include "edge/post.hpp"

#include <algorithm>
#include <unordered_map>

#include "edge/cloud_event.hpp"
#include "edge/handlers.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

// What goes to one ledger.
struct Group {
  std::string tenant_id;
  std::string entity_id;
  Buffer packed;
  std::size_t count = 0;
  bool spoiled = false;  // atomic, and one of its facts was refused here
};

constexpr std::size_t few_groups = 8;

class PostFacts {
 public:
  PostFacts(const Request& request, const Claims& claims, const Context& context,
            const Frame& frame, Effects& effects)
      : request_(request),
        context_(context),
        frame_(frame),
        effects_(effects),
        who_{claims.tenant_id, frame.now_ms},
        atomic_(request.parameter("atomic") == "true") {}

  void run() {
    std::string_view field;
    const Status body = judge_body(request_, field);
    if (body != Status::recorded) return refuse(body, field);
    const std::string_view atomic = request_.parameter("atomic");
    if (!atomic.empty() && atomic != "true" && atomic != "false")
      return reply_bad_value(effects_, context_, "atomic", "true or false");
    const std::string_view type = media_type(request_.content_type);
    const bool lines = same_name(type, "application/x-ndjson") ||
                       same_name(type, "application/ndjson") ||
                       same_name(type, "application/jsonl");
    const EventMode events = event_mode(request_);
    if (events == EventMode::unknown) return refuse(Status::unsupported_encoding, "content-type");
    // The identity of an event is its own.
    if (request_.idempotency_key && events != EventMode::none) return refuse_key();
    if (request_.idempotency_key && (lines || !valid_id(*request_.idempotency_key)))
      return refuse_key();
    events_ = events != EventMode::none;
    const bool read = lines                         ? read_lines()
                      : events == EventMode::binary ? read_binary()
                                                    : read_json();
    if (!read) return;
    // A batch of no events is one (CloudEvents, HTTP binding, 3.3).
    if (items_.items.empty() && events != EventMode::batch) return refuse(Status::no_facts, "body");
    if (atomic_) spoil();
    ask();
  }

 private:
  void refuse(Status status, std::string_view field) {
    reply_error(effects_, context_, status, field);
  }

  // A key that cannot be the id of what was sent would promise what is not kept.
  void refuse_key() {
    reply_error(effects_, context_, Status::bad_parameter, "idempotency-key",
                "The header gives a single fact its id: send it with one fact that has no `id` or "
                "the same, never with a list, as 1 to 128 of A-Z a-z 0-9 _ . : - without quotes.");
  }

  // The whole request, because of what stands at the item that comes next.
  void refuse_at_next(Status status, std::string_view field, std::size_t line,
                      std::string_view id = {}) {
    std::string place;
    JsonWriter json(place);
    write_place(json, items_.items.size(), line);
    if (valid_id(id)) json.plain("id", id);
    reply_json(effects_, context_, info(status).http, error_json(context_, status, field, place));
  }

  bool room(std::size_t line = 0) {
    if (items_.items.size() < limits::facts_per_request_max) return true;
    refuse_at_next(Status::too_many_facts, "body", line);
    return false;
  }

  // An event whose attributes are headers; the body is its data.
  bool read_binary() {
    single_ = true;
    JsonReader in(request_.body, limits::json_depth_max);
    read_binary_event(request_, in, event_);
    if (event_.status != Status::recorded || (in.error() == JsonError::none && in.at_end())) {
      take_event();
      return true;
    }
    refuse(status_of(in.error()), fault_place(in, request_.body));
    return false;
  }

  // One JSON value: a fact, or an array of facts. A fault of the grammar refuses the whole request,
  // since nothing that follows can be read with certainty.
  bool read_json() {
    JsonReader in(request_.body, limits::json_depth_max);
    single_ = in.peek() == JsonKind::object;
    if (single_) {
      read_one(in);
    } else if (in.peek() == JsonKind::array) {
      key_contradicted_ = request_.idempotency_key.has_value();
      in.enter_array();
      if (!read_elements(in)) return false;
    } else if (in.peek() == JsonKind::end) {
      refuse(Status::no_facts, "body");
      return false;
    } else {
      in.skip();
      if (in.error() == JsonError::none) {
        refuse(Status::not_an_object, "body");
        return false;
      }
    }
    if (in.error() == JsonError::none && in.at_end()) {
      if (key_contradicted_) refuse_key();
      return !key_contradicted_;
    }
    refuse(status_of(in.error()), fault_place(in, request_.body));
    return false;
  }

  bool read_elements(JsonReader& in) {
    while (in.next_element()) {
      if (!room()) return false;
      read_one(in);
      if (in.error() == JsonError::none) continue;
      refuse_at_next(status_of(in.error()), fault_place(in, request_.body), 0, last_id_);
      return false;
    }
    if (in.error() == JsonError::none) return true;
    refuse_at_next(status_of(in.error()), fault_place(in, request_.body), 0);
    return false;
  }

  // NDJSON: each line stands alone, also when it is not JSON.
  bool read_lines() {
    std::string_view rest = request_.body;
    for (std::size_t number = 1; !rest.empty(); ++number) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      if (!room(number)) return false;
      items_.next_line(number);
      JsonReader in(line, limits::json_depth_max);
      const std::size_t before = items_.items.size();
      read_one(in);
      if (in.error() == JsonError::none && in.at_end()) continue;
      take_back(before);
      items_.refuse(status_of(in.error()), {fault_place(in, line), std::string(last_id_), {}, {}});
    }
    return true;
  }

  // A line with text after its fact was already packed: it is the last of its group.
  void take_back(std::size_t before) {
    if (items_.items.size() == before) return;
    const PostItem last = items_.items.back();
    if (last.status == Status::recorded) {
      Group& group = groups_[last.index];
      group.packed.shrink(last_packed_at_);
      --group.count;
    } else {
      items_.refusals.pop_back();
    }
    items_.items.pop_back();
  }

  // What cannot be taken although its text is readable is refused by itself; after a fault of the
  // grammar the reader keeps its error.
  void refuse_unread(JsonReader& in, JsonReader::Place at) {
    const Status status = status_of(in.error());
    const std::string field = "byte " + std::to_string(in.offset());
    JsonReader::Named named[] = {{"id", {}}, {"entity_id", {}}, {"tenant_id", {}}};
    if (!in.pass_over(at, named)) return;
    for (auto& member : named) {
      if (!valid_id(member.value)) member.value = {};
    }
    if (!who_.tenant_id.empty()) named[2].value = who_.tenant_id;
    items_.refuse(status, {field, std::string(named[0].value), std::string(named[1].value),
                           std::string(named[2].value)});
  }

  void read_one(JsonReader& in) {
    const JsonReader::Place at = in.place();
    if (events_) return read_one_event(in, at);
    ReadFact& read = read_;
    read_fact(in, who_, scratch_, read);
    last_id_ = read.fact.id;
    if (in.error() != JsonError::none) return refuse_unread(in, at);
    if (read.status != Status::recorded) return refuse_read(std::string(read.field));
    take();
  }

  void refuse_read(std::string field) {
    const Fact& fact = read_.fact;
    items_.refuse(read_.status, {std::move(field), std::string(fact.id),
                                 std::string(fact.entity_id), std::string(read_.tenant_id)});
  }

  void read_one_event(JsonReader& in, JsonReader::Place at) {
    read_event(in, request_.body, event_);
    last_id_ = {};
    if (in.error() != JsonError::none) return refuse_unread(in, at);
    take_event();
  }

  void take_event() {
    if (event_.status != Status::recorded) {
      return items_.refuse(event_.status,
                           {event_.field, event_.id, {}, std::string(who_.tenant_id)});
    }
    JsonReader in(event_.text, limits::json_depth_max);
    read_fact(in, who_, scratch_, read_);
    if (in.error() != JsonError::none) {
      return items_.refuse(status_of(in.error()),
                           {"data", event_.id, {}, std::string(who_.tenant_id)});
    }
    if (read_.status != Status::recorded) return refuse_read(event_field(event_, read_.field));
    take();
  }

  // The fact that was read goes to its ledger's batch.
  void take() {
    ReadFact& read = read_;
    Fact& fact = read.fact;
    std::string made;
    if (request_.idempotency_key) {
      key_contradicted_ |= !fact.id.empty() && fact.id != *request_.idempotency_key;
      fact.id = *request_.idempotency_key;
    }
    if (fact.id.empty()) {
      made = "fact_" + ulid(frame_.now_ms, frame_.entropy.ulid(), items_.items.size());
      fact.id = made;
    }
    const std::uint32_t call = group_of(read.tenant_id, fact.entity_id);
    Group& group = groups_[call];
    last_packed_at_ = group.packed.size();
    submission_.clear();
    append_submission(submission_, fact);
    char* p = group.packed.room(submission_.size() + put::varint_bytes_max);
    group.packed.end_at(put::short_bytes(p, submission_.view()));
    ++group.count;
    items_.items.push_back({Status::recorded, call});
  }

  std::uint32_t group_of(std::string_view tenant_id, std::string_view entity_id) {
    // A batch is of one ledger or goes round a few: those are found without a key.
    const std::size_t few = std::min(groups_.size(), few_groups);
    for (std::size_t i = 0; i < few; ++i) {
      const Group& group = groups_[i];
      if (group.entity_id == entity_id && group.tenant_id == tenant_id)
        return static_cast<std::uint32_t>(i);
    }
    if (groups_.size() > few_groups) {
      const Group& last = groups_[last_group_];
      if (last.entity_id == entity_id && last.tenant_id == tenant_id) return last_group_;
    }
    key_.assign(tenant_id);
    key_ += '\n';
    key_ += entity_id;
    const auto [found, fresh] =
        by_key_.try_emplace(key_, static_cast<std::uint32_t>(groups_.size()));
    if (fresh) {
      groups_.emplace_back();
      groups_.back().tenant_id = tenant_id;
      groups_.back().entity_id = entity_id;
    }
    return last_group_ = found->second;
  }

  // Atomic: a fact refused here takes its ledger's others with it. One that names no ledger takes
  // all.
  void spoil() {
    for (const auto& refusal : items_.refusals) {
      for (auto& group : groups_) {
        const bool of_none = ledger_type(refusal.entity_id).empty();
        if (of_none || refusal.entity_id == group.entity_id) group.spoiled = true;
      }
    }
    for (auto& item : items_.items) {
      if (item.status != Status::recorded || !groups_[item.index].spoiled) continue;
      const Group& group = groups_[item.index];
      item = {Status::batch_refused, static_cast<std::uint32_t>(items_.refusals.size())};
      items_.refusals.push_back({{}, {}, group.entity_id, group.tenant_id});
    }
  }

  void ask() {
    std::vector<std::uint32_t> call_of(groups_.size(), 0);
    std::uint32_t calls = 0;
    const auto flags = static_cast<std::uint8_t>(AppendRequest::registers_flag |
                                                 (atomic_ ? AppendRequest::atomic_flag : 0));
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Group& group = groups_[i];
      if (group.spoiled || group.count == 0) continue;
      call_of[i] = calls++;
      effects_.need_call(LedgerMethod::append, ledger_object_name(group.entity_id),
                         limits::append_timeout_ms,
                         encode_append_head(flags, group.tenant_id, group.entity_id, group.count),
                         group.packed.view());
    }
    for (auto& item : items_.items) {
      if (item.status == Status::recorded) item.index = call_of[item.index];
    }
    if (calls == 0) return answer_post(single_, items_, {}, context_, frame_, effects_);
    std::string continuation;
    ByteWriter out(continuation);
    write_context(out, context_);
    write_items(out, single_, items_);
    effects_.resume(continuation);
  }

  const Request& request_;
  const Context& context_;
  const Frame& frame_;
  Effects& effects_;
  Submitter who_;
  bool atomic_;
  bool single_ = false;
  bool events_ = false;  // what comes are CloudEvents
  EventFact event_;
  bool key_contradicted_ = false;  // the header gives an id that the body does not allow
  PostItems items_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::uint32_t last_group_ = 0;
  std::size_t last_packed_at_ = 0;
  Scratch scratch_;
  ReadFact read_;
  std::string_view last_id_;  // that the fact which was read last gave, as far as it was read
  std::string key_;
  Buffer submission_;
};

}  // namespace

void post_facts(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  PostFacts(request, claims, context, frame, effects).run();
}

}  // namespace z0
