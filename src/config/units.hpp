#pragma once
/// Units that people write behind numbers, and that end the names of keys.

#include <optional>
#include <string>

namespace cathoscope::configuring {

/// "50 nm".
struct Quantity {
  double value = 0;
  std::string unit;
};

/// The unit at the end of a key's name: "um" of electrodes[0].volume.voxel_size_um[2]; empty where there is none.
std::string unit_of_key(const std::string& path);

/// The value in another unit; empty where one of the units is unknown or they measure different things.
std::optional<double> converted(const Quantity& quantity, const std::string& unit);

}  // namespace cathoscope::configuring
