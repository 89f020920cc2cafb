/// Cost of each step of the network's route but the network: a predictor that copies its image stands for it.
///
///     bench_fusion [EDGE=256] [THREADS=1] [VIEWS=diagonal9]

#include "segmentation/fused_instances.hpp"
#include "segmentation/native.hpp"

#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace cathoscope;

namespace {

/// Balls of 48 voxels on a lattice: 1 in their middle, 0 at their outlines and outside.
float depth_at(const Index3& v) {
  double squared = 0;
  for (const std::int64_t i : v) squared += std::pow(static_cast<double>(i % 50) - 25, 2);
  return static_cast<float>(std::max(0.0, 1 - std::sqrt(squared) / 24));
}

GridSource<float> balls(std::int64_t edge) {
  GridSource<float> source{{edge, edge, edge}, {0.2, 0.2, 0.2}, {0, 0, 0}, {}};
  source.read = [](const Box& box, float* out) {
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
        for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x) *out++ = depth_at({z, y, x});
  };
  return source;
}

StarFields copied(const StarImage& image, bool) {
  StarFields f{(image.rows + 1) / 2, (image.columns + 1) / 2, 2, {}, {}, {}};
  for (std::int64_t i = 0; i < f.rows; ++i)
    for (std::int64_t j = 0; j < f.columns; ++j)
      f.probability.push_back(image.values[static_cast<std::size_t>(2 * i * image.columns + 2 * j)]);
  f.foreground.reserve(f.probability.size());
  for (const float p : f.probability) f.foreground.push_back(p > 0.02F ? 1.0F : 0.0F);
  return f;
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Lap {
 public:
  explicit Lap(double voxels) : voxels_(voxels) {}
  void operator()(const char* step) {
    const auto now = std::chrono::steady_clock::now();
    const double s = std::chrono::duration<double>(now - begin_).count();
    std::printf("%-24s %8.2f s %10.1f ns a voxel %10.0f MB peak\n", step, s, s / voxels_ * 1e9, peak_mb());
    begin_ = std::chrono::steady_clock::now();
  }

 private:
  double voxels_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t edge = argc > 1 ? std::atoll(argv[1]) : 256;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string views = argc > 3 ? argv[3] : "diagonal9";
  Progress progress;
  const Context context{progress, threads, std::uint64_t{64} << 30};
  const Index3 shape{edge, edge, edge};
  const double start = peak_mb();
  const auto voxels = static_cast<double>(volume_of(shape));
  std::printf("%lld^3 working voxels, %s, %d threads\n", static_cast<long long>(edge), views.c_str(), threads);
  Lap lap(voxels);
  const auto grid = working_grid_of_voxel(shape, {0.2, 0.2, 0.2}, {0, 0, 0}, 0.2);
  WorkingVolume volume = working_volume(balls(edge), std::nullopt, grid, {}, context);
  lap("working volume");
  const FusedFields fields = fused_fields(std::move(volume), copied, {views, {}, false}, context);
  lap("slices, fusion");
  const double held = peak_mb();
  const Workspace w{
      shape, {0.2, 0.2, 0.2}, block_for(shape, context), std::filesystem::temp_directory_path(), &context};
  ScratchGrid<std::uint8_t> mask(w);
  for_each_block(w, "mask", [&](const Box& block) {
    std::vector<float> f(static_cast<std::size_t>(block.size()));
    copy_box(fields.foreground.data(), shape, block, f.data());
    mask.write(block, std::vector<std::uint8_t>(f.begin(), f.end()).data());
  });
  const FieldOfView inside{{}, shape};
  std::uint32_t count = 0;
  const FilledLabels filled = filled_instances(w, {}, inside, mask, [&](const ScratchGrid<std::uint8_t>& m) {
    FusedWatershed found = fused_watershed(w, fields.probability, m, 300, {});
    count = found.basins.count;
    return std::move(found.basins);
  });
  lap("instances");
  native_labels(w, grid, filled.labels, filled.count, fields.foreground, 0.5, inside);
  lap("native labels");
  std::printf("%u particles; working volume and fusion held %.1f bytes a voxel at most\n", count,
              (held - start) * 1048576 / voxels);
  return 0;
}
