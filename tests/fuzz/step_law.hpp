// What must hold of every step, for the fuzzers that drive a core.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "z0/core/core.hpp"
#include "z0/json/json.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/read_effects.hpp"

namespace z0::step_law {

[[noreturn]] inline void broken(std::string_view law) {
  std::fprintf(stderr, "broken law: %.*s\n", static_cast<int>(law.size()), law.data());
  __builtin_trap();
}

// A step whose effects are well-formed: phases in order, needs alone and ended by one resume, else
// exactly one reply (`replies`: or none). Borrows the core's bytes until the next step.
inline std::vector<Effect> step(Core& core, const Frame& frame, std::size_t replies) {
  std::vector<Effect> effects;
  if (!parse_effects(core.step(encode_frame(frame)), effects))
    broken("effects can be read, phases in order");
  std::size_t needs = 0;
  std::size_t answered = 0;
  for (const Effect& effect : effects) {
    needs += effect.phase == Phase::need ? 1 : 0;
    answered += effect.kind == Z0_REPLY ? 1 : 0;
  }
  if (needs == 0) {
    if (answered != replies) broken("exactly one reply, and none to an alarm");
  } else if (needs != effects.size() || effects.back().kind != Z0_NEED_RESUME) {
    broken("needs stand alone and end with a resume");
  }
  return effects;
}

inline bool asks(const std::vector<Effect>& effects) {
  return !effects.empty() && effects[0].phase == Phase::need;
}

// The reply of a last step: its status and body.
struct Reply {
  int status = 0;
  std::string body;
};

inline Reply reply_of(const std::vector<Effect>& effects) {
  Reply reply;
  for (const Effect& effect : effects) {
    if (effect.kind != Z0_REPLY) continue;
    const auto answer = carried_by<HttpAnswer>(effect);
    reply.status = answer.http;
    reply.body = answer.body;
  }
  return reply;
}

inline bool is_json(std::string_view text) {
  JsonReader in(text, 64);
  return in.skip() && in.at_end();
}

// The frame goes on with a step's continuation, which is copied: the next step takes its bytes.
inline void go_on(Frame& frame, const std::vector<Effect>& effects, std::string& continuation) {
  continuation = carried_by<ResumeNeed>(effects.back()).continuation;
  frame.kind = Z0_FRAME_RESUME;
  frame.method = 0;
  frame.parts = {continuation};
}

// A call on an object whose storage is empty, to its end. `incarnation`: of an object of its own.
inline std::string call_empty(Core& core, std::uint8_t target, std::uint8_t method,
                              std::string_view object, std::string_view request,
                              std::uint64_t incarnation) {
  Rows none;
  none.failed = false;
  std::string no_rows;
  append_rows(no_rows, none);
  Frame frame;
  frame.kind = Z0_FRAME_CALL;
  frame.target = target;
  frame.method = method;
  frame.now_ms = 1'774'915'200'000;
  frame.incarnation = incarnation;
  frame.parts = {object, request};
  std::string continuation;
  for (int rounds = 0; rounds < 8; ++rounds) {
    const auto effects = step(core, frame, 1);
    if (!asks(effects)) return reply_of(effects).body;
    frame.answers.assign(effects.size() - 1, no_rows);
    go_on(frame, effects, continuation);
  }
  broken("a call ends");
}

}  // namespace z0::step_law
