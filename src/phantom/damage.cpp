/// Planted damage: targets from attributes of whole bodies, cracks until they are met.

#include "cracks.hpp"
#include "damage_score.hpp"
#include "scene.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

namespace cathoscope {

using namespace phantom_detail;

namespace {

struct Moments {
  double mean = 0, sd = 0;
};

Moments moments_of(const std::vector<double>& values, const std::vector<char>& used) {
  double n = 0, sum = 0, square = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (used[i] && std::isfinite(values[i])) {
      ++n;
      sum += values[i];
    }
  const double mean = n > 0 ? sum / n : 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (used[i] && std::isfinite(values[i])) square += (values[i] - mean) * (values[i] - mean);
  return {mean, n > 1 ? std::sqrt(square / (n - 1)) : 0};
}

/// Row of the table for each label 1..n; -1 where there is none.
std::vector<std::int64_t> rows_by_label(const Table& table, std::size_t n) {
  const Column* labels = table.find("label");
  if (labels == nullptr) fail(Exit::internal, "phantom: the table of crack-free attributes has no column 'label'");
  std::vector<std::int64_t> rows(n, -1);
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const auto label = labels->ids.empty() ? static_cast<std::uint64_t>(labels->numbers[r]) : labels->ids[r];
    if (label >= 1 && label <= n) rows[label - 1] = static_cast<std::int64_t>(r);
  }
  return rows;
}

std::vector<char> interior_rows(const Table& table) {
  std::vector<char> used(table.rows(), 1);
  const Column* border = table.find("touches_border");
  if (border == nullptr) return used;
  for (std::size_t r = 0; r < used.size(); ++r)
    used[r] = (border->ids.empty() ? border->numbers[r] : static_cast<double>(border->ids[r])) == 0;
  // A volume so small that every particle is cut: all of them count.
  if (std::count(used.begin(), used.end(), 1) < 3) std::fill(used.begin(), used.end(), 1);
  return used;
}

/// Adds coefficient * standardised attribute to the scores.
void add_term(const PlantTerm& term, const Table& table, const std::vector<std::int64_t>& rows,
              std::vector<double>& scores) {
  const Column* column = table.find(term.attribute);
  if (column == nullptr || column->numbers.empty())
    fail(Exit::config, "phantom: damage is planted on '{}', which the table of crack-free attributes does not have",
         term.attribute);
  const Moments m = moments_of(column->numbers, interior_rows(table));
  if (m.sd <= 0) return;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (rows[i] < 0) continue;
    const double value = column->numbers[static_cast<std::size_t>(rows[i])];
    if (std::isfinite(value)) scores[i] += term.coefficient * clipped_deviation(value, m.mean, m.sd);
  }
}

double cluster_at(const PlantConfig& plant, std::uint64_t seed, const Vec3& p) {
  const double sigma = plant.cluster_range_um / 2;
  return LatticeField(stream_key(seed, {"phantom", "cluster"}), {sigma, sigma, sigma}).at(p);
}

/// Histogram of the onsets of one particle's voxels.
struct Onsets {
  static constexpr std::int64_t per_unit = 1024;  ///< a power of two: bin bounds are exact
  std::vector<std::int64_t> bins = std::vector<std::int64_t>(static_cast<std::size_t>(largest_opening) * per_unit);
  std::int64_t voxels = 0;

  void add(float onset) {
    ++voxels;
    if (static_cast<double>(onset) < largest_opening)
      ++bins[static_cast<std::size_t>(static_cast<double>(onset) * static_cast<double>(per_unit))];
  }
  /// Voxels that are crack at an opening that is a bin's bound.
  [[nodiscard]] std::int64_t cracked(double opening) const {
    std::int64_t sum = 0;
    const auto last = static_cast<std::size_t>(std::min(opening, largest_opening) * static_cast<double>(per_unit));
    for (std::size_t b = 0; b < last; ++b) sum += bins[b];
    return sum;
  }
  /// The opening whose damage is nearest to the target.
  [[nodiscard]] double opening_for(double target) const {
    const double wanted = target * static_cast<double>(voxels);
    double best = wanted;  // distance of opening 0
    std::size_t at = 0;
    std::int64_t sum = 0;
    for (std::size_t b = 0; b < bins.size(); ++b) {
      if (bins[b] == 0) continue;
      sum += bins[b];
      const double distance = std::abs(static_cast<double>(sum) - wanted);
      if (distance < best) {
        best = distance;
        at = b + 1;
      }
      if (static_cast<double>(sum) > wanted) break;
    }
    return static_cast<double>(at) / static_cast<double>(per_unit);
  }
};

