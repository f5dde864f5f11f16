#include "tail_mail.hpp"

#include <utility>

#include "model.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t collect_ms = 250;
constexpr std::int64_t late_ms_max = 5 * 60'000;
// Spans of a line, and lines of an invocation: few, so that a delivery has several of each.
constexpr std::size_t spans_of_line = 3;
constexpr std::size_t lines_of_invocation = 2;

std::string invocations_of(const std::vector<std::string>& spans) {
  Json invocations = Json::array();
  std::string line;
  std::size_t in_line = 0;
  const auto end_line = [&] {
    if (line.empty()) return;
    if (invocations.empty() || invocations.back()["lines"].size() >= lines_of_invocation)
      invocations.push_back({{"script", "z0"}, {"outcome", "ok"}, {"lines", Json::array()}});
    invocations.back()["lines"].push_back(line + "]}");
    line.clear();
    in_line = 0;
  };
  for (const std::string& span : spans) {
    line += (line.empty() ? R"({"z0":"spans","service":"z0","spans":[)" : ",") + span;
    if (++in_line >= spans_of_line) end_line();
  }
  end_line();
  return invocations.dump();
}

}  // namespace

TailMail::TailMail(world::World& world, Agenda& agenda, Trouble& trouble, Random& random)
    : world_(world), agenda_(agenda), trouble_(trouble), random_(random) {}

void TailMail::collect(std::string_view span) {
  collected_.emplace_back(span);
  if (collected_.size() == 1) agenda_.at(world_.now_ms + collect_ms, [this] { hand_over(); });
}

void TailMail::hand_over() {
  const std::vector<std::string> spans = std::exchange(collected_, {});
  if (trouble_.strikes(Fault::collect)) return;
  const std::int64_t late = world_.now_ms + random_.between(1, late_ms_max);
  if (trouble_.strikes(Fault::delay))
    agenda_.at(late, [this, spans] { deliver(spans); });
  else
    deliver(spans);
  const std::int64_t again = trouble_.strikes(Fault::redelivery) ? late : 0;
  if (again != 0 && random_.percent(50))
    agenda_.at(again, [this, spans] { deliver(spans); });
  else if (again != 0)
    deliver(spans);
}

void TailMail::deliver(const std::vector<std::string>& spans) {
  before_delivery();
  after_delivery(spans, world_.tail(invocations_of(spans)));
}

world::World::Fetched TailMail::receive(const FetchNeed& need) {
  std::vector<std::string> ids;
  const Json body = Json::parse(need.body);
  for (const Json& resource : body.at("resourceSpans")) {
    for (const Json& scope : resource.at("scopeSpans")) {
      for (const Json& span : scope.at("spans")) ids.push_back(span.at("spanId"));
    }
  }
  const auto count = static_cast<std::int64_t>(ids.size());
  if (trouble_.strikes(Fault::send)) {
    const int answers[] = {400, 429, 502, 503};
    const int http = random_.pick(answers);
    if (http == 400) refused_ += count;
    return {http, random_.percent(50) ? static_cast<std::uint32_t>(random_.between(1, 60)) : 0};
  }
  received_.insert(ids.begin(), ids.end());
  taken_ += count;
  return 200;
}

}  // namespace z0::sim
