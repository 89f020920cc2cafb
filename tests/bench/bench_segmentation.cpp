/// Speed and memory of the whole segmentation on a grey volume of packed balls.
///
///     bench_segmentation [EDGE=512] [THREADS=1] [MEMORY_GIB=2] [BLOCK]

#include <cathoscope/core/random.hpp>
#include <cathoscope/segmentation/segmentation.hpp>

#include <sys/resource.h>

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

/// Writes the volume to a file first: the stage reads it more than once, as it would a user's.
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

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Bytes that system calls have read, from the disk or from the system's cache of it.
double bytes_read(const std::string& wanted = "rchar:") {
  std::ifstream io("/proc/self/io");
  std::string key;
  double value = 0;
  while (io >> key >> value)
    if (key == wanted) return value;
  return 0;
}

/// What has been spent since `start`.
struct Cost {
  double wall = 0, cpu = 0, read = 0;

  static Cost now() {
    const auto t = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration<double>(t).count(), cpu_seconds(), bytes_read()};
  }
  [[nodiscard]] Cost since(const Cost& start) const { return {wall - start.wall, cpu - start.cpu, read - start.read}; }
};

void print(const std::string& name, const Cost& c, double voxels) {
  std::printf("  %-28s %8.2f s wall %8.2f s CPU %7.1f bytes read per voxel\n", name.c_str(), c.wall, c.cpu,
              c.read / voxels);
  std::fflush(stdout);
}

/// FNV-1a of a file: tells whether two builds write the same bytes.
std::uint64_t digest(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t h = 14695981039346656037u;
  for (std::vector<char> part(1 << 20);
       file.read(part.data(), static_cast<std::streamsize>(part.size())), file.gcount() > 0;)
    for (std::int64_t i = 0; i < file.gcount(); ++i)
      h = (h ^ static_cast<unsigned char>(part[static_cast<std::size_t>(i)])) * 1099511628211u;
  return h;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t edge = argc > 1 ? std::atoll(argv[1]) : 512;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const double gib = argc > 3 ? std::atof(argv[3]) : 2;
  std::optional<Index3> block;
  if (argc > 4) block = Index3{std::atoll(argv[4]), std::atoll(argv[4]), std::atoll(argv[4])};
  const auto folder = std::filesystem::temp_directory_path();
  const auto input = folder / ("bench_segmentation_" + std::to_string(edge) + ".h5");
  if (!std::filesystem::exists(input)) write_volume(input, edge);
  const auto voxels = static_cast<double>(edge * edge * edge);
  std::string task;
  Cost task_start;
  ProgressListener listener;
  listener.on_progress = [&](const std::string& name, double fraction) {
    if (fraction != 0) return;
    const Cost now = Cost::now();
    if (!task.empty()) print(task, now.since(task_start), voxels);
    task = name;
    task_start = now;
  };
  Progress progress(listener);
  SegmentationInputs inputs;
  inputs.grey = H5File::open(input).grid<float>("/volume");
  const auto output = folder / ("bench_segmentation_out_" + std::to_string(edge) + ".h5");
  auto out = H5File::create(output);
  const Cost start = Cost::now();
  segment({}, inputs, out, Context{progress, threads, static_cast<std::uint64_t>(gib * 1073741824.0)}, block);
  out.close();
  print(task, Cost::now().since(task_start), voxels);
  const Cost all = Cost::now().since(start);
  print("all", all, voxels);
  std::printf("  from the disk itself: %.1f bytes read per voxel\n", bytes_read("read_bytes:") / voxels);
  const auto particles = H5File::open(output).attribute("/", "particles").value();
  std::printf("%lld^3, %d threads: %.2f Mvoxel/s (%.2f per CPU second), %.0f particles, %s, file %016llx\n",
              static_cast<long long>(edge), threads, voxels / all.wall / 1e6, voxels / all.cpu / 1e6, particles[0],
              status_line("VmHWM").c_str(), static_cast<unsigned long long>(digest(output)));
  std::filesystem::remove(output);
  return 0;
}
