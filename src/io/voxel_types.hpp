#pragma once
/// The types of voxels that exports take, for explicit instantiation: `CATHOSCOPE_OF_VOXEL_TYPES(NAME)` is NAME(T) for each.

#include <cstdint>

#define CATHOSCOPE_OF_VOXEL_TYPES(NAME) \
  NAME(std::uint8_t)                    \
  NAME(std::int8_t)                     \
  NAME(std::uint16_t)                   \
  NAME(std::int16_t)                    \
  NAME(std::uint32_t)                   \
  NAME(std::int32_t)                    \
  NAME(float)                           \
  NAME(double)
