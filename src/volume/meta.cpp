/// Voxel size, and what volume.h5 keeps about the volume.

#include "frame.hpp"
#include "store_meta.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/volume/volume.hpp>

namespace cathoscope {

namespace {

constexpr const char* object = "/volume";

double number(const H5File& file, const char* key) {
  const auto values = file.attribute(object, key);
  if (!values || values->size() != 1)
    fail(Exit::version, "{}: {} has no attribute {}; run the volume stage again", file.path().string(), object, key);
  return values->front();
}

std::string text(const H5File& file, const char* key) {
  const auto value = file.attribute_text(object, key);
  if (!value)
    fail(Exit::version, "{}: {} has no attribute {}; run the volume stage again", file.path().string(), object, key);
  return *value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& w : words) all += (all.empty() ? "" : ",") + w;
  return all;
}

std::vector<std::string> split(const std::string& all) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find(',', at), all.size());
    words.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

Vec3 voxel_size_of(const std::optional<VoxelSize>& configured, const VolumeFile& file, const std::string& axes,
                   const std::string& depth_axis) {
  if (configured) return configured->zyx;
  if (file.voxel_size_um)
    return volumes::ordered(volumes::frame_of(file, axes, depth_axis, std::nullopt, 1), *file.voxel_size_um);
  fail(Exit::config,
       "{}: the file does not say its voxel size, and none is assumed; give voxel_size_um: a number, or [z, y, x]",
       file.files.empty() ? "volume" : file.files.front().string());
}

void volumes::store_meta(const VolumeMeta& meta, H5File& file) {
  const auto set = [&](const char* key, double value) { file.set_attribute(object, key, std::vector<double>{value}); };
  set("two_dimensional", meta.two_dimensional ? 1 : 0);
  file.set_attribute(object, "depth_origin", meta.depth_origin);
  set("depth_length_um", meta.depth_length_um);
  file.set_attribute(object, "physical_faces", joined(meta.physical_faces));
  set("low_grey", meta.low_grey);
  set("high_grey", meta.high_grey);
  file.set_attribute(object, "voxel_size_from", meta.voxel_size_from);
  file.set_attribute("/", "synthetic", meta.synthetic);
  set("has_mask", meta.has_mask ? 1 : 0);
  set("non_finite_voxels", static_cast<double>(meta.non_finite_voxels));
  set("outside_voxels", static_cast<double>(meta.outside_voxels));
  if (meta.padding_value) set("padding_value", *meta.padding_value);
}

VolumeMeta volume_meta(const H5File& file) {
  VolumeMeta meta;
  meta.two_dimensional = number(file, "two_dimensional") != 0;
  meta.depth_origin = text(file, "depth_origin");
  meta.depth_length_um = number(file, "depth_length_um");
  meta.physical_faces = split(text(file, "physical_faces"));
  meta.low_grey = number(file, "low_grey");
  meta.high_grey = number(file, "high_grey");
  meta.voxel_size_from = text(file, "voxel_size_from");
  meta.synthetic = file.attribute_text("/", "synthetic").value_or("");
  meta.has_mask = number(file, "has_mask") != 0;
  meta.non_finite_voxels = static_cast<std::int64_t>(number(file, "non_finite_voxels"));
  meta.outside_voxels = static_cast<std::int64_t>(number(file, "outside_voxels"));
  if (const auto value = file.attribute(object, "padding_value")) meta.padding_value = value->front();
  return meta;
}

}  // namespace cathoscope
