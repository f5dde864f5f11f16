// The C ABI of include/z0.h over one z0::Core per instance. Everything that thinks is in the core.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "z0.h"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/core/core.hpp"

namespace {

// Made by the first call instead of a static constructor, so that a module that was only
// instantiated has run nothing.
z0::Core& core() {
  static z0::Core* const instance = new z0::Core;
  return *instance;
}

// A frame that fits is written over the one before. A large one is given back as soon as a smaller
// one comes, because an instance lives for days and one 40 MB read would stay with it.
constexpr std::size_t kept_bytes_max = 1u << 20;

struct Buffer {
  std::uint8_t* bytes = nullptr;
  std::size_t capacity = 0;

  std::uint8_t* room(std::size_t size) {
    if (size <= capacity && (capacity <= kept_bytes_max || size > capacity / 4)) return bytes;
    std::free(bytes);
    capacity = size < 4096 ? 4096 : size;
    bytes = static_cast<std::uint8_t*>(std::malloc(capacity));
    if (bytes == nullptr) z0::trap("memory is left");
    return bytes;
  }
};

constinit Buffer frame;
constinit std::string_view effects;

}  // namespace

extern "C" {

std::uint32_t z0_abi_version(void) { return Z0_ABI_VERSION; }

std::uint8_t* z0_frame(std::uint32_t size) {
  if (size > z0::limits::frame_bytes_max) z0::trap("a frame has at most frame_bytes_max");
  return frame.room(size);
}

const std::uint8_t* z0_step(std::uint32_t size) {
  if (size > frame.capacity) z0::trap("a step is of a frame that has room");
  effects = core().step({reinterpret_cast<const char*>(frame.bytes), size});
  return reinterpret_cast<const std::uint8_t*>(effects.data());
}

std::uint32_t z0_effects_size(void) { return static_cast<std::uint32_t>(effects.size()); }

const char* z0_trapped_on(void) { return z0::trapped_on(); }

}  // extern "C"
