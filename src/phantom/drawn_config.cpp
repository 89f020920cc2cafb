#include "drawn_config.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/table.hpp>

#include <cmath>
#include <type_traits>

namespace cathoscope::phantom_detail {

namespace {

/// Looks at every interval of the configuration with its dotted key.
struct IntervalCheck {
  std::string prefix;

  template <class T>
  void operator()(const char* key, T& value, const char*, const Rule& rule = {}) {
    if constexpr (std::is_same_v<T, Interval>) {
      // Two angles, not a range: either may be the larger.
      if (std::string(key) == "streak_angles") return;
      for (const double v : value)
        if (!std::isfinite(v) || v < rule.low || v > rule.high || (rule.low_open && v == rule.low))
          fail(Exit::config, "phantom: {}{} has the value {}, which is not allowed", prefix, key, v);
      if (value[0] > value[1])
        fail(Exit::config, "phantom: {}{} is [{}, {}]; the first number must not be above the second", prefix, key,
             value[0], value[1]);
    } else if constexpr (std::is_class_v<T> && requires(T& t) { fields(*this, t); }) {
      IntervalCheck inner{prefix + key + "."};
      fields(inner, value);
    }
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
  IntervalCheck check;
  fields(check, copy);
  for (const PlantTerm& term : config.plant.terms) {
    const std::size_t i = attribute_index(term.attribute);
    if (i == attribute_list.size())
      fail(Exit::config, "phantom: plant.terms names '{}', which is none of the 24 attributes", term.attribute);
    if (term.attribute == "Damage" || term.attribute == "SurfInner" || term.attribute == "RoughInner")
      fail(Exit::config, "phantom: plant.terms names '{}', which a crack-free body does not have", term.attribute);
  }
  if (config.plant.planted && config.plant.terms.empty() && config.plant.noise <= 0 &&
      config.plant.cluster_amplitude <= 0)
    fail(Exit::config, "phantom: plant.planted needs a term, noise or cluster_amplitude");
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
