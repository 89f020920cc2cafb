#pragma once
/// What the attributes are computed from: files that earlier stages left.

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/pipeline/pipeline.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace cathoscope {

struct MeasuredFiles {
  std::string electrode;
  std::filesystem::path volume;  ///< empty where only labels were given
  std::filesystem::path segmentation;
  std::optional<Vec3> voxel_um;  ///< coarser than the files', to compare with another electrode
};

AttributeInputs attribute_inputs(const MeasuredFiles& files, const ElectrodeInputs& electrode);

}  // namespace cathoscope
