#pragma once

#include <cathoscope/volume/volume.hpp>

namespace cathoscope::volumes {

/// Writes every member of `meta` as an attribute of /volume.
void store_meta(const VolumeMeta& meta, H5File& file);

}  // namespace cathoscope::volumes
