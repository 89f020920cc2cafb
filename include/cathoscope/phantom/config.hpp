#pragma once
/// Every knob of a synthetic electrode. An `Interval` is drawn once a volume (equal bounds = a fixed value); where the
/// text says "each particle" it is the range of the particles' own values. Lengths in um, grey values in 8-bit units.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/table.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cathoscope {

using Interval = std::array<double, 2>;  ///< low, high

namespace phantom_detail {

/// Reports every interval of a struct whose low end is above its high end.
template <class Problems>
struct IntervalCheck {
  Problems& problems;

  template <class T>
  void operator()(const char* key, T& value, const char*, const Rule& = {}) {
    // The angles of streaks are those at two places, not a range.
    if constexpr (std::is_same_v<T, Interval>)
      if (value[0] > value[1] && std::string_view(key) != "streak_angles")
        problems.add(key, "the first number must not be above the second");
  }
};

template <class Problems, class Config>
void check_intervals(Problems& problems, Config config) {
  IntervalCheck<Problems> visitor{problems};
  fields(visitor, config);
}

}  // namespace phantom_detail

/// `packing`
struct PackingConfig {
  Interval foil_gap_um{0, 3};
  double margin_um = 8;
  Interval fraction{0.44, 0.56};
  std::int64_t sweeps = 400;
  double shrink = 0.985;
  double depth_gradient = 0;
  double patchiness = 0;
  double patch_range_um = 25;
};

template <class V>
void fields(V& v, PackingConfig& c) {
  v("foil_gap_um", c.foil_gap_um, "empty layer between each face of the volume and the electrode", at_least(0));
  v("margin_um", c.margin_um, "particles are packed this far beyond the sides, so that the sides are cuts",
    at_least(0));
  v("fraction", c.fraction, "volume of particles over volume of electrode", between(0.01, 0.62));
  v("sweeps", c.sweeps, "sweeps of overlap removal", between(1, 100000));
  v("shrink", c.shrink, "two particles are pushed apart to this share of the sum of their radii; below 1 they touch",
    between(0.8, 1.2));
  v("depth_gradient", c.depth_gradient, "relative excess of particles at the high end of the depth over the low end",
    between(-1, 1));
  v("patchiness", c.patchiness, "how unevenly particles are packed from place to place; 0 = evenly", between(0, 1));
  v("patch_range_um", c.patch_range_um, "size of the dense and the loose places", above(0));
}

/// `sizes`
struct SizeConfig {
  Interval median_um{7.5, 10.5};
  double spread = 0.17;
  double fragment_share = 0.12;
  Interval fragment_um{2, 6};
  double smallest_um = 1.8;
  double largest_factor = 1.7;
};

template <class V>
void fields(V& v, SizeConfig& c) {
  v("median_um", c.median_um, "median diameter", above(0));
  v("spread", c.spread, "standard deviation of the diameter over its median", between(0, 1));
  v("fragment_share", c.fragment_share, "share of fragments among the particles", between(0, 1));
  v("fragment_um", c.fragment_um, "diameter of each fragment", above(0));
  v("smallest_um", c.smallest_um, "no diameter is below this", above(0));
  v("largest_factor", c.largest_factor, "no diameter is above the median times this", at_least(1));
}

/// `form`
struct FormConfig {
  double axis_spread = 0.10;
  double axis_spread_fragments = 0.18;
  double harmonics = 0.085;
  std::int64_t degree = 8;
  double harmonics_spread = 0.3;
  Interval roughness_um{0.10, 0.22};
  Interval roughness_correlation_um{0.1, 0.6};
  double grain_relief_um = 0.09;
  double alignment = 0;
  double alignment_range_um = 30;
};

template <class V>
void fields(V& v, FormConfig& c) {
  v("axis_spread", c.axis_spread, "standard deviation of the logarithm of the three axes", between(0, 1));
  v("axis_spread_fragments", c.axis_spread_fragments, "the same for fragments", between(0, 1));
  v("harmonics", c.harmonics, "amplitude of the waves on the surface over the radius; degree l has this over l",
    between(0, 0.3));
  v("degree", c.degree, "highest degree of the waves", between(2, 8));
  v("harmonics_spread", c.harmonics_spread, "standard deviation of the logarithm of that amplitude between particles",
    between(0, 1));
  v("roughness_um", c.roughness_um, "standard deviation of the fine roughness", at_least(0));
  v("roughness_correlation_um", c.roughness_correlation_um, "its correlation length", above(0));
  v("grain_relief_um", c.grain_relief_um, "standard deviation of how far grains stand out of the surface", at_least(0));
  v("alignment", c.alignment, "alignment of the long axes with a director that turns from place to place; 0 = none",
    between(0, 1));
  v("alignment_range_um", c.alignment_range_um, "distance over which the director and its strength change", above(0));
}

