#pragma once
/// Checks of a configuration, and the values that are drawn once a volume.

#include <cathoscope/phantom/config.hpp>

namespace cathoscope::phantom_detail {

/// Throws Error{config} naming the key: intervals upside down, attributes that do not exist, a plant without noise or
/// cause.
void check_config(const PhantomConfig& config);

/// Every interval that is drawn once a volume collapsed to its value, every share of volumes to 0 or 1.
PhantomConfig drawn_config(const PhantomConfig& config, std::uint64_t seed);

}  // namespace cathoscope::phantom_detail
