/// Speed and memory of the whole segmentation on a grey volume of packed balls.
///
///     bench_segmentation [EDGE=512] [THREADS=1] [MEMORY_GIB=2]

#include <cathoscope/core/random.hpp>
#include <cathoscope/segmentation/segmentation.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace cathoscope;

namespace {

constexpr double pitch = 48;  // voxels between the centres of neighbouring balls

/// A ball in every cell of a lattice, shifted and sized at random so that many touch; blurred edge, noise, a void.
float grey_at(std::int64_t z, std::int64_t y, std::int64_t x) {
  const Vec3 p{static_cast<double>(z), static_cast<double>(y), static_cast<double>(x)};
  Index3 cell{};
  for (std::size_t i = 0; i < 3; ++i) cell[i] = static_cast<std::int64_t>(p[i] / pitch);
  const auto words = philox4x32({static_cast<std::uint32_t>(cell[0]), static_cast<std::uint32_t>(cell[1]),
                                 static_cast<std::uint32_t>(cell[2]), 0},
                                {1, 2});
  Vec3 d{};
  for (std::size_t i = 0; i < 3; ++i)
    d[i] =
        p[i] - (static_cast<double>(cell[i]) + 0.5) * pitch - 3 * (static_cast<double>(words[i]) / 4294967296.0 - 0.5);
  const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  const double radius = 21 + 4 * static_cast<double>(words[3]) / 4294967296.0;
  const std::uint64_t h =
      (static_cast<std::uint64_t>((z * 73856093) ^ (y * 19349663) ^ (x * 83492791)) * 0x9E3779B97F4A7C15u) >> 40;
  const double noise = 20 * (static_cast<double>(h) / 16777216.0 - 0.5);
  const double solid = 87 + 93 / (1 + std::exp(r - radius));
  return static_cast<float>((r < 5 ? 62 : solid) + noise);
}

GridSource<float> packed_balls(std::int64_t edge) {
  GridSource<float> source{{edge, edge, edge}, {0.1, 0.1, 0.1}, {0, 0, 0}, {}};
  source.read = [](const Box& box, float* out) {
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
        for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x) *out++ = grey_at(z, y, x);
  };
  return source;
}

/// Writes the volume to a file first: the stage reads it several times, as it would a user's.
void write_volume(const std::filesystem::path& path, std::int64_t edge) {
  const auto source = packed_balls(edge);
  auto file = H5File::create(path);
  auto sink =
      file.create_grid<std::uint8_t>("/volume", source.shape, source.voxel_size_um, {0, 0, 0}, Storage::checked);
  for (const Box& slab : slabs(source.shape, 64)) {
    std::vector<std::uint8_t> part(static_cast<std::size_t>(slab.size()));
    const auto values = source.load(slab);
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<std::uint8_t>(values.data()[i]);
    sink.write(slab, part.data());
  }
  file.close();
}

std::string status_line(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return line;
  return {};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t edge = argc > 1 ? std::atoll(argv[1]) : 512;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const double gib = argc > 3 ? std::atof(argv[3]) : 2;
  const auto folder = std::filesystem::temp_directory_path();
  const auto input = folder / ("bench_segmentation_" + std::to_string(edge) + ".h5");
  if (!std::filesystem::exists(input)) write_volume(input, edge);
  std::string task;
  auto task_start = std::chrono::steady_clock::now();
  ProgressListener listener;
  listener.on_progress = [&](const std::string& name, double fraction) {
    if (fraction != 0) return;
    if (!task.empty()) std::printf("  %-28s %8.2f s\n", task.c_str(), seconds_since(task_start));
    task = name;
    task_start = std::chrono::steady_clock::now();
  };
  Progress progress(listener);
  SegmentationInputs inputs;
  inputs.grey = H5File::open(input).grid<float>("/volume");
  const auto output = folder / ("bench_segmentation_out_" + std::to_string(edge) + ".h5");
  auto out = H5File::create(output);
  const auto start = std::chrono::steady_clock::now();
  segment({}, inputs, out, Context{progress, threads, static_cast<std::uint64_t>(gib * 1073741824.0)});
  out.close();
  const double seconds = seconds_since(start);
  const auto particles = H5File::open(output).attribute("/", "particles").value();
  std::printf("%lld^3, %d threads: %.1f s, %.2f Mvoxel/s, %.0f particles, %s\n", static_cast<long long>(edge), threads,
              seconds, static_cast<double>(edge * edge * edge) / seconds / 1e6, particles[0],
              status_line("VmHWM").c_str());
  std::filesystem::remove(output);
  return 0;
}