/// `cracks`: which cracks a particle has and in which order they open.
struct CrackConfig {
  Interval severe_share{0.1, 0.7};
  double void_share = 0.7;
  Interval void_radius{0.06, 0.30};
  double void_from_radius_um = 2.5;
  double radial_mild = 2;
  double radial_severe = 7;
  Interval width_um{0.06, 0.35};
  Interval inner{0, 0.5};
  Interval outer{0.6, 1.05};
  Interval outer_severe{0.8, 1.2};
  double wobble_um = 0.35;
  double pinch = 0.6;
  double grain_share = 0.5;
  Interval grains{8, 30};
  Interval grain_width_um{0.15, 0.4};
  Interval grain_depth{0.4, 0.9};
  double pulverised_share = 0.08;
};

template <class V>
void fields(V& v, CrackConfig& c) {
  v("severe_share", c.severe_share, "share of severely damaged particles", between(0, 1));
  v("void_share", c.void_share, "share of particles with a hollow core", between(0, 1));
  v("void_radius", c.void_radius, "radius of each core over that of its particle", between(0, 0.6));
  v("void_from_radius_um", c.void_from_radius_um, "smaller particles have no core", at_least(0));
  v("radial_mild", c.radial_mild, "mean number of radial cracks of a particle", between(0, 20));
  v("radial_severe", c.radial_severe, "the same of a severely damaged one", between(0, 20));
  v("width_um", c.width_um, "full width of each radial crack; its logarithm is uniform", above(0));
  v("inner", c.inner, "where each radial crack starts, over the radius", between(0, 1));
  v("outer", c.outer, "where it ends, over the radius; above 1 it is open to the matrix", between(0, 2));
  v("outer_severe", c.outer_severe, "the same of a severely damaged particle", between(0, 2));
  v("wobble_um", c.wobble_um, "standard deviation of the waviness of cracks", at_least(0));
  v("pinch", c.pinch, "relative standard deviation of a radial crack's width along it; above 0.5 it breaks into pieces",
    between(0, 2));
  v("grain_share", c.grain_share, "share of the severely damaged that crack between their grains", between(0, 1));
  v("grains", c.grains, "number of grains in each of them", between(2, 60));
  v("grain_width_um", c.grain_width_um, "width of the cracks between grains", above(0));
  v("grain_depth", c.grain_depth, "they reach inwards to this share of the radius", between(0, 1));
  v("pulverised_share", c.pulverised_share, "share of the severely damaged that are crushed throughout", between(0, 1));
}

/// One planted cause of damage.
struct PlantTerm {
  std::string attribute;
  double coefficient = 0;
};

template <class V>
void fields(V& v, PlantTerm& t) {
  v("attribute", t.attribute, "an attribute of the crack-free body", required(any_value()));
  v("coefficient", t.coefficient, "change of the score per standard deviation of it", required(any_value()));
}

/// `plant`: damage as a stated function of the crack-free body,
/// Damage = level exp(spread s), s = sum coefficient z(attribute) + noise N(0, 1) + cluster_amplitude g(position),
/// s scaled by 1/sqrt(sum coefficient^2 + noise^2 + cluster_amplitude^2), g a Gaussian random field of unit variance.
struct PlantConfig {
  bool planted = false;
  std::vector<PlantTerm> terms;
  double noise = 1;
  double level = 0.08;
  double spread = 0.6;
  double cluster_amplitude = 0;
  double cluster_range_um = 20;
  double largest = 0.45;
};

template <class V>
void fields(V& v, PlantConfig& c) {
  v("planted", c.planted, "damage follows the terms below; false = it follows the crack statistics");
  v("terms", c.terms, "attributes that cause damage, with their coefficients");
  v("noise", c.noise, "standard deviation of the independent part of the score", at_least(0));
  v("level", c.level, "median damage", between(0, 0.5));
  v("spread", c.spread, "standard deviation of the logarithm of the damage", between(0, 2));
  v("cluster_amplitude", c.cluster_amplitude, "standard deviation of the spatially correlated part", at_least(0));
  v("cluster_range_um", c.cluster_range_um, "correlation length of that part", above(0));
  v("largest", c.largest, "no target is above this", between(0, 0.6));
}

