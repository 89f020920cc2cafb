#pragma once
/// Bodies and runs that the tests of the segmentation share.

#include <cathoscope/core/random.hpp>
#include <cathoscope/segmentation/segmentation.hpp>
#include <cathoscope/segmentation/workspace.hpp>

#include "test_data.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

namespace test {

using namespace cathoscope;

struct Ball {
  Vec3 centre_um;  ///< z, y, x
  double radius_um;
};

inline double distance(const Vec3& a, const Vec3& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

inline Vec3 centre_of(std::int64_t z, std::int64_t y, std::int64_t x, const Vec3& h) {
  return {(static_cast<double>(z) + 0.5) * h[0], (static_cast<double>(y) + 0.5) * h[1],
          (static_cast<double>(x) + 0.5) * h[2]};
}

/// f(centre in um) at every voxel.
template <class F>
Grid<float> painted(const Index3& shape, const Vec3& h, const F& f) {
  Grid<float> g{array3<float>(shape), h, {0, 0, 0}};
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x) g.values(z, y, x) = static_cast<float>(f(centre_of(z, y, x, h)));
  return g;
}

inline bool in_any(const std::vector<Ball>& balls, const Vec3& p) {
  for (const Ball& b : balls)
    if (distance(b.centre_um, p) <= b.radius_um) return true;
  return false;
}

/// 180 in the balls, 87 outside.
inline Grid<float> balls(const Index3& shape, const Vec3& h, const std::vector<Ball>& list) {
  return painted(shape, h, [&](const Vec3& p) { return in_any(list, p) ? 180.0 : 87.0; });
}

/// Gaussian blur by direct sums, sigma in voxels.
inline Grid<float> blurred(Grid<float> g, double sigma) {
  const Index3 n = g.shape();
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Array3<float> from = g.values;
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[2]; ++x) {
          double sum = 0;
          double weight = 0;
          for (std::int64_t d = -reach; d <= reach; ++d) {
            Index3 p{z, y, x};
            p[axis] += d;
            if (p[axis] < 0 || p[axis] >= n[axis]) continue;
            const double w = std::exp(-0.5 * static_cast<double>(d * d) / (sigma * sigma));
            sum += w * from(p[0], p[1], p[2]);
            weight += w;
          }
          g.values(z, y, x) = static_cast<float>(sum / weight);
        }
  }
  return g;
}

inline Grid<float> with_noise(Grid<float> g, double sd) {
  Stream stream(11, {"noise"});
  for (float& v : g.values) v += static_cast<float>(sd * stream.normal());
  return g;
}

struct Segmented {
  Array3<std::uint32_t> labels;
  Array3<std::uint8_t> cracks;
  std::vector<std::uint64_t> ids;
  std::vector<double> partial;
  std::string source;
  std::vector<std::string> warnings;
  std::string bytes;
  std::map<std::string, double> numbers;

  [[nodiscard]] double number(const std::string& key) const { return numbers.count(key) != 0 ? numbers.at(key) : NAN; }
  [[nodiscard]] std::size_t count() const { return ids.size(); }
  [[nodiscard]] double damage(std::uint32_t label) const {
    double all = 0;
    double crack = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels.data()[i] == label) {
        all += 1;
        crack += cracks.data()[i];
      }
    return crack / all;
  }
  [[nodiscard]] std::uint32_t at(const Index3& v) const { return labels(v[0], v[1], v[2]); }
};

struct How {
  int threads = 1;
  std::optional<Index3> block;
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
};

inline Segmented segmented(const SegmentationConfig& config, const SegmentationInputs& inputs, const How& how = {}) {
  const ScratchDir dir;
  Progress progress;
  auto out = H5File::create(dir / "s.h5");
  segment(config, inputs, out, Context{progress, how.threads, how.memory_bytes}, how.block);
  out.close();
  Segmented s;
  const auto file = H5File::open(dir / "s.h5");
  s.labels = file.grid<std::uint32_t>("/labels").load().values;
  s.cracks = file.grid<std::uint8_t>("/cracks").load().values;
  s.ids = file.read_array<std::uint64_t>("/label_ids");
  s.partial = file.read_array<double>("/damage_partial_volume");
  s.source = file.attribute_text("/", "damage_source").value_or("");
  for (const char* key : {"edge_blur_um", "crack_width_at_half_depth_um", "unresolved_fraction"})
    if (const auto value = file.attribute("/", key)) s.numbers[key] = value->at(0);
  s.warnings = progress.warnings();
  std::ifstream in(dir / "s.h5", std::ios::binary);
  s.bytes.assign(std::istreambuf_iterator<char>(in), {});
  return s;
}

inline SegmentationInputs grey_inputs(Grid<float> g) {
  SegmentationInputs in;
  in.two_dimensional = g.shape()[0] == 1;
  in.grey = source_of(std::move(g));
  return in;
}

/// Workspace in a scratch folder for the tests of single passes.
struct Bench {
  ScratchDir dir;
  Progress progress;
  Context context{progress, 1, std::uint64_t{2} << 30};
  Workspace workspace;

  Bench(const Index3& shape, const Index3& block, int threads = 1, const Vec3& voxel = {1, 1, 1}) {
    context.threads = threads;
    workspace = {shape, voxel, block, dir.path(), &context};
  }
};

template <class T>
ScratchGrid<T> stored(const Workspace& w, const Array3<T>& values) {
  ScratchGrid<T> grid(w);
  grid.write(whole(w.shape), values.data());
  return grid;
}

}  // namespace test
