#include "kmeans.hpp"

#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr int clusters = 5;
constexpr std::size_t bins = 4096;
constexpr int most_rounds = 200;

struct Extent {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::uint64_t voxels = 0;
};

std::vector<Extent> extents_of(const ComponentFinder::Part& part, const Box& block, const Index3& grid) {
  std::vector<Extent> extents(part.count + 1);
  const auto n = block.shape();
  std::size_t k = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x, ++k) {
        if (part.ids.data()[k] == 0) continue;
        Extent& e = extents[part.ids.data()[k] - part.before];
        e.first =
            std::min(e.first, ((block.begin[0] + z) * grid[1] + block.begin[1] + y) * grid[2] + block.begin[2] + x);
        e.voxels += 1;
      }
  return extents;
}

Array3<std::uint32_t> particle_keys(const Array3<std::uint8_t>& mask) {
  Array3<std::uint32_t> keys = array3<std::uint32_t>(shape_of(mask));
  std::transform(mask.begin(), mask.end(), keys.begin(), [](std::uint8_t v) { return v == 1 ? 1U : 0U; });
  return keys;
}

}  // namespace

std::vector<double> cluster_centres(const Array3<float>& values, int k) {
  const float most = values.size() == 0 ? 0.0F : *std::max_element(values.begin(), values.end());
  std::vector<double> centres(static_cast<std::size_t>(k), 0.0);
  if (!(most > 0)) return centres;
  std::vector<double> counts(bins, 0.0);
  for (const float v : values)
    counts[std::min(bins - 1, static_cast<std::size_t>(std::max(0.0F, v) / most * bins))] += 1;
  for (int i = 0; i < k; ++i) centres[static_cast<std::size_t>(i)] = bins * (i + 0.5) / k;
  for (int round = 0; round < most_rounds; ++round) {
    std::vector<double> sum(centres.size(), 0.0), weight(centres.size(), 0.0);
    std::size_t nearest = 0;
    for (std::size_t b = 0; b < bins; ++b) {
      const double at = static_cast<double>(b) + 0.5;
      while (nearest + 1 < centres.size() && std::abs(at - centres[nearest + 1]) < std::abs(at - centres[nearest]))
        ++nearest;
      sum[nearest] += counts[b] * at;
      weight[nearest] += counts[b];
    }
    bool moved = false;
    for (std::size_t i = 0; i < centres.size(); ++i) {
      const double next = weight[i] > 0 ? sum[i] / weight[i] : centres[i];
      moved = moved || next != centres[i];
      centres[i] = next;
    }
    if (!moved) break;
  }
  for (double& c : centres) c *= double{most} / bins;
  return centres;
}

ScratchGrid<std::uint8_t> clustered_mask(const Workspace& w, const Array3<float>& mean_distance,
                                         const FieldOfView& inside) {
  const auto centres = cluster_centres(mean_distance, clusters);
  const double cut = (centres[0] + centres[1]) / 2;
  ScratchGrid<std::uint8_t> mask(w);
  for_each_block(w, "clusters", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    std::vector<float> distance(values.size());
    copy_box(mean_distance.data(), w.shape, block, distance.data());
    for (std::size_t i = 0; i < values.size(); ++i)
      values.data()[i] = values.data()[i] == 0 ? 2 : double{distance[i]} > cut ? 1 : 0;
    mask.write(block, values.data());
  });
  return mask;
}

Watershed connected_instances(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, std::uint64_t least_voxels) {
  ComponentFinder finder(w, Neighbours::all);
  Tally<Extent> tally;
  for_each_block(w, "connected particles", [&](const Box& block) {
    const auto part = finder.add(block, particle_keys(mask.padded(block, 0)));
    tally.add(part, extents_of(part, block, w.shape));
  });
  Components found =
      finder.finish("connected particles", [&](const Box& box) { return particle_keys(mask.padded(box, 0)); });
  auto extents = tally.take(found.component_of.size());
  std::vector<std::uint32_t> kept;
  for (std::uint32_t id = 1; id < extents.size(); ++id) {
    Extent& root = extents[found.component_of[id]];
    if (&root == &extents[id]) continue;
    root.first = std::min(root.first, extents[id].first);
    root.voxels += extents[id].voxels;
  }
  for (std::uint32_t id = 1; id < extents.size(); ++id)
    if (found.component_of[id] == id && extents[id].voxels >= least_voxels) kept.push_back(id);
  std::sort(kept.begin(), kept.end(), [&](auto a, auto b) { return extents[a].first < extents[b].first; });
  std::vector<std::uint32_t> label_of(extents.size(), 0);
  for (std::uint32_t i = 0; i < kept.size(); ++i) label_of[kept[i]] = i + 1;
  for (std::uint32_t id = 1; id < extents.size(); ++id) label_of[id] = label_of[found.component_of[id]];
  return {found.ids, std::move(label_of), static_cast<std::uint32_t>(kept.size())};
}

}  // namespace cathoscope