/// `grey`
struct GreyConfig {
  Interval particle{178, 183};
  double particle_spread = 6;
  double grain_spread = 9;
  Interval void_level{60, 70};
  double void_spread = 6;
  Interval matrix{84, 91};
  double texture_fine = 9;
  double texture_fine_um = 0.4;
  double texture_coarse = 7;
  double texture_coarse_um = 0.9;
  double pore_depth = 25;
  double pore_um = 1.1;
  double pore_threshold = 1.6;
  double debris_height = 60;
  double debris_um = 0.3;
  double debris_threshold = 2.4;
  double above_level = 105;
  double below_level = 87;
  double outside_texture = 4;
  double seam_um = 0.1;
};

template <class V>
void fields(V& v, GreyConfig& c) {
  v("particle", c.particle, "mean grey value of solid particles");
  v("particle_spread", c.particle_spread, "its standard deviation between particles", at_least(0));
  v("grain_spread", c.grain_spread, "its standard deviation between the grains of a particle, which point outwards",
    at_least(0));
  v("void_level", c.void_level, "grey value of cracks and voids");
  v("void_spread", c.void_spread, "its standard deviation between particles", at_least(0));
  v("matrix", c.matrix, "mean grey value of carbon, binder and electrolyte");
  v("texture_fine", c.texture_fine, "standard deviation of the fine texture of the matrix", at_least(0));
  v("texture_fine_um", c.texture_fine_um, "standard deviation of the Gaussian that makes it", above(0));
  v("texture_coarse", c.texture_coarse, "standard deviation of the coarse texture", at_least(0));
  v("texture_coarse_um", c.texture_coarse_um, "standard deviation of the Gaussian that makes it", above(0));
  v("pore_depth", c.pore_depth, "how much darker pores of the matrix are");
  v("pore_um", c.pore_um, "their size", above(0));
  v("pore_threshold", c.pore_threshold, "a pore is where a Gaussian field exceeds this; larger = fewer");
  v("debris_height", c.debris_height, "how much brighter unresolved debris is; it has no label");
  v("debris_um", c.debris_um, "its size", above(0));
  v("debris_threshold", c.debris_threshold, "debris is where a Gaussian field exceeds this; larger = less");
  v("above_level", c.above_level, "grey value beyond the low end of the electrode");
  v("below_level", c.below_level, "grey value beyond the high end");
  v("seam_um", c.seam_um, "width of the gap between particles that touch; it has no label", at_least(0));
  v("outside_texture", c.outside_texture, "standard deviation of the texture there", at_least(0));
}

/// `optics`
struct OpticsConfig {
  Interval blur_um{0.108, 0.198};
  double fringe_share = 0.5;
  Interval fringe{0.1, 0.5};
  double fringe_um = 0.3;
};

template <class V>
void fields(V& v, OpticsConfig& c) {
  v("blur_um", c.blur_um, "standard deviation of the point spread function", at_least(0));
  v("fringe_share", c.fringe_share, "share of volumes with a residual phase fringe", between(0, 1));
  v("fringe", c.fringe, "strength of the fringe: this times (image - blurred image) is added", at_least(0));
  v("fringe_um", c.fringe_um, "its width", above(0));
}

/// `noise`: lengths in um or, with `unit: voxels`, in voxels of whatever is rendered.
struct NoiseConfig {
  std::string unit = "um";
  Interval sd{4, 15};
  double sigma = 0.144;
  Interval anisotropy{0.5, 1};
  Interval white{1, 4};
  Interval low_sd{5, 12};
  Interval low_range{2.2, 5.4};
  Interval streak_sd{0, 7};
  double streak_length = 2.5;
  double streak_width = 0.16;
  Interval streak_angles{-11, 16};
  double ring_share = 0.3;
  Interval ring_sd{0, 8};
  double ring_width = 0.12;
};

template <class V>
void fields(V& v, NoiseConfig& c) {
  v("unit", c.unit, "unit of the lengths of this block", one_of({"um", "voxels"}));
  v("sd", c.sd, "standard deviation of the correlated noise", at_least(0));
  v("sigma", c.sigma, "standard deviation of the Gaussian that correlates it, along the foil", above(0));
  v("anisotropy", c.anisotropy, "the same along the depth, over that along the foil", between(0.1, 10));
  v("white", c.white, "standard deviation of the white noise", at_least(0));
  v("low_sd", c.low_sd, "standard deviation of the drift", at_least(0));
  v("low_range", c.low_range, "length over which it drifts", above(0));
  v("streak_sd", c.streak_sd, "standard deviation of the streaks along the foil", at_least(0));
  v("streak_length", c.streak_length, "their length", above(0));
  v("streak_width", c.streak_width, "their width", above(0));
  v("streak_angles", c.streak_angles, "their angle to the foil at the low and high end of x, degrees; not drawn",
    between(-60, 60));
  v("ring_share", c.ring_share, "share of volumes with ring artefacts", between(0, 1));
  v("ring_sd", c.ring_sd, "standard deviation of the rings", at_least(0));
  v("ring_width", c.ring_width, "their width", above(0));
}

