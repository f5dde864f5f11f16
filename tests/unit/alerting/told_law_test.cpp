// Laws of the dispatch, over random alerts, silences and listeners: a silence silences exactly what it
// says, none is told twice, and all that fires is told to everybody who wants it.
#include <random>
#include <set>

#include "unit/alerting/scene.hpp"
#include "unit/catch.hpp"

using z0::NotificationStatus;
using z0::Severity;
using z0::test::channel_of;
using z0::test::Scene;

namespace {

constexpr std::int64_t minute = 60'000;

// One begin of an alert, as it was.
struct Occurrence {
  std::string id;
  std::string rule;
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;  // 0: it fires
  bool silenced_all_along = true;
  bool silenced_ever = false;
};

struct Random {
  std::mt19937 engine;
  int below(int most) { return static_cast<int>(engine() % static_cast<unsigned>(most)); }
};

}  // namespace

TEST_CASE("What fires is told once to each that wants it, unless a silence says otherwise",
          "[dispatch][law]") {
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 41)));
  INFO("seed " << seed);
  Random random{std::mt19937(seed)};
  Scene s(seed % 2 == 0);
  // Without what is meant to say something again, or to hold it back for other reasons.
  z0::TellingPolicy policy;
  policy.flap_changes = 50;
  policy.flap_window_ms = minute;
  policy.escalate_ms = 0;
  policy.repeat_ms = 7 * 86'400'000LL;
  s.listener(channel_of("all")).policy = policy;
  z0::Channel pages = channel_of("pages");
  pages.severities = 2;
  s.listener(pages).policy = policy;

  const std::vector<std::string> rules = {"A", "B", "Wa", "Wb"};
  std::vector<Occurrence> seen;
  std::map<std::string, std::size_t> open;  // by id
  // What each listener holds to be firing.
  std::map<std::string, std::set<std::string>> believes;
  std::set<std::string> ids;

  const auto is_silenced = [&](const Occurrence& one, std::int64_t at_ms) {
    const z0::LiveAlert& live = s.alerts.at(one.id);
    const z0::SilencedBy alert{live.rules_of, live.alert.rule, live.alert.tenant_id,
                               &live.alert.labels};
    return s.silences.find(alert, "", at_ms) != nullptr;
  };
  std::map<std::pair<std::string, std::size_t>, int> fired_told;  // by listener and occurrence
  std::map<std::pair<std::string, std::size_t>, int> over_told;
  // Occurrences that were told to fire, by listener and incident.
  std::map<std::string, std::set<std::size_t>> named;
  const auto hear = [&] {
    for (const z0::Told& told : s.last) {
      REQUIRE(ids.insert(told.channel + told.notification.id).second);
      REQUIRE_FALSE(told.notification.alerts.empty());
      const bool last_word = told.notification.status == NotificationStatus::resolved;
      std::set<std::size_t>& of_incident = named[told.channel + told.notification.dedup_key];
      std::set<std::string> over;
      for (const z0::NotifiedAlert& alert : told.notification.alerts) {
        const std::string id = alert.rule + (alert.tenant_id.empty() ? "" : "/" + alert.tenant_id);
        std::size_t which = seen.size();
        while (which > 0 && seen[which - 1].id != id) --which;
        REQUIRE(which > 0);
        --which;
        std::set<std::string>& believed = believes[told.channel];
        if (alert.ended_ms == 0) {
          // It fires, and no silence is about it.
          REQUIRE(seen[which].until_ms == 0);
          REQUIRE_FALSE(is_silenced(seen[which], s.now_ms));
          of_incident.insert(which);
          // Others of its group are why it is named again.
          if (believed.insert(id).second) REQUIRE(++fired_told[{told.channel, which}] == 1);
        } else {
          REQUIRE(seen[which].until_ms != 0);
          // The last word of an incident names all that it was about.
          REQUIRE(++over_told[{told.channel, which}] <= (last_word ? 2 : 1));
          over.insert(id);
          believed.erase(id);
        }
      }
      // Its incident is closed: what a silence holds back is told anew.
      for (const std::size_t one : of_incident) {
        const std::string& id = seen[one].id;
        const bool again = std::any_of(seen.begin() + static_cast<std::ptrdiff_t>(one) + 1,
                                       seen.end(), [&](const auto& it) { return it.id == id; });
        REQUIRE((!last_word || again || over.contains(id) || open.contains(id)));
      }
      if (last_word)
        std::erase_if(believes[told.channel], [&](const std::string& id) {
          const bool same = id.starts_with(told.notification.alerts[0].rule);
          if (same) {
            REQUIRE(is_silenced(seen[open.at(id)], s.now_ms));
            fired_told[{told.channel, open.at(id)}] = 0;
          }
          return same;
        });
    }
  };

  for (int step = 0; step < 400; ++step) {
    s.now_ms += 1 + random.below(90'000);
    if (step < 300) {
      const std::string& rule = rules[static_cast<std::size_t>(random.below(4))];
      const std::string tenant = "t" + std::to_string(random.below(3));
      const std::string id = rule + '/' + tenant;
      if (const auto found = open.find(id); found != open.end()) {
        s.end(id);
        seen[found->second].until_ms = s.now_ms;
        open.erase(found);
      } else if (!s.alerts.contains(id) || random.below(2) == 0) {
        s.fire(rule, rule[0] == 'W' ? Severity::warning : Severity::critical, tenant);
        open[id] = seen.size();
        seen.push_back({id, rule, s.now_ms, 0, true, false});
      }
      if (random.below(20) == 0) {
        const std::string about = random.below(2) == 0 ? rule : "W*";
        s.silence(about, (1 + random.below(60)) * minute, "", random.below(2) == 0 ? tenant : "");
      }
    }
    for (const auto& [id, which] : open) {
      const bool silenced = is_silenced(seen[which], s.now_ms);
      seen[which].silenced_all_along = seen[which].silenced_all_along && silenced;
      seen[which].silenced_ever = seen[which].silenced_ever || silenced;
    }
    for (Occurrence& one : seen)
      if (one.until_ms == s.now_ms) {
        const bool silenced = is_silenced(one, s.now_ms);
        one.silenced_all_along = one.silenced_all_along && silenced;
        one.silenced_ever = one.silenced_ever || silenced;
      }
    s.decide();
    hear();
  }
  // All silences end, and everybody hears how it stands.
  for (int i = 0; i < 180; ++i) {
    s.now_ms += minute;
    s.decide();
    hear();
  }
  for (const std::string listener : {"c/all", "c/pages"}) {
    std::set<std::string> fires;
    for (const auto& [id, which] : open)
      if (listener == "c/all" || id[0] != 'W') fires.insert(id);
    CHECK(believes[listener] == fires);
  }

  for (std::size_t i = 0; i < seen.size(); ++i) {
    // Begun again before anybody was due to hear of its end: one alert, as far as people know.
    const bool resumed = [&] {
      for (std::size_t j = i + 1; j < seen.size(); ++j)
        if (seen[j].id == seen[i].id) return true;
      return false;
    }();
    for (const std::string listener : {"c/all", "c/pages"}) {
      INFO(listener << ' ' << seen[i].id << " of " << seen[i].from_ms);
      const bool wanted = listener == "c/all" || seen[i].rule[0] != 'W';
      const int fired = fired_told[{listener, i}];
      const int over = over_told[{listener, i}];
      if (!wanted || seen[i].silenced_all_along) {
        CHECK(fired == 0);
      } else if (!seen[i].silenced_ever && !resumed && seen[i].until_ms != 0) {
        CHECK(fired + over >= 1);
      }
    }
  }
}
