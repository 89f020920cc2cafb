#include "phantom_stock.hpp"

#include <cathoscope/phantom/phantom.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace cathoscope {

namespace {

Interval around(double value) { return {value, value}; }

/// Scale: particles of 0.7 to 1.35 times the canonical size. A voxel follows from that.
void vary_scale(PhantomConfig& c, Stream& draw) {
  const double median = draw.uniform(c.sizes.median_um[0], c.sizes.median_um[1]);
  const double scale = std::exp(draw.uniform(std::log(0.7), std::log(1.35)));
  c.sizes.median_um = around(median);
  c.voxel_size_um = median / (sample_diameter_px * scale);
}

/// Electrodes: loose to calendered, nearly monodisperse to broad, round to lumpy.
void vary_electrode(PhantomConfig& c, Stream& draw) {
  c.packing.fraction = around(draw.uniform(0.30, 0.58));
  c.packing.shrink = draw.uniform(0.96, 1.04);
  c.packing.margin_um = 5;
  c.packing.foil_gap_um = {0, draw.uniform(0.5, 5)};
  c.packing.patchiness = draw.uniform(0, 0.6);
  c.sizes.spread = draw.uniform(0.10, 0.30);
  c.sizes.fragment_share = draw.uniform(0.03, 0.30);
  c.form.axis_spread = draw.uniform(0.04, 0.20);
  c.form.harmonics = draw.uniform(0.03, 0.10);
  c.form.roughness_um = {0.03, 0.18};
  c.cracks.severe_share = {0, 0.8};
  c.cracks.void_share = draw.uniform(0.2, 0.95);
  c.cracks.void_radius = {0.05, draw.uniform(0.25, 0.48)};
  c.cracks.pulverised_share = draw.uniform(0, 0.15);
}

/// Grey levels: only their order is common to all scans.
void vary_greys(PhantomConfig& c, Stream& draw) {
  GreyConfig& g = c.grey;
  const double matrix = draw.uniform(70, 115), contrast = draw.uniform(55, 115);
  g.matrix = around(matrix);
  g.particle = around(matrix + contrast);
  g.particle_spread = draw.uniform(2, 14);
  g.void_level = around(matrix - draw.uniform(-0.1, 0.45) * contrast);
  g.void_spread = draw.uniform(2, 10);
  g.texture_fine = draw.uniform(3, 14);
  g.texture_coarse = draw.uniform(3, 14);
  g.pore_depth = draw.uniform(5, 45);
  g.debris_height = draw.uniform(20, 80);
  g.debris_threshold = draw.uniform(2.0, 3.0);
  g.above_level = matrix + draw.uniform(-25, 30);
  g.below_level = matrix + draw.uniform(-25, 30);
  g.seam_um = draw.uniform(0.0, 0.2);
}

/// Sharpness, noise and artefacts: better and worse scans than the preset's. Lengths that belong to the detector scale
/// with the voxel, because a scan may have been reduced before.
void vary_scan(PhantomConfig& c, Stream& draw) {
  const double h = c.voxel_size_um;
  c.optics.blur_um = around(h * draw.uniform(0.35, 1.4));
  c.optics.fringe_share = 0.4;
  c.optics.fringe_um = h * draw.uniform(1.2, 3);
  NoiseConfig& n = c.noise;
  n.sd = around(2 + 17 * std::pow(draw.uniform(), 1.6));
  n.sigma = h * draw.uniform(0.5, 1.4);
  n.white = {0, 7};
  n.low_sd = {2, 14};
  n.streak_sd = {0, 11};
  n.streak_length = h * draw.uniform(6, 20);
  n.streak_width = h * draw.uniform(0.6, 1.5);
  n.streak_angles = {draw.uniform(-30, 30), draw.uniform(-30, 30)};
  n.ring_share = 0.25;
  n.ring_sd = {0, 9};
  c.artefacts.contrast_share = 0.4;
  c.artefacts.contrast_loss = {0.2, 0.75};
  c.artefacts.padding_share = 0.2;
  c.artefacts.padding_grey = draw.uniform(0, 120);
  c.artefacts.jpeg_share = 0.35;
  c.artefacts.jpeg_quality = {40, 95};
}

/// As X-ray microscopes give: soft, smooth, every size of particle, cracks hardly darker than their surroundings.
void soften(PhantomConfig& c, Stream& draw) {
  c.optics.blur_um = around(c.voxel_size_um * draw.uniform(1.5, 2.8));
  c.optics.fringe_share = 0.7;
  c.optics.fringe_um = c.voxel_size_um * draw.uniform(3, 7);
  c.optics.fringe = {0.2, 0.9};
  c.noise.sd = around(draw.uniform(0.5, 5));
  c.noise.sigma = c.voxel_size_um * draw.uniform(1, 2);
  c.noise.white = {0, 1};
  c.noise.low_sd = {4, 18};
  c.sizes.spread = draw.uniform(0.25, 0.45);
  c.sizes.largest_factor = 2.2;
  c.sizes.fragment_share = draw.uniform(0.2, 0.5);
  c.grey.void_level = around(c.grey.matrix[0] + draw.uniform(-0.2, 0.4) * (c.grey.particle[0] - c.grey.matrix[0]));
  c.artefacts.jpeg_share = 0;
}

}  // namespace

