#pragma once
/// From grey values, phases or given labels to particles and their cracks.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/star_fields.hpp>
#include <cathoscope/io/h5.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `segmentation.watershed`: the classical chain, in physical units.
struct WatershedConfig {
  double smooth_um = 0.2;
  Auto<double> threshold;
  std::string bright = "particle";
  double closing_um = 0.35;
  Auto<double> largest_hole_um;
  double h_um = 0.4;
  double h_relative = 0.25;
};

template <class V>
void fields(V& v, WatershedConfig& c) {
  v("smooth_um", c.smooth_um, "standard deviation of the Gaussian smoothing before the threshold, um", at_least(0));
  v("threshold", c.threshold, "grey value between matrix and particle; auto = Otsu's inside the field of view");
  v("bright", c.bright, "what is brighter: the particles or the matrix", one_of({"particle", "matrix"}));
  v("closing_um", c.closing_um, "radius of the closing that bridges cracks before holes are filled, um", at_least(0));
  v("largest_hole_um", c.largest_hole_um,
    "larger holes are not filled, um across (of the ball or disc of equal size); auto = any in 3-D, 3 in a single "
    "plane, "
    "where particles in a ring enclose what lies between them",
    at_least(0));
  v("h_um", c.h_um,
    "two particles stay apart where the smaller is at least this much thicker than the neck between them, um of "
    "radius; "
    "never less than one voxel",
    above(0));
  v("h_relative", c.h_relative,
    "and at least this share of its own radius: a neck wider than 1 - h_relative of the smaller particle is none",
    between(0, 1));
}

/// `segmentation.model`
struct ModelConfig {
  std::string path = "builtin";
  std::optional<std::string> sha256;

  static constexpr std::string_view shorthand = "path";
};

template <class V>
void fields(V& v, ModelConfig& c) {
  v("path", c.path,
    "builtin or builtin-ci (weights that come with the program), a weights file, or the folder of a StarDist 2-D "
    "model; "
    "relative to this file");
  v("sha256", c.sha256, "of the weights, as `cathoscope info` shows it: any other file is refused",
    matching("[0-9a-f]{64}"));
}

/// `segmentation`
struct SegmentationConfig {
  std::string method = "network";
  ModelConfig model;
  std::string views = "diagonal9";
  std::optional<double> particle_diameter_um;
  Auto<double> denoise_sigma;
  bool fit_view_weights = false;
  std::string instances = "watershed";
  std::int64_t active_phase = 1;
  std::string cracks = "auto";
  std::optional<double> minimum_particle_um3;
  std::vector<std::uint64_t> exclude_labels;
  WatershedConfig watershed;
};

template <class V>
void fields(V& v, SegmentationConfig& c) {
  v("method", c.method,
    "how particles are found: network (grey values, trained network), watershed (grey values, classical chain), phases "
    "(already segmented into phases)",
    one_of({"network", "watershed", "phases"}));
  v("model", c.model, "method network: the trained network");
  v("views", c.views,
    "method network: the planes it looks at; a 2-D image is looked at as it is. xy: slices alone; axial3: xy, xz, yz; "
    "diagonal9: and the six diagonal families; all13: and the four through the corners",
    one_of({"xy", "axial3", "diagonal9", "all13"}));
  v("particle_diameter_um", c.particle_diameter_um,
    "method network: diameter of the median particle, um; a 48th of it is the working voxel. null = estimated",
    above(0));
  v("denoise_sigma", c.denoise_sigma,
    "method network: Gaussian smoothing before the network, working voxels; auto = from the measured noise",
    between(0, 5));
  v("fit_view_weights", c.fit_view_weights,
    "method network: weights of the views from a logistic fit on a synthetic electrode, which takes a minute or two; "
    "false = all views count the same");
  v("instances", c.instances,
    "method network: watershed (seeded, on the fused fields), kmeans (as the authors' public scripts; for comparison), "
    "polyhedra (star shapes and non-maximum suppression)",
    one_of({"watershed", "kmeans", "polyhedra"}));
  v("active_phase", c.active_phase, "method phases: value of the active material");
  v("cracks", c.cracks, "auto = find cracks inside the particles; none = damage comes from elsewhere or is zero",
    one_of({"auto", "none"}));
  v("minimum_particle_um3", c.minimum_particle_um3,
    "smaller particles are dropped; null = 300 working voxels for "
    "watershed and phases, nothing for given labels",
    at_least(0));
  v("exclude_labels", c.exclude_labels, "ids of given labels that are not particles");
  v("watershed", c.watershed, "settings of the classical chain (methods watershed and phases)");
}

/// A network as the route sees it.
struct NetworkInputs {
  StarPredictor predict;
  double low_percentile = 1;      ///< grey values that become 0
  double high_percentile = 99.8;  ///< and 1
  double foreground_threshold = 0.5;
  std::vector<double> view_weights;    ///< one a family of planes; empty = all equal
  double probability_threshold = 0.5;  ///< of star shapes
  double suppression_threshold = 0.4;  ///< overlap of two star shapes over the smaller
  bool own_scale = false;              ///< trained at native voxels: these stay where no diameter is given
};

struct SegmentationInputs {
  std::optional<GridSource<float>> grey;                  ///< or the phases, for method phases
  std::optional<GridSource<std::uint8_t>> field_of_view;  ///< 1 = inside; absent = all
  std::optional<GridSource<std::uint64_t>> labels;        ///< given labels: no method runs
  std::optional<GridSource<std::uint8_t>> cracks;         ///< given crack mask, non-zero = crack
  std::optional<NetworkInputs> network;                   ///< for method network
  bool two_dimensional = false;
};

/// Writes /labels uint32 (dense 1..n in order of first voxel z, y, x; a particle with its cracks), /label_ids uint64[n]
/// (the user's ids, or 1..n), /cracks uint8, /damage_partial_volume double[n] (NaN without grey values), and the
/// attributes damage_source (grey, mask, phases, holes), two_dimensional, particles of "/". Where cracks
/// come from grey values: edge_blur_um (standard deviation of the blur of outlines, smoothing included) and
/// crack_width_at_half_depth_um (of the thinnest slit that the crack mask sees). Method network adds
/// /probability and /disagreement (float, working voxels) and the attributes particle_diameter_um, working_voxel_um,
/// noise, denoise_sigma, unresolved_fraction, foreground_threshold, and view_weights where they are not all equal. Same bytes for any number of threads, memory and block size.
/// Throws Error{no_memory} where the working volume does not fit, Error{data} where no diameter can be estimated.
void segment(const SegmentationConfig& config, const SegmentationInputs& inputs, H5File& out, const Context& context);

/// The same with the size of the blocks that are worked on at once, which changes nothing but time and memory.
void segment(const SegmentationConfig& config, const SegmentationInputs& inputs, H5File& out, const Context& context,
             const std::optional<Index3>& block);

}  // namespace cathoscope
