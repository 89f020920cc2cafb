#pragma once
/// A configuration with every kind of member, for the tests and the fuzz target of module config.

#include <cathoscope/core/fields.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace study {

using namespace cathoscope;

struct Levels {
  double low = 1;
  double high = 99.8;
  bool operator==(const Levels&) const = default;
};
template <class V>
void fields(V& v, Levels& c) {
  v("low", c.low, "percentile that becomes 0", between(0, 100));
  v("high", c.high, "percentile that becomes 1", between(0, 100));
}
template <class P>
void check(P& problems, const Levels& c) {
  if (c.low >= c.high) problems.add("low", "must be below high");
}

using Range = std::array<std::int64_t, 2>;

struct Scan {
  InputPath path;
  std::optional<std::string> dataset;
  std::optional<VoxelSize> voxel_size_um;
  std::string axes = "zyx";
  std::optional<std::array<Range, 3>> crop;
  std::int64_t bin = 1;
  std::vector<std::string> faces{"z_low", "z_high"};
  Levels levels;
  bool operator==(const Scan&) const = default;
  static constexpr std::string_view shorthand = "path";
};
template <class V>
void fields(V& v, Scan& c) {
  v("path", c.path, "file, folder or glob", required(any_value(), "scan/*.tif"));
  v("dataset", c.dataset, "path inside the file");
  v("voxel_size_um", c.voxel_size_um, "edge of a voxel", above(0));
  v("axes", c.axes, "order of the axes | slowest first", one_of({"zyx", "xyz"}));
  v("crop", c.crop, "[[z0, z1], [y0, y1], [x0, x1]]", at_least(0));
  v("bin", c.bin, "edge of the cube that is averaged", between(1, 64));
  v("faces", c.faces, "real ends", unique(one_of({"z_low", "z_high", "y_low"})));
  v("levels", c.levels, "grey levels");
}

struct Electrode {
  std::string name;
  std::optional<Scan> volume;
  std::optional<Scan> labels;
  bool operator==(const Electrode&) const = default;
};
template <class V>
void fields(V& v, Electrode& c) {
  v("name", c.name, "name of the folder", required(file_name(), "first"));
  v("volume", c.volume, "the tomogram", spelled_out({}));
  v("labels", c.labels, "given labels");
}

struct Study {
  std::string name = "study";
  std::uint64_t seed = 7;
  std::int32_t level = 0;
  bool match = true;
  double sigma_um = 0.15;
  Auto<double> threshold;
  Auto<std::int64_t> workers;
  std::optional<double> minimum_um3;
  std::vector<std::uint64_t> exclude;
  std::vector<double> weights{0.5};
  std::vector<Electrode> electrodes;
  bool operator==(const Study&) const = default;
};
template <class V>
void fields(V& v, Study& c) {
  v("name", c.name, "name of the study", required(any_value()));
  v("seed", c.seed, "seed of all random numbers");
  v("level", c.level, "any small whole number");
  v("match", c.match, "compare at the <coarser> voxel");
  v("sigma_um", c.sigma_um, "smoothing", above(0));
  v("threshold", c.threshold, "grey value; auto = Otsu's");
  v("workers", c.workers, "number of workers", at_least(1));
  v("minimum_um3", c.minimum_um3, "smaller particles are dropped", at_least(0));
  v("exclude", c.exclude, "ids that are not particles");
  v("weights", c.weights, "weights", not_empty(between(0, 1)));
  v("electrodes", c.electrodes, "one entry for each tomogram");
}
template <class P>
void check(P& problems, const Study& c) {
  for (std::size_t i = 1; i < c.electrodes.size(); ++i) {
    if (c.electrodes[i].name == c.electrodes[i - 1].name) {
      problems.add("electrodes[" + std::to_string(i) + "].name", "is the name of the electrode before it");
    }
  }
}

}  // namespace study
