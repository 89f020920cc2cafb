#pragma once
/// A list of things shared by several processes.

#include <cstdint>

namespace cathoscope {

/// The i-th of n shares, counted from 1: every n-th thing. As it is here: all of them.
struct Shard {
  int index = 1;
  int count = 1;
  [[nodiscard]] bool has(std::uint64_t thing) const {
    return thing % static_cast<std::uint64_t>(count) + 1 == static_cast<std::uint64_t>(index);
  }
};

}  // namespace cathoscope
