#include "z0/base/trap.hpp"

#ifndef __wasm__
#include <cstdio>
#endif

namespace z0 {
namespace {

constinit const char* broken = nullptr;

}  // namespace

void trap(const char* invariant) {
  broken = invariant;
#ifndef __wasm__
  // Natively a signal follows, which says nothing.
  std::fprintf(stderr, "z0: broken invariant: %s\n", invariant);
#endif
  __builtin_trap();
}

const char* trapped_on() { return broken; }

}  // namespace z0
