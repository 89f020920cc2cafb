#include <cathoscope/pipeline/pipeline.hpp>

#include <cathoscope/segmentation/working.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

constexpr double mebi = 1 << 20;
constexpr double program = 110 * mebi;      // code, libraries, small things
constexpr double chunk_edge = 64;           // of the grids that stages write
constexpr double chunk_cache = 128 * mebi;  // at most, for one grid

// Of the segmentation, a voxel: labels and masks of 8 bytes compress more than 20-fold; 3.1 bytes of compressed scratch files
// were measured for the watershed of a noisy electrode, 2.2 for the network's route.
constexpr double written_bytes = 8.0 / 20;
constexpr double scratch_bytes = 4.0;

double voxels_of(const ElectrodeInputs& in) { return static_cast<double>(volume_of(in.shape)); }

/// A layer of chunks across the volume, as it is read and as it is written, and the library's cache of it.
double volume_memory(const ElectrodeInputs& in) {
  const double plane = static_cast<double>(in.shape[1]) * static_cast<double>(in.shape[2]);
  const double layer = std::min<double>(chunk_edge, static_cast<double>(in.shape[0])) * plane *
                       static_cast<double>(in.volume ? size_of(in.volume->type) : 1);
  return program + 2 * layer + std::min(layer, chunk_cache);
}

/// Blocks of every thread, and tables of basins, which grow with the voxels (0.25 bytes a voxel for a clean volume, 0.7 for
/// one with pores in every particle were measured).
double watershed_memory(const ElectrodeInputs& in, int threads) {
  return program + 30 * mebi * threads + 0.4 * voxels_of(in);
}

/// Working voxels at the native size where the particles' diameter is not given: more there cannot be.
double network_memory(const Config& config, const ElectrodeInputs& in, double budget, int threads) {
  Vec3 voxel = in.binned_um;
  if (in.shape[0] == 1) voxel[0] = voxel[1];
  const double diameter =
      config.segmentation.particle_diameter_um.value_or(std::min(voxel[1], voxel[2]) * canonical_diameter);
  const double working = static_cast<double>(volume_of(working_grid(in.shape, voxel, {0, 0, 0}, diameter).shape));
  const double network = std::min(budget, program + 22 * working + 60 * mebi * threads);
  return std::max(network, watershed_memory(in, threads));
}

/// Caches of the grids that are read, boxes of particles, and what a slab holds.
double attributes_memory(const ElectrodeInputs& in, double budget) {
  return program + std::min(voxels_of(in) * 9, budget / 3) + std::min(voxels_of(in) * 16, budget / 4);
}

void take_larger(std::vector<StageMemory>& stages, std::size_t i, double bytes) {
  stages[i].bytes = std::max(stages[i].bytes, bytes);
}

}  // namespace

Estimate estimate(const Config& config, const std::vector<ElectrodeInputs>& inputs,
                  const std::vector<std::string>& selected, std::uint64_t memory_budget, int threads) {
  const auto budget = static_cast<double>(memory_budget);
  Estimate e;
  double scratch = 0;
  std::vector<StageMemory> stages{{"volume"}, {"segmentation"}, {"attributes"}};
  for (const auto& in : inputs) {
    if (in.table) {
      e.memory_bytes = std::max(e.memory_bytes, program + 32.0 * static_cast<double>(in.table->rows() * 24));
      continue;
    }
    if (in.volume && has_stage(selected, "volume"))
      e.disk_bytes += voxels_of(in) * static_cast<double>(size_of(in.volume->type));
    if (has_stage(selected, "segmentation")) {
      e.disk_bytes += voxels_of(in) * written_bytes;
      scratch = std::max(scratch, voxels_of(in) * scratch_bytes);
    }
    const bool network = config.segmentation.method == "network" && !in.labels;
    if (in.volume) take_larger(stages, 0, volume_memory(in));
    take_larger(stages, 1, network ? network_memory(config, in, budget, threads) : watershed_memory(in, threads));
    take_larger(stages, 2, attributes_memory(in, budget));
  }
  e.disk_bytes += scratch;
  for (auto& s : stages) {
    if (s.bytes == 0) continue;
    e.memory_bytes = std::max(e.memory_bytes, s.bytes);
    e.stages.push_back(std::move(s));
  }
  return e;
}

}  // namespace cathoscope
