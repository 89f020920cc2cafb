#include "attribute_inputs.hpp"

#include <cathoscope/io/h5.hpp>
#include <cathoscope/volume/volume.hpp>

namespace cathoscope {

AttributeInputs attribute_inputs(const MeasuredFiles& files, const ElectrodeInputs& electrode) {
  const auto file = H5File::open(files.segmentation);
  AttributeInputs in;
  in.labels = file.grid<std::uint32_t>("/labels");
  in.label_ids = file.read_array<std::uint64_t>("/label_ids");
  in.cracks = file.grid<std::uint8_t>("/cracks");
  in.damage_partial_volume = file.read_array<double>("/damage_partial_volume");
  in.damage_source = file.attribute_text("/", "damage_source").value_or("");
  in.two_dimensional = electrode.two_dimensional;
  in.physical_faces = VolumeConfig{}.physical_faces;
  in.depth_length_um = static_cast<double>(electrode.shape[0]) * electrode.binned_um[0];
  if (!files.volume.empty()) {
    const auto source = H5File::open(files.volume);
    const VolumeMeta meta = volume_meta(source);
    in.grey = source.grid<float>("/volume");
    if (meta.has_mask) in.field_of_view = source.grid<std::uint8_t>("/mask");
    in.physical_faces = meta.physical_faces;
    in.depth_from_high_end = meta.depth_origin == "high";
    in.depth_length_um = meta.depth_length_um;
  }
  return files.voxel_um ? degraded(in, *files.voxel_um) : in;
}

}  // namespace cathoscope