/// `artefacts`
struct ArtefactConfig {
  double contrast_share = 0.4;
  Interval contrast_loss{0.3, 0.75};
  double contrast_range_um = 15;
  double padding_share = 0.25;
  double padding_radius = 0.5;
  double padding_grey = 99;
  double jpeg_share = 0.3;
  Interval jpeg_quality{75, 95};
};

template <class V>
void fields(V& v, ArtefactConfig& c) {
  v("contrast_share", c.contrast_share, "share of volumes with regions of lost contrast", between(0, 1));
  v("contrast_loss", c.contrast_loss, "largest loss in them", between(0, 1));
  v("contrast_range_um", c.contrast_range_um, "their size", above(0));
  v("padding_share", c.padding_share, "share of volumes cut by the round field of view of the scan", between(0, 1));
  v("padding_radius", c.padding_radius, "radius of the field of view (a cylinder about y) over the width in x",
    above(0));
  v("padding_grey", c.padding_grey, "exact grey value outside it");
  v("jpeg_share", c.jpeg_share, "share of volumes that went through 8 x 8 cosine quantisation, slice by slice",
    between(0, 1));
  v("jpeg_quality", c.jpeg_quality, "quality of that, as libjpeg counts", between(1, 100));
}

/// A synthetic electrode.
struct PhantomConfig {
  std::string preset = "demo";
  std::array<std::int64_t, 3> shape{128, 224, 224};
  double voxel_size_um = 0.18;
  std::int64_t crack_samples = 1;
  PackingConfig packing;
  SizeConfig sizes;
  FormConfig form;
  CrackConfig cracks;
  PlantConfig plant;
  GreyConfig grey;
  OpticsConfig optics;
  NoiseConfig noise;
  ArtefactConfig artefacts;
};

template <class V>
void fields(V& v, PhantomConfig& c) {
  v("preset", c.preset, "name of the preset that was the start; a label only");
  v("shape", c.shape, "voxels along z (depth), y, x", between(1, 100000));
  v("voxel_size_um", c.voxel_size_um, "edge of a voxel; with shape it sets the extent, which other voxel sizes keep",
    above(0));
  v("crack_samples", c.crack_samples,
    "samples an axis in a voxel of the crack fraction; 1 = no samples, cracks as slits (eight times faster than 2)",
    between(1, 8));
  v("packing", c.packing, "where the particles are");
  v("sizes", c.sizes, "how large they are");
  v("form", c.form, "how they are shaped");
  v("cracks", c.cracks, "how they crack");
  v("plant", c.plant, "what causes the damage");
  v("grey", c.grey, "grey values");
  v("optics", c.optics, "sharpness");
  v("noise", c.noise, "noise");
  v("artefacts", c.artefacts, "what else goes wrong in a scan");
}

template <class P>
void check(P& problems, const PackingConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const SizeConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const FormConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const CrackConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const GreyConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const OpticsConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const NoiseConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const ArtefactConfig& c) {
  phantom_detail::check_intervals(problems, c);
}
template <class P>
void check(P& problems, const PlantTerm& t) {
  const bool known = attribute_index(t.attribute) < attribute_list.size();
  if (!known) problems.add("attribute", "'" + t.attribute + "' is none of the attributes");
  if (t.attribute == "Damage" || contains_cracks(t.attribute))
    problems.add("attribute", "a body without cracks has no '" + t.attribute + "'");
}
template <class P>
void check(P& problems, const PlantConfig& c) {
  if (c.planted && c.terms.empty() && c.noise <= 0 && c.cluster_amplitude <= 0)
    problems.add("planted", "needs a term, noise or cluster_amplitude");
}

/// Names of the presets.
std::vector<std::string> phantom_presets();
/// The preset of that name. Throws Error{config} with the list of names.
PhantomConfig phantom_preset(const std::string& name);

}  // namespace cathoscope
