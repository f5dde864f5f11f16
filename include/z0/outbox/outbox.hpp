// What goes to somebody outside as OTLP over HTTP: batches that wait in rows of the object that made
// them, and are sent by its alarm, one a turn.
//
// A receiver that is busy or away gets a batch again, by OTLP's own list of answers: after as long as it
// asks for, or twice as long each time. What it refuses for good, and what there is no room for, is gone
// and counted. All that a batch needs on its way travels with it, so an object may lose its memory
// meanwhile: then a batch is sent twice at worst.
#pragma once

#include <cstdint>
#include <string_view>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

// A batch that was sent: the course of its frame.
struct SentBatch {
  std::int64_t n = 0;
  std::int64_t items = 0;
  std::int64_t tries = 0;  // before this one

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.n);
    f.number(self.items);
    f.number(self.tries);
  }
};

class Outbox {
 public:
  // Asks for what there is by the rows; load() takes the answer. False when it could not be read; an
  // object that never had a batch has no rows, which is none.
  static void ask_state(Effects& effects);
  [[nodiscard]] bool load(const Rows& rows);

  bool waits() const { return first_ != 0; }
  // When the first batch may be sent.
  std::int64_t at_ms() const { return again_at_ms_; }
  bool due(std::int64_t now_ms) const { return waits() && now_ms >= again_at_ms_; }
  // Items that somebody took, and that nobody did, ever.
  std::int64_t taken() const { return taken_; }
  std::int64_t lost() const { return lost_; }

  // One batch more, of so many items. Where too many wait it is given up: it is the newest one, which
  // costs no read of what the others hold.
  void put(std::string_view batch, std::int64_t items, Effects& effects);
  // All that waits: there is nobody any more to send it to.
  void give_up(Effects& effects);

  // A turn, in three steps of one frame: the first batch is asked for, sent, and what became of it is
  // written. read_first is false when there is none.
  static void ask_first(Effects& effects);
  [[nodiscard]] bool read_first(const Rows& rows, SentBatch& sent, std::string_view& batch) const;
  static void send(const std::string& url, const OtlpTarget& target, std::string_view body,
                   Effects& effects);
  struct Settled {
    bool again = false;  // it waits, until at_ms
    std::int64_t at_ms = 0;
    std::int64_t refused = 0;  // items
    std::int64_t http = 0;
  };
  // known: the outbox in memory; null when it is not there any more, or not yet.
  static Settled settle(const SentBatch& sent, std::string_view answer, const Frame& frame,
                        Outbox* known, Effects& effects);
  // Says so, where something was refused. signal: "traces" or "metrics".
  static void log_refused(const Settled& settled, std::string_view signal, Effects& effects);

 private:
  void make_tables(Effects& effects);

  bool has_tables_ = false;
  // Numbers of the batches that wait; 0 and 0 when none does.
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  std::int64_t items_ = 0;  // of all of them
  std::int64_t taken_ = 0;
  std::int64_t lost_ = 0;
  std::int64_t tries_ = 0;  // of the first one
  std::int64_t again_at_ms_ = 0;
};

}  // namespace z0
