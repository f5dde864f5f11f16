// Inside the object of alerts: what its frames have in common.
#pragma once

#include <string_view>
#include <vector>

#include "z0/alerting/alerting.hpp"

namespace z0 {

// What changed is written, with what is to be told of it; and the next alarm is set.
void commit_alerts(Alerting& alerting, const Frame& frame, Effects& effects);
void set_alerts_alarm(Alerting& alerting, std::int64_t now_ms, Effects& effects);

// Whether something is to be sent now: notifications, facts, a sign of life.
bool has_mail(const Alerting& alerting, std::int64_t now_ms);
// Begins a turn of sending; it goes on as a RESUME.
void begin_mail(Alerting& alerting, const Frame& frame, Effects& effects);

// Whose answers come next: of time zones and shards, before alerts are judged; of letters and secrets; of
// receivers.
enum class AlertsStage : std::uint8_t { before, read, sent, count_ };

// What goes round with a frame.
struct AlertsCourse {
  AlertsStage stage = AlertsStage::before;
  std::vector<std::string_view> zones;
  std::vector<SentLetter> letters;
  std::vector<std::int64_t> facts;  // the numbers of those that go along; a 0 while they are read
  bool beat = false;                // a sign of life

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.code(self.stage);
    f.list(self.zones);
    f.list(self.letters);
    f.list(self.facts);
    f.flag(self.beat);
  }
};
void resume_alerts(const AlertsCourse& course, Effects& effects);

// Asks what has to be known before alerts are judged; the answers come with AlertsStage::before. False: all is
// known.
[[nodiscard]] bool asks_first(Alerting& alerting, const Frame& frame, Effects& effects);
// Whether shards are still to be asked, after a restart.
bool has_shards_to_ask(const Alerting& alerting);
void hear_zones(Alerting& alerting, const AlertsCourse& course, const Frame& frame);
void go_on_with_mail(Alerting& alerting, AlertsCourse&& course, const Frame& frame,
                     Effects& effects);

// A look at facts, where it is due; it goes on as a RESUME. False: it is not.
[[nodiscard]] bool begin_looking(Alerting& alerting, const Frame& frame, Effects& effects);
bool resumes_look(std::string_view continuation);
// False where there is nothing to be judged after it.
[[nodiscard]] bool end_looking(Alerting& alerting, const Frame& frame, Effects& effects);

}  // namespace z0
