#include "training_images.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/working.hpp>
#include <cathoscope/volume/volume.hpp>

#include <cstdlib>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <unordered_map>

namespace fs = std::filesystem;

namespace cathoscope::training_detail {

namespace {

/// A folder for as long as an image is read.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "cathoscope-training-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      fail(Exit::cannot_create, "{}: cannot make a folder for temporary files; set TMPDIR to a place that has room",
           pattern);
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Body {
  std::int64_t voxels = 0;
  bool cut = false;
};

std::unordered_map<std::uint64_t, Body> bodies_of(const GridSource<std::uint64_t>& labels) {
  std::unordered_map<std::uint64_t, Body> bodies;
  const Index3 shape = labels.shape;
  for (const Box& slab : slabs(shape, 16)) {
    const auto values = labels.load(slab);
    const std::uint64_t* at = values.data();
    for (std::int64_t z = slab.begin[0]; z < slab.end[0]; ++z)
      for (std::int64_t y = 0; y < shape[1]; ++y)
        for (std::int64_t x = 0; x < shape[2]; ++x, ++at) {
          if (*at == 0) continue;
          Body& body = bodies[*at];
          ++body.voxels;
          const bool end = shape[0] > 1 && (z == 0 || z == shape[0] - 1);
          body.cut |= end || y == 0 || y == shape[1] - 1 || x == 0 || x == shape[2] - 1;
        }
  }
  return bodies;
}

void require_equal(const Index3& a, const Index3& b, const std::string& image, const std::string& other) {
  if (a != b)
    fail(Exit::data, "{} is {} x {} x {} voxels (z, y, x), {} is {} x {} x {}; they must agree", image, a[0], a[1],
         a[2], other, b[0], b[1], b[2]);
}

/// Voxel size in um, or 1 where nobody knows it and the diameter is measured in voxels.
Vec3 voxel_size(const TrainingImageConfig& c, const VolumeFile& file) {
  if (c.voxel_size_um || file.voxel_size_um) return voxel_size_of(c.voxel_size_um, file, "zyx", "z");
  if (c.particle_diameter_um)
    fail(Exit::config,
         "training.images: particle_diameter_um of {} needs its voxel_size_um, which neither the file nor the "
         "configuration gives",
         c.image.text);
  return {1, 1, 1};
}

VolumeConfig as_volume(const TrainingImageConfig& c, const Vec3& voxel_um) {
  VolumeConfig v;
  v.path = c.image;
  v.voxel_size_um = VoxelSize{voxel_um};
  return v;
}

template <class T>
std::vector<T> at_centres(const GridSource<std::uint64_t>& from, const WorkingGrid& grid, const std::string& name,
                          T (*value)(std::uint64_t, const std::string&)) {
  std::vector<T> out(static_cast<std::size_t>(volume_of(grid.shape)));
  std::size_t i = 0;
  for (std::int64_t z = 0; z < grid.shape[0]; ++z) {
    const std::int64_t native = grid.native_at(0, z);
    const auto plane = from.load({{native, 0, 0}, {native + 1, from.shape[1], from.shape[2]}});
    for (std::int64_t y = 0; y < grid.shape[1]; ++y) {
      const std::uint64_t* row = plane.data() + grid.native_at(1, y) * from.shape[2];
      for (std::int64_t x = 0; x < grid.shape[2]; ++x) out[i++] = value(row[grid.native_at(2, x)], name);
    }
  }
  return out;
}

std::uint32_t small_id(std::uint64_t id, const std::string& name) {
  if (id > std::numeric_limits<std::uint32_t>::max())
    fail(Exit::data, "{}: id {} is beyond 32 bits; renumber the labels", name, id);
  return static_cast<std::uint32_t>(id);
}

std::uint8_t any(std::uint64_t value, const std::string&) { return value != 0 ? 1 : 0; }

/// What lies outside the field of view is not known.
void ignore_outside(const WorkingVolume& volume, LabelledVolume& out) {
  if (!volume.any_outside) return;
  if (out.ignore.empty()) out.ignore.assign(out.grey.size(), 0);
  for (std::size_t i = 0; i < out.grey.size(); ++i)
    if (!volume.inside(static_cast<std::int64_t>(i))) out.ignore[i] = 1;
}

WorkingVolume working_image(const TrainingImageConfig& c, const VolumeFile& file, const Vec3& voxel_um, double diameter,
                            const Context& context) {
  const Scratch scratch;
  auto h5 = H5File::create(scratch.path() / "volume.h5");
  load_volume(as_volume(c, voxel_um), file, h5, context);
  h5.close();
  const auto volume = H5File::open(scratch.path() / "volume.h5");
  const auto grey = volume.grid<float>("/volume");
  std::optional<GridSource<std::uint8_t>> inside;
  if (volume.contains("/mask")) inside = volume.grid<std::uint8_t>("/mask");
  const WorkingGrid grid = working_grid(grey.shape, grey.voxel_size_um, grey.origin_um, diameter);
  WorkingSettings settings;
  settings.denoise_sigma = 0;  // the network learns to see through noise
  return working_volume(grey, inside, grid, settings, context);
}

}  // namespace

double labelled_diameter(const GridSource<std::uint64_t>& labels) {
  const auto bodies = bodies_of(labels);
  if (bodies.empty()) fail(Exit::data, "the labels are all zero: there is nothing to learn from");
  const bool all_cut = std::all_of(bodies.begin(), bodies.end(), [](const auto& b) { return b.second.cut; });
  std::vector<std::int64_t> sizes;
  std::int64_t total = 0;
  for (const auto& [id, body] : bodies)
    if (all_cut || !body.cut) {
      sizes.push_back(body.voxels);
      total += body.voxels;
    }
  std::sort(sizes.begin(), sizes.end());
  std::int64_t below = 0;
  std::size_t k = 0;
  while (k + 1 < sizes.size() && 2 * (below + sizes[k]) < total) below += sizes[k++];
  const Vec3 h = labels.voxel_size_um;
  const auto voxels = static_cast<double>(sizes[k]);
  if (labels.shape[0] == 1) return 2 * std::sqrt(voxels * h[1] * h[2] / std::numbers::pi);
  return std::cbrt(6 * voxels * h[0] * h[1] * h[2] / std::numbers::pi);
}

LabelledVolume labelled_image(const TrainingImageConfig& c, const Context& context) {
  const VolumeFile file = open_volume(c.image.resolved), label_file = open_volume(c.labels.resolved);
  require_equal(file.shape, label_file.shape, c.image.text, c.labels.text);
  const Vec3 voxel_um = voxel_size(c, file);
  const auto labels = placed_labels(label_file, "zyx", {}, voxel_um);
  const double diameter = c.particle_diameter_um ? *c.particle_diameter_um : labelled_diameter(labels);
  const WorkingVolume volume = working_image(c, file, voxel_um, diameter, context);
  LabelledVolume out;
  out.shape = volume.shape();
  const auto values = volume.values();
  out.grey.assign(values.begin(), values.end());
  out.labels = at_centres<std::uint32_t>(labels, volume.grid(), c.labels.text, small_id);
  if (c.ignore) {
    const VolumeFile ignore = open_volume(c.ignore->resolved);
    require_equal(file.shape, ignore.shape, c.image.text, c.ignore->text);
    out.ignore =
        at_centres<std::uint8_t>(placed_labels(ignore, "zyx", {}, voxel_um), volume.grid(), c.ignore->text, any);
  }
  ignore_outside(volume, out);
  return out;
}

}  // namespace cathoscope::training_detail
