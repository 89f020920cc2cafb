/// Voxels a second of the phantom generator at working resolution (0.18 um), for two sizes: the rate must not fall with
/// size. Every voxel gets grey value, label and crack mask. And the time of the preset `demo`, all outputs.
///     bench_phantom [threads]

#include <cathoscope/phantom/phantom.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace cathoscope;

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Renders block by block and throws the blocks away, as a writer of files would.
void render_all(const Phantom& phantom, double h, const Context& context) {
  const auto tiles = blocks(shape_at(phantom, h), {64, 128, 256});
  parallel_for(static_cast<std::int64_t>(tiles.size()), context.threads, [&](std::int64_t i) {
    const Box& box = tiles[static_cast<std::size_t>(i)];
    const auto n = static_cast<std::size_t>(box.size());
    std::vector<float> g(n);
    std::vector<std::uint32_t> l(n);
    std::vector<std::uint8_t> c(n);
    render_block(phantom, h, box, {g.data(), l.data(), c.data()});
  });
}

void rate(const char* name, const Index3& shape, const Context& context) {
  PhantomConfig config = phantom_preset("paper10");
  config.voxel_size_um = 0.18;
  config.shape = shape;
  double start = seconds();
  Phantom phantom = make_phantom(config, 1, context);
  const double packing = seconds() - start;
  for (Particle& p : phantom.particles) p.opening = p.natural_opening;
  const double cpu = cpu_seconds();
  start = seconds();
  render_all(phantom, 0.18, context);
  const double took = seconds() - start, voxels = static_cast<double>(volume_of(shape));
  std::printf(
      "%-8s %5zu particles packed in %.2f s; %.1f Mvoxel in %.2f s: %.1f Mvoxel/s (%.0f ns of CPU a voxel), peak %.0f "
      "MiB\n",
      name, phantom.particles.size(), packing, voxels * 1e-6, took, voxels * 1e-6 / took,
      (cpu_seconds() - cpu) / voxels * 1e9, peak_mib());
}

void demo(const Context& context) {
  const PhantomConfig config = phantom_preset("demo");
  const double start = seconds(), cpu = cpu_seconds(), h = config.voxel_size_um;
  Phantom phantom = make_phantom(config, 1, context);
  phantom = with_damage(phantom, std::vector<double>(phantom.particles.size(), 0.1), h, context);
  render_all(phantom, h, context);
  const auto fraction = crack_fraction(phantom, h);
  const auto tiles = blocks(fraction.shape, {32, 64, 64});
  parallel_for(static_cast<std::int64_t>(tiles.size()), context.threads,
               [&](std::int64_t i) { (void)fraction.load(tiles[static_cast<std::size_t>(i)]); });
  std::printf("demo     %5zu particles, all outputs but files and attributes: %.2f s (%.2f s of CPU)\n",
              phantom.particles.size(), seconds() - start, cpu_seconds() - cpu);
}

}  // namespace

int main(int argc, char** argv) {
  Progress progress;
  const Context context{progress, resolve_threads(argc > 1 ? std::atoi(argv[1]) : 0)};
  rate("small", {128, 256, 256}, context);
  rate("large", {255, 512, 512}, context);
  demo(context);
}
