#pragma once
/// The whole configuration: one struct a block of the YAML file.

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/fields.hpp>
#include <cathoscope/segmentation/segmentation.hpp>
#include <cathoscope/volume/volume.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `runtime`: how to compute, never what.
struct RuntimeConfig {
  std::string device = "auto";
  std::int64_t threads = 0;
  double memory_gib = 0;
};

template <class V>
void fields(V& v, RuntimeConfig& c) {
  v("device", c.device, "auto (a CUDA device where there is one, else the CPU), cpu, cuda or cuda:1",
    matching("auto|cpu|cuda(:[0-9]+)?"));
  v("threads", c.threads, "0 = all that the process may use", between(0, 4096));
  v("memory_gib", c.memory_gib, "what a stage may hold at once; 0 = 60 % of what is free", at_least(0));
}

/// `electrodes[]`
struct ElectrodeConfig {
  std::string name;
  std::optional<VolumeConfig> volume;
  std::optional<LabelConfig> labels;
  std::optional<LabelConfig> cracks;
};

template <class V>
void fields(V& v, ElectrodeConfig& c) {
  v("name", c.name, "name of the electrode and of its folder", required(file_name(), "10-cycled"));
  v("volume", c.volume, "the tomogram (grey values, or phases for method phases); null only where labels are given",
    spelled_out(any_value()));
  v("labels", c.labels, "particle ids found elsewhere, instead of segmentation");
  v("cracks", c.cracks, "with labels: a mask of crack voxels");
}

struct Config {
  std::string name;
  std::string output;  ///< relative to the file that names it; absolute once resolved
  std::uint64_t seed = 7;
  RuntimeConfig runtime;
  std::vector<ElectrodeConfig> electrodes;
  SegmentationConfig segmentation;
  AttributesConfig attributes;
  std::vector<std::string> stages{"all"};
};

/// Names of the stages in the order they run.
inline const std::vector<std::string>& stage_names() {
  static const std::vector<std::string> names{"volume", "segmentation", "attributes"};
  return names;
}

template <class V>
void fields(V& v, Config& c) {
  v("name", c.name, "name of the run; the output folder remembers it", required(file_name(), "my-study"));
  v("output", c.output, "folder of the results, relative to this file", required(any_value(), "runs/my-study"));
  v("seed", c.seed, "seed of everything random");
  v("runtime", c.runtime, "how to compute; nothing here changes a result");
  v("electrodes", c.electrodes, "the electrodes; the first is what others are compared with");
  v("segmentation", c.segmentation, "how particles and cracks are found");
  v("attributes", c.attributes, "how the 24 attributes are measured");
  v("stages", c.stages, "all, or a list of the stages that may run",
    or_single(not_empty(unique(one_of({"all", "volume", "segmentation", "attributes"})))));
}

/// Names of electrodes are names of folders beside the run's own files: no two may be equal. Phases cannot be averaged.
template <class P>
void check(P& problems, const Config& c) {
  static const std::vector<std::string> reserved{"config.yaml", "log.txt", "provenance.json", "units.json",
                                                 "report.html", "export",  "figures"};
  for (std::size_t i = 0; i < c.electrodes.size(); ++i) {
    const std::string key = "electrodes[" + std::to_string(i) + "]";
    const auto& e = c.electrodes[i];
    for (const auto& name : reserved)
      if (e.name == name) problems.add(key + ".name", "is a name that the run itself uses; choose another");
    if (c.segmentation.method == "phases" && !e.labels && e.volume && e.volume->bin > 1)
      problems.add(key + ".volume.bin", "must be 1 with method phases: the mean of two phases is a third");
  }
  if (c.electrodes.empty() && c.stages != std::vector<std::string>{"all"})
    problems.add("stages", "names stages that need an electrode, and `electrodes` is empty");
  for (std::size_t i = 0; i < c.electrodes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (c.electrodes[i].name == c.electrodes[j].name)
        problems.add("electrodes[" + std::to_string(i) + "].name",
                     "'" + c.electrodes[i].name + "' is already the name of electrodes[" + std::to_string(j) + "]");
}

}  // namespace cathoscope