Onsets onsets_of(const Phantom& phantom, std::size_t index, double h) {
  Onsets onsets;
  const Box box = box_of(phantom.particles[index], h, shape_at(phantom, h));
  if (box.empty()) return onsets;
  constexpr std::int64_t thickness = 16;
  for (std::int64_t z = box.begin[0]; z < box.end[0]; z += thickness) {
    const View view{{{z, box.begin[1], box.begin[2]}, {std::min(z + thickness, box.end[0]), box.end[1], box.end[2]}},
                    h};
    each_onset(phantom, view, bodies_in(phantom, view), static_cast<std::uint32_t>(index + 1),

               [&](const float* o, std::int64_t n) { std::for_each(o, o + n, [&](float v) { onsets.add(v); }); });
  }
  return onsets;
}

/// Sets the opening of every particle by `choose(particle, onsets)` and records what it gives.
template <class Choose>
void open_cracks(Phantom& phantom, double h, const Context& context, Choose&& choose) {
  // The onsets do not depend on openings: particles may be changed while others are measured.
  std::vector<double> opening(phantom.particles.size());
  context.progress.begin("cracking particles", phantom.particles.size());
  parallel_for(static_cast<std::int64_t>(phantom.particles.size()), context.threads, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    const Onsets onsets = onsets_of(phantom, k, h);
    Particle& particle = phantom.particles[k];
    opening[k] = choose(k, onsets);
    particle.body_voxels = onsets.voxels;
    particle.damage =
        onsets.voxels > 0 ? static_cast<double>(onsets.cracked(opening[k])) / static_cast<double>(onsets.voxels) : 0;
    context.progress.advance();
  });
  for (std::size_t k = 0; k < opening.size(); ++k) phantom.particles[k].opening = opening[k];
}

}  // namespace

std::vector<double> damage_targets(const Phantom& phantom, const Table& table) {
  const PlantConfig& plant = phantom.config.plant;
  const std::size_t n = phantom.particles.size();
  const auto rows = rows_by_label(table, n);
  std::vector<double> scores(n, 0.0);
  for (const PlantTerm& term : plant.terms) add_term(term, table, rows, scores);
  std::vector<double> targets(n);
  for (std::size_t i = 0; i < n; ++i) {
    Stream draw(phantom.seed, {"phantom", "damage"}, i);
    const double noise = draw.normal();
    targets[i] =
        damage_from_score(plant, scores[i], noise, cluster_at(plant, phantom.seed, phantom.particles[i].centre_um));
  }
  return targets;
}

Phantom with_damage(Phantom phantom, const std::vector<double>& targets, double voxel_size_um, const Context& context) {
  if (targets.size() != phantom.particles.size())
    fail(Exit::internal, "phantom: {} damage targets for {} particles", targets.size(), phantom.particles.size());
  open_cracks(phantom, voxel_size_um, context,
              [&](std::size_t k, const Onsets& onsets) { return onsets.opening_for(targets[k]); });
  std::int64_t missed = 0;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    Particle& particle = phantom.particles[k];
    particle.target_damage = targets[k];
    if (std::abs(particle.damage - targets[k]) > 0.005) ++missed;
  }
  if (missed > 0)
    context.progress.warn(
        fmt::format("phantom: {} of {} particles miss their target damage by more than 0.005 (too few "
                    "voxels, or cracks that cannot grow so far)",
                    missed, targets.size()));
  return phantom;
}

Phantom with_natural_damage(Phantom phantom, double voxel_size_um, const Context& context) {
  open_cracks(phantom, voxel_size_um, context,
              [&](std::size_t k, const Onsets&) { return phantom.particles[k].natural_opening; });
  return phantom;
}

}  // namespace cathoscope
