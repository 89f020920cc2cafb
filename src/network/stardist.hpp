#pragma once
/// Models of StarDist 2-D, as csbdeep writes them.

#include <cathoscope/network/network.hpp>

namespace cathoscope {

/// A folder with config.json, weights_*.h5 (best, else last, else now, else the only one) and perhaps thresholds.json.
/// See load_network.
Network load_stardist(const std::filesystem::path& folder);

}  // namespace cathoscope
