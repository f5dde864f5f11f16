// Any bytes as rows of the object of alerts and as what shards and people say to it: it comes back from
// whatever stands there, its own rows bring back what it knows, and a restart changes nobody's word.
//
// The input is a list of entries: a byte that says what, one byte of size and so many bytes of an id, two of
// size and the bytes. Kinds 0 to 8 are rows; others happen to the desk.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "step_law.hpp"
#include "z0/alerting/channel_book.hpp"
#include "z0/alerting/desk.hpp"
#include "z0/base/bytes.hpp"

namespace {

using namespace z0;
using step_law::broken;

constexpr std::int64_t began_ms = 1'774'915'200'000;
constexpr std::int64_t tick_ms = 10'000;
constexpr std::int64_t row_kinds = 9;
constexpr std::string_view channels = R"({"channels": [
{"name": "pager", "type": "pagerduty", "secret": "PAGERDUTY_ROUTING_KEY"},
{"name": "day", "type": "slack", "secret": "SLACK_WEBHOOK_URL",
 "business_hours": {"time_zone": "Europe/Berlin", "from": "09:00", "to": "17:30"}}]})";

using DeskRows = std::map<std::pair<std::int64_t, std::string>, std::string>;

struct Entry {
  std::uint8_t what = 0;
  std::string_view id;
  std::string_view bytes;
};

std::vector<Entry> read_entries(std::string_view input) {
  std::vector<Entry> entries;
  ByteReader in(input);
  while (!in.done() && entries.size() < 64) {
    Entry entry;
    entry.what = in.u8();
    entry.id = in.raw(in.u8());
    entry.bytes = in.raw(in.u16());
    if (!in.ok()) break;
    entries.push_back(entry);
  }
  return entries;
}

std::unique_ptr<Desk> load(const DeskRows& rows, std::int64_t now_ms) {
  auto desk = std::make_unique<Desk>();
  for (const auto& [key, bytes] : rows) static_cast<void>(desk->load(key.first, key.second, bytes));
  desk->end_loading(now_ms);
  return desk;
}

void save(Desk& desk, DeskRows& rows) {
  desk.save([&rows](std::int64_t kind, std::string_view id, std::string_view bytes) {
    if (bytes.empty())
      rows.erase({kind, std::string(id)});
    else
      rows[{kind, std::string(id)}] = bytes;
  });
}

class Story {
 public:
  explicit Story(DeskRows rows) : rows_(std::move(rows)), desk_(load(rows_, now_ms_)) {
    channels_.set("cfg_channels", encode(RulesSource{"cfg_channels", "", channels}));
  }

  void happen(const Entry& entry) {
    now_ms_ += tick_ms;
    switch (entry.what % 4) {
      case 0:
        hear(entry.bytes);
        break;
      case 1:
        silence(entry.bytes);
        break;
      case 2:
        acknowledge(entry.id);
        break;
      default:
        desk_->set_rules({entry.id, {}, entry.bytes});
    }
    tell(*desk_);
    save(*desk_, rows_);
  }

  // Who is told of what from now on is the same whether there was a restart or not.
  void check() {
    now_ms_ += tick_ms;
    const std::unique_ptr<Desk> again = load(rows_, now_ms_ - tick_ms);
    desk_->end_loading(now_ms_ - tick_ms);
    if (!last_report_.empty()) {
      ShardReportReply reply;
      static_cast<void>(desk_->take(last_report_, 1, now_ms_, reply));
      static_cast<void>(again->take(last_report_, 1, now_ms_, reply));
    }
    if (silences_of(*desk_) != silences_of(*again)) broken("silences are rows");
    for (int i = 0; i < 40; ++i, now_ms_ += 30 * tick_ms)
      if (tell(*desk_) != tell(*again)) broken("after a restart the same is told");
  }

 private:
  void hear(std::string_view bytes) {
    ShardReport report;
    if (!decode(bytes, report)) return;
    // Reports of rules that do not hold any more are only answered.
    ShardReportReply reply;
    if (!desk_->take(bytes, 1, now_ms_, reply)) broken("a report can be read");
    report.rules_hash = reply.rules_hash.empty() ? report.rules_hash : reply.rules_hash;
    report.shard = "metrics_0";
    last_report_ = encode(report);
    if (!desk_->take(last_report_, 1, now_ms_, reply)) broken("a report can be read");
    tell(*desk_);
  }
  void silence(std::string_view bytes) {
    SilenceRequest request;
    SilencesReply reply;
    if (decode(bytes, request)) desk_->silence(request, now_ms_, reply);
  }
  void acknowledge(std::string_view id) {
    AlertsReply reply;
    static_cast<void>(desk_->acknowledge({id, {}, true, "somebody", "looks", 0}, now_ms_, reply));
  }
  std::string tell(Desk& desk) {
    std::string said;
    for (const Told& told : desk.decide(channels_.listeners(), desk.zones(), now_ms_))
      said += told.channel + ' ' + told.notification.id + ' ' + headline(told.notification) + '\n';
    if (encode(desk.answer({{}, true}, now_ms_)).empty()) broken("what it knows can be said");
    return said;
  }
  std::string silences_of(const Desk& desk) const {
    return encode(desk.silences({{}, true}, now_ms_));
  }

  std::int64_t now_ms_ = began_ms;
  DeskRows rows_;
  std::unique_ptr<Desk> desk_;
  ChannelBook channels_;
  std::string last_report_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Entry> entries = read_entries({reinterpret_cast<const char*>(data), size});
  DeskRows rows;
  for (const Entry& entry : entries)
    if (entry.what < row_kinds) rows[{entry.what, std::string(entry.id)}] = entry.bytes;
  Story story(std::move(rows));
  for (const Entry& entry : entries)
    if (entry.what >= row_kinds) story.happen(entry);
  story.check();
  return 0;
}
