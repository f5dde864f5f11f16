#include "edge/cloud_event.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/shorten.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {
namespace {

constexpr std::string_view media_types = "application/cloudevents";
// Fields of a fact that an event gives in its data or as extensions.
constexpr std::string_view fields[] = {"subtype",   "tenant_id",      "entity_id", "source_id",
                                       "asset_id",  "campaign_id",    "tool_id",   "user_id",
                                       "config_id", "config_version", "amount",    "currency"};

bool is_field(std::string_view name) {
  return std::find(std::begin(fields), std::end(fields), name) != std::end(fields);
}

// The field that an extension is named after; empty when it is none.
std::string_view field_of(std::string_view extension) {
  for (const std::string_view field : fields) {
    std::string plain(field);
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    if (plain == extension) return field;
  }
  return {};
}

bool attribute_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

bool whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text[0] != '0');
}

bool json_type(std::string_view content_type) {
  std::string type(media_type(content_type));
  std::transform(type.begin(), type.end(), type.begin(), small_letter);
  return type.empty() || type == "application/json" || type == "text/json" ||
         type.ends_with("+json");
}

// com.example.charge.v2 -> charge
std::string_view fact_type_of(std::string_view type) {
  const auto last = [](std::string_view text) {
    const std::size_t dot = text.rfind('.');
    return dot == std::string_view::npos ? text : text.substr(dot + 1);
  };
  const std::string_view name = last(type);
  const bool version = name.size() > 1 && name.size() < type.size() && name[0] == 'v' &&
                       name.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return version ? last(type.substr(0, type.size() - name.size() - 1)) : name;
}

class EventReader {
 public:
  explicit EventReader(EventFact& out) : out_(out) {}

  void read_structured(JsonReader& in, std::string_view whole) {
    if (in.peek() != JsonKind::object) {
      in.skip();
      return refuse(Status::not_an_object, {});
    }
    in.enter_object();
    std::string_view key;
    while (in.next_member(key)) read_member(in, whole, std::string(key));
    if (in.error() == JsonError::none) make();
  }

  void read_binary(const Request& request, JsonReader& in) {
    for (const auto& [name, value] : request.event_attributes) add(name, header_text(name, value));
    if (!json_type(request.content_type))
      return refuse(Status::unsupported_encoding, "content-type");
    if (in.peek() != JsonKind::end) {
      in.skip();
      data_ = request.body;
    }
    if (in.error() == JsonError::none && in.at_end()) make();
  }

 private:
  // The first fault counts.
  void refuse(Status status, std::string_view field) {
    if (out_.status != Status::recorded) return;
    out_.status = status;
    out_.field = shorten(field, limits::id_bytes_max);
  }

  void add(std::string_view name, std::string value) {
    if (!attribute_name(name)) return refuse(Status::unknown_member, name);
    if (attribute(name) != nullptr) return refuse(Status::duplicate_key, name);
    attributes_.emplace_back(name, std::move(value));
  }

  const std::string* attribute(std::string_view name) const {
    for (const auto& [known, value] : attributes_) {
      if (known == name) return &value;
    }
    return nullptr;
  }

  // An attribute as headers have it (HTTP Protocol Binding, 3.1.3.2): perhaps in quotes, with % before
  // what is not printable ASCII. SDKs leave a lone % as it is, and so does this.
  std::string header_text(std::string_view name, std::string_view value) {
    std::string plain;
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    if (quoted) value = value.substr(1, value.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (quoted && value[i] == '\\' && i + 1 < value.size()) ++i;
      plain += value[i];
    }
    std::string text;
    if (percent_decode(plain, false, text)) return text;
    if (!valid_utf8(plain) || !valid_utf8(text)) refuse(Status::not_utf8, name);
    return plain;
  }

  // null is the absence of an attribute, as the format has it (JSON Event Format, 2.2).
  void read_member(JsonReader& in, std::string_view whole, const std::string& name) {
    const JsonKind kind = in.peek();
    const std::size_t from = in.offset();
    std::string_view text;
    std::string scratch;
    if (kind == JsonKind::null) {
      in.skip();
    } else if (name == "data") {
      if (!in.skip()) return;
      if (!data_.empty()) refuse(Status::duplicate_key, name);
      data_ = whole.substr(from, in.offset() - from);
    } else if (name == "data_base64") {
      in.skip();
      refuse(Status::unsupported_encoding, name);
    } else if (kind == JsonKind::string) {
      if (in.string(text, scratch)) add(name, std::string(text));
    } else {
      // Integers and booleans stand for their canonical text, as binary mode writes them.
      if (!in.skip()) return;
      text = whole.substr(from, in.offset() - from);
      if (kind == JsonKind::boolean || (kind == JsonKind::number && whole_number(text)))
        add(name, std::string(text));
      else
        refuse(Status::wrong_type, name);
    }
  }

  void require(std::string_view name) {
    const std::string* value = attribute(name);
    if (value == nullptr)
      refuse(Status::missing_member, name);
    else if (value->empty())
      refuse(Status::invalid_value, name);
  }

