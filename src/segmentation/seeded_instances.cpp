#include "seeded_instances.hpp"

namespace cathoscope {

ScratchGrid<std::uint8_t> foreground_mask(const Workspace& w, const FusedFields& fields, const FieldOfView& inside,
                                          double threshold) {
  ScratchGrid<std::uint8_t> mask(w);
  for_each_block(w, "foreground", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    std::vector<float> foreground(values.size());
    copy_box(fields.foreground.data(), w.shape, block, foreground.data());
    for (std::size_t i = 0; i < values.size(); ++i)
      values.data()[i] = values.data()[i] == 0 ? 2 : foreground[i] > threshold ? 1 : 0;
    mask.write(block, values.data());
  });
  return mask;
}

SeededInstances seeded_instances(const Workspace& w, const WatershedConfig& config, const FusedFields& fields,
                                 const FieldOfView& inside, double foreground_threshold, std::uint64_t least,
                                 double largest_diameter_voxels) {
  CrackedRule rule;
  rule.largest_diameter = largest_diameter_voxels;
  SeededInstances result;
  const auto mask = foreground_mask(w, fields, inside, foreground_threshold);
  result.filled = filled_instances(w, config, inside, mask, [&](const ScratchGrid<std::uint8_t>& filled) {
    result.found = fused_watershed(w, fields.probability, filled, least, rule);
    return std::move(result.found.basins);
  });
  return result;
}

}  // namespace cathoscope
