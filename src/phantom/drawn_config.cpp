#include "drawn_config.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

#include <cmath>
#include <type_traits>
#include <utility>

namespace cathoscope::phantom_detail {

namespace {

/// Takes the place of the configuration reader's list of problems where a configuration was made in code: the first one
/// is thrown.
struct FirstProblem {
  std::string prefix;
  void add(std::string_view key, const std::string& message) const {
    fail(Exit::config, "phantom: {}{}: {}", prefix, key, message);
  }
};

/// Visits the structs of a configuration: bounds of intervals, and each struct's own `check`.
struct ConfigCheck {
  std::string prefix;

  template <class T>
  void operator()(const char* key, T& value, const char*, const Rule& rule = {}) {
    if constexpr (std::is_same_v<T, double>) {
      in_bounds(key, value, rule);
    } else if constexpr (std::is_same_v<T, Interval>) {
      for (const double v : value) in_bounds(key, v, rule);
    } else if constexpr (std::is_same_v<T, std::vector<PlantTerm>>) {
      for (PlantTerm& term : value) inside(key, term);
    } else if constexpr (std::is_class_v<T> && requires(ConfigCheck& c, T& t) { fields(c, t); }) {
      inside(key, value);
    }
  }

 private:
  void in_bounds(const char* key, double v, const Rule& rule) const {
    const bool low = v < rule.low || (rule.low_open && v == rule.low),
               high = v > rule.high || (rule.high_open && v == rule.high);
    if (!std::isfinite(v) || low || high) fail(Exit::config, "phantom: {}{}: {} is not allowed", prefix, key, v);
  }
  template <class T>
  void inside(const char* key, T& value) const {
    ConfigCheck inner{prefix + key + "."};
    const FirstProblem problems{inner.prefix};
    fields(inner, value);
    check(problems, std::as_const(value));
  }
};

void draw(Interval& interval, Stream& stream) {
  const double value = stream.uniform(interval[0], interval[1]);
  interval = {value, value};
}

/// With probability `share` the effect is there and its strength is drawn; the share becomes 1 or 0.
void draw_effect(double& share, Interval& strength, Stream& stream) {
  const bool there = stream.uniform() < share;
  draw(strength, stream);
  if (!there) strength = {0, 0};
  share = there ? 1 : 0;
}

}  // namespace

void check_config(const PhantomConfig& config) {
  PhantomConfig copy = config;
  ConfigCheck visitor;
  fields(visitor, copy);
  for (const std::int64_t n : config.shape)
    if (n < 1) fail(Exit::config, "phantom: shape: {} voxels along an axis; at least 1", n);
}

PhantomConfig drawn_config(const PhantomConfig& config, std::uint64_t seed) {
  PhantomConfig c = config;
  Stream stream(seed, {"phantom", "volume"});
  for (Interval* interval :
       {&c.packing.fraction, &c.sizes.median_um, &c.form.roughness_um, &c.form.roughness_correlation_um,
        &c.cracks.severe_share, &c.grey.particle, &c.grey.void_level, &c.grey.matrix, &c.optics.blur_um, &c.noise.sd,
        &c.noise.anisotropy, &c.noise.white, &c.noise.low_sd, &c.noise.low_range, &c.noise.streak_sd})
    draw(*interval, stream);
  draw_effect(c.optics.fringe_share, c.optics.fringe, stream);
  draw_effect(c.noise.ring_share, c.noise.ring_sd, stream);
  draw_effect(c.artefacts.contrast_share, c.artefacts.contrast_loss, stream);
  Interval none{0, 0};
  draw_effect(c.artefacts.padding_share, none, stream);
  draw_effect(c.artefacts.jpeg_share, c.artefacts.jpeg_quality, stream);
  return c;
}

}  // namespace cathoscope::phantom_detail