  void make() {
    require("specversion");
    for (const char* name : {"id", "source", "type"}) require(name);
    const std::string* version = attribute("specversion");
    if (version != nullptr && *version != "1.0") refuse(Status::invalid_value, "specversion");
    const std::string* content = attribute("datacontenttype");
    if (content != nullptr && !json_type(*content))
      refuse(Status::unsupported_encoding, "datacontenttype");
    const std::string* id = attribute("id");
    const std::string* source = attribute("source");
    if (id != nullptr && source != nullptr) out_.id = id_of(*source, *id);
    if (out_.status != Status::recorded) return;
    fact_.text("id", out_.id).text("type", fact_type_of(*attribute("type")));
    if (const std::string* time = attribute("time")) fact_.text("timestamp", *time);
    split_data();
    split_attributes();
    if (out_.status != Status::recorded) return;
    JsonWriter json(out_.text);
    json.object().parts(fact_members_).object("data").parts(rest_members_);
    json.object("cloudevent").parts(kept_members_).end().end().end();
  }

  static std::string id_of(std::string_view source, std::string_view id) {
    std::string bytes;
    ByteWriter out(bytes);
    out.short_bytes(source);
    out.raw(id);
    return "ce_" + base64url_encode(bytes_of(sha256(bytes)));
  }

  // Members of data become fields, or stay data. Names that stand twice are found when the fact is
  // read.
  void split_data() {
    if (data_.empty()) return;
    JsonReader in(data_, limits::json_depth_max);
    if (in.peek() != JsonKind::object) return refuse(Status::wrong_type, "data");
    in.enter_object();
    std::string_view key;
    while (in.next_member(key)) {
      const std::string name(key);
      in.peek();
      const std::size_t from = in.offset();
      if (!in.skip()) break;
      const std::string_view value = data_.substr(from, in.offset() - from);
      const bool field = is_field(name);
      if (name == "trace_id") traced_ = true;
      if (name == "entity_id") entity_given_ = true;
      if (field) out_.lifted.append(out_.lifted.empty() ? "," : "").append(name) += ',';
      (field ? fact_ : rest_).any_key(name).raw(value);
    }
  }

  void split_attributes() {
    for (const auto& [name, value] : attributes_) {
      if (name == "specversion" || name == "time" || name == "datacontenttype" ||
          name == "tracestate")
        continue;
      if (name == "subject" || add_field(name, value) || add_trace(name, value)) continue;
      kept_.any_key(name).text(value);
    }
    const std::string* subject = attribute("subject");
    if (subject == nullptr) return;
    // The subject is kept where the entity is named otherwise.
    if (entity_given_) {
      kept_.text("subject", *subject);
      return;
    }
    fact_.text("entity_id", *subject);
    out_.entity_is_subject = true;
  }

  // An extension that is named after a field; a number goes without quotes, as headers have none.
  bool add_field(std::string_view name, std::string_view value) {
    const std::string_view field = field_of(name);
    if (field.empty()) return false;
    entity_given_ = entity_given_ || field == "entity_id";
    const bool number = (field == "amount" || field == "config_version") && whole_number(value);
    fact_.any_key(field);
    if (number)
      fact_.raw(value);
    else
      fact_.text(value);
    return true;
  }

  // The trace that an event belongs to, unless its data names one.
  bool add_trace(std::string_view name, std::string_view value) {
    if (name != "traceparent") return false;
    const TraceContext trace = trace_context(value, {}, std::string(24, '\0'));
    if (!traced_ && !trace.parent_id.empty()) fact_.text("trace_id", trace.trace_id);
    return true;
  }

  EventFact& out_;
  std::vector<std::pair<std::string, std::string>> attributes_;
  std::string_view data_;
  std::string fact_members_;  // so far
  std::string rest_members_;  // of its data
  std::string kept_members_;  // of data.cloudevent
  JsonWriter fact_{fact_members_};
  JsonWriter rest_{rest_members_};
  JsonWriter kept_{kept_members_};
  bool traced_ = false;
  bool entity_given_ = false;
};

}  // namespace

EventMode event_mode(const Request& request) {
  std::string_view type = media_type(request.content_type);
  if (same_name(type.substr(0, media_types.size()), media_types)) {
    type.remove_prefix(media_types.size());
    if (same_name(type, "+json")) return EventMode::structured;
    return same_name(type, "-batch+json") ? EventMode::batch : EventMode::unknown;
  }
  return request.event_attributes.empty() ? EventMode::none : EventMode::binary;
}

void read_event(JsonReader& in, std::string_view whole, EventFact& out) {
  out = EventFact{};
  EventReader(out).read_structured(in, whole);
}

void read_binary_event(const Request& request, JsonReader& in, EventFact& out) {
  out = EventFact{};
  EventReader(out).read_binary(request, in);
}

std::string event_field(const EventFact& event, std::string_view field) {
  if (field == "timestamp") return "time";
  if (event.lifted.find(',' + std::string(field) + ',') != std::string::npos)
    return "data." + std::string(field);
  if (field == "entity_id") return "subject";
  if (field == "tenant_id") return "tenantid";
  return std::string(field);
}

}  // namespace z0