PhantomConfig training_phantom(const TrainingPhantomConfig& config, std::uint64_t volume) {
  PhantomConfig c = phantom_preset(config.preset);
  if (!config.vary) return c;
  Stream draw(config.seed, {"training", "phantom"}, volume);
  vary_scale(c, draw);
  vary_electrode(c, draw);
  vary_greys(c, draw);
  vary_scan(c, draw);
  if (draw.uniform() < 0.2) soften(c, draw);
  return c;
}

namespace training_detail {

namespace {

/// Values at two percentiles, interpolated.
std::array<double, 2> percentiles(std::vector<float> values, double low, double high) {
  const auto at = [&](double percent) {
    const double rank = percent / 100 * static_cast<double>(values.size() - 1);
    const auto k = static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), values.begin() + k, values.end());
    const double value = values[static_cast<std::size_t>(k)];
    if (static_cast<std::size_t>(k) + 1 == values.size()) return value;
    const double next = *std::min_element(values.begin() + k + 1, values.end());
    return value + (rank - static_cast<double>(k)) * (next - value);
  };
  return {at(low), at(high)};
}

/// The round field of view of a phantom: a cylinder about the y axis.
std::vector<char> inside_view(const Phantom& p, const Index3& shape, double h) {
  std::vector<char> inside(static_cast<std::size_t>(shape[0] * shape[2]), 1);
  if (p.config.artefacts.padding_share < 1) return inside;
  const double radius = p.config.artefacts.padding_radius * p.extent_um[2];
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t x = 0; x < shape[2]; ++x) {
      const double dz = (static_cast<double>(z) + 0.5) * h - p.extent_um[0] / 2;
      const double dx = (static_cast<double>(x) + 0.5) * h - p.extent_um[2] / 2;
      inside[static_cast<std::size_t>(z * shape[2] + x)] = dz * dz + dx * dx <= radius * radius ? 1 : 0;
    }
  return inside;
}

/// Clears labels outside the field of view and returns the greys inside, clamped as a file of bytes would.
std::vector<float> greys_inside(LabelledVolume& v, const std::vector<char>& inside) {
  std::vector<float> greys;
  greys.reserve(v.grey.size());
  std::size_t i = 0;
  for (std::int64_t z = 0; z < v.shape[0]; ++z)
    for (std::int64_t y = 0; y < v.shape[1]; ++y)
      for (std::int64_t x = 0; x < v.shape[2]; ++x, ++i) {
        v.grey[i] = std::clamp(v.grey[i], 0.0F, 255.0F);
        if (inside[static_cast<std::size_t>(z * v.shape[2] + x)] != 0)
          greys.push_back(v.grey[i]);
        else
          v.labels[i] = 0;
      }
  return greys;
}

}  // namespace

LabelledVolume rendered(const PhantomConfig& config, std::uint64_t seed) {
  Progress progress;
  const Context context{progress, 1};
  Phantom phantom = make_phantom(config, seed, context);
  for (Particle& p : phantom.particles) p.opening = p.natural_opening;
  const double h = config.voxel_size_um;
  LabelledVolume v;
  v.shape = shape_at(phantom, h);
  v.grey.resize(static_cast<std::size_t>(volume_of(v.shape)));
  v.labels.resize(v.grey.size());
  render_block(phantom, h, whole(v.shape), {v.grey.data(), v.labels.data(), nullptr});
  auto greys = greys_inside(v, inside_view(phantom, v.shape, h));
  if (greys.empty()) greys = v.grey;
  const auto levels = percentiles(std::move(greys), 1, 99.8);
  const auto low = static_cast<float>(levels[0]);
  const auto scale = static_cast<float>(1 / std::max(1e-6, levels[1] - levels[0]));
  for (float& g : v.grey) g = (g - low) * scale;
  return v;
}

PhantomStock::Volume PhantomStock::make(std::uint64_t volume) const {
  return std::make_shared<const LabelledVolume>(
      rendered(training_phantom(config_, volume), stream_key(config_.seed, {"training", "volume"}, volume)));
}

void PhantomStock::make_room() {
  while (entries_.size() > capacity_) {
    auto oldest = entries_.end();
    for (auto e = entries_.begin(); e != entries_.end(); ++e) {
      const bool ready = e->second.made.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      if (ready && (oldest == entries_.end() || e->second.used < oldest->second.used)) oldest = e;
    }
    if (oldest == entries_.end()) return;
    entries_.erase(oldest);
  }
}

PhantomStock::Volume PhantomStock::get(std::uint64_t volume) {
  std::packaged_task<Volume()> task([this, volume] { return make(volume); });
  std::shared_future<Volume> made;
  bool mine = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(volume);
    mine = found == entries_.end();
    Entry& entry = mine ? entries_[volume] : found->second;
    if (mine) entry.made = task.get_future().share();
    entry.used = ++calls_;
    made = entry.made;
    if (mine) make_room();
  }
  if (mine) task();
  return made.get();
}

void PhantomStock::prepare(std::uint64_t volume) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (entries_.count(volume) != 0) return;
  Entry& entry = entries_[volume];
  entry.used = ++calls_;
  entry.made = std::async(std::launch::async, [this, volume] { return make(volume); }).share();
  make_room();
}

}  // namespace training_detail

}  // namespace cathoscope
