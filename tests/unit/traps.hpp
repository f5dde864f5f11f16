// Whether code ends its process, in a process of its own: a broken invariant traps.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "unit/catch.hpp"
#include "z0/core/core.hpp"
#include "z0/wire/frame.hpp"

namespace z0::test {

inline bool traps(const std::function<void()>& code) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGILL, SIGTRAP, SIGABRT}) std::signal(number, SIG_DFL);
    code();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status);
}

// Whether a fresh core traps on a frame's bytes once its continuation, the first part, is changed.
inline bool traps_on_changed(const std::string& frame_bytes,
                             const std::function<void(std::string&)>& change) {
  return traps([&] {
    Frame frame;
    if (!parse_frame(frame_bytes, frame)) return;
    std::string continuation(frame.part(0));
    change(continuation);
    frame.parts = {continuation};
    Core().step(encode_frame(frame));
  });
}

}  // namespace z0::test
