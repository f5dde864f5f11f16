// Whether code ends its process, in a process of its own: a broken invariant traps.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "unit/catch.hpp"

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

}  // namespace z0::test
