#pragma once
/// The whole configuration: one struct a block of the YAML file.

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/chemomechanics/config.hpp>
#include <cathoscope/config/describe.hpp>
#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/figures/config.hpp>
#include <cathoscope/latent/latent.hpp>
#include <cathoscope/pipeline/about.hpp>
#include <cathoscope/regression/regression.hpp>
#include <cathoscope/segmentation/segmentation.hpp>
#include <cathoscope/volume/volume.hpp>

#include <algorithm>
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

/// `electrodes[].table`: particles that were measured elsewhere, or another table altogether.
struct TableConfig {
  InputPath path;
  std::optional<std::string> target;
  std::vector<std::string> features;
  std::optional<std::string> label;
  std::vector<std::string> position{"X", "Y", "Z"};

  static constexpr std::string_view shorthand = "path";
};

template <class V>
void fields(V& v, TableConfig& c) {
  v("path", c.path, "CSV or TSV file, one row a particle", required(any_value(), "particles.csv"));
  v("target", c.target, "column that stands for damage; null = regression.target");
  v("features", c.features,
    "columns of the model; [] = the attributes if the table has three of them or more, else every numeric column but "
    "target, label, index, position and flags",
    unique(any_value()));
  v("label", c.label, "column of ids (whole numbers); null = `label` if there is one, else rows are numbered");
  v("position", c.position, "columns of the coordinates in um; [] = none. X, Y, Z need not be there",
    unique(any_value()));
}

template <class P>
void check(P& problems, const TableConfig& c) {
  if (!c.position.empty() && c.position.size() != 2 && c.position.size() != 3)
    problems.add("position", "must name two or three columns, or none");
}

/// `electrodes[]`
struct ElectrodeConfig {
  std::string name;
  std::optional<VolumeConfig> volume;
  std::optional<LabelConfig> labels;
  std::optional<LabelConfig> cracks;
  std::optional<TableConfig> table;
};

template <class V>
void fields(V& v, ElectrodeConfig& c) {
  v("name", c.name, "name of the electrode and of its folder", required(file_name(), "10-cycled"));
  v("volume", c.volume, "the tomogram (grey values, or phases for method phases); null only where labels are given",
    spelled_out(any_value()));
  v("labels", c.labels, "particle ids found elsewhere, instead of segmentation");
  v("cracks", c.cracks, "with labels: a mask of crack voxels");
  v("table", c.table, "instead of volume and labels: a table of particles; nothing is measured then");
}

/// `statistics`: distributions, correlations and spatial statistics of damage, and which rows all of inference uses.
struct StatisticsConfig {
  std::vector<std::string> exclude{"touches_border"};
  std::int64_t bootstraps = 1000;
  std::int64_t permutations = 999;
};

template <class V>
void fields(V& v, StatisticsConfig& c) {
  v("exclude", c.exclude,
    "flags: rows where one of these columns is above 0 are left out of statistics, latent and regression",
    unique(any_value()));
  v("bootstraps", c.bootstraps, "resamplings for the bands of densities; 0 = no bands", between(0, 100000));
  v("permutations", c.permutations, "shuffles of damage for each spatial null", between(1, 1000000));
}

/// Names of the stages in the order they run: the one list of them.
inline const std::vector<std::string>& stage_names() {
  static const std::vector<std::string> names{"volume",     "segmentation",   "attributes", "latent",
                                              "regression", "chemomechanics", "figures"};
  return names;
}

/// `all` and the names, for the key `stages`.
inline std::vector<std::string> stage_choices() {
  std::vector<std::string> choices = stage_names();
  choices.insert(choices.begin(), "all");
  return choices;
}

struct Config {
  std::string name;
  std::string output;  ///< relative to the file that names it; absolute once resolved
  std::uint64_t seed = 7;
  RuntimeConfig runtime;
  std::vector<ElectrodeConfig> electrodes;
  SegmentationConfig segmentation;
  AttributesConfig attributes;
  StatisticsConfig statistics;
  LatentConfig latent;
  RegressionConfig regression;
  FiguresConfig figures;
  std::optional<ChemomechanicsConfig> chemomechanics;
  AboutConfig about;
  std::vector<std::string> stages{"all"};
};

template <class V>
void fields(V& v, Config& c) {
  v("name", c.name, "name of the run; the output folder remembers it", required(file_name(), "my-study"));
  v("output", c.output, "folder of the results, relative to this file", required(any_value(), "runs/my-study"));
  v("seed", c.seed, "seed of everything random");
  v("runtime", c.runtime, "how to compute; nothing here changes a result");
  v("electrodes", c.electrodes, "the electrodes; the first is what others are compared with");
  v("segmentation", c.segmentation, "how particles and cracks are found");
  v("attributes", c.attributes, "how the attributes are measured");
  v("statistics", c.statistics, "rows that inference uses, and the statistics behind the figures");
  v("latent", c.latent, "latent dimensions of the attributes, and how they are linked");
  v("regression", c.regression, "random forest, contributions of the attributes, and how sure they are");
  v("figures", c.figures, "what the figures show");
  v("chemomechanics", c.chemomechanics,
    "the damage model of a network of particles; null = not run, unless `stages` names it", spelled_out(any_value()));
  v("about", c.about, "who made the results and what they are, for archives; nothing here changes a result");
  v("stages", c.stages, "all, or a list of the stages that may run",
    or_single(not_empty(unique(one_of(stage_choices())))));
}

/// Names of electrodes are names of folders beside the run's own files: no two may be equal. Phases cannot be averaged.
template <class P>
void check(P& problems, const Config& c) {
  static const std::vector<std::string> reserved{
      "config.yaml", "log.txt", "provenance.json", "units.json", "report.html",
      "export",      "figures", "statistics",      "explore",    "ro-crate-metadata.json"};
  for (std::size_t i = 0; i < c.electrodes.size(); ++i) {
    const std::string key = "electrodes[" + std::to_string(i) + "]";
    const auto& e = c.electrodes[i];
    for (const auto& name : reserved)
      if (e.name == name) problems.add(key + ".name", "is a name that the run itself uses; choose another");
    if (c.segmentation.method == "phases" && !e.labels && e.volume && e.volume->bin > 1)
      problems.add(key + ".volume.bin", "must be 1 with method phases: the mean of two phases is a third");
  }
  const bool measured = std::any_of(c.electrodes.begin(), c.electrodes.end(), [](const auto& e) { return !e.table; });
  const std::size_t target = attribute_index(canonical_attribute_name(c.regression.target));
  if (measured && target == attribute_list.size())
    problems.add("regression.target", "'" + c.regression.target + "' is none of the attributes");
  if (c.regression.seeds + c.regression.subsets == 0)
    problems.add("regression.seeds", "is 0 and so is regression.subsets: there is no run to take a score from");
  for (const auto& stage : c.stages)
    if (c.electrodes.empty() && stage != "all" && stage != "chemomechanics" && stage != "figures") {
      problems.add("stages", "names stages that need an electrode, and `electrodes` is empty");
      break;
    }
  if (c.chemomechanics && c.chemomechanics->geometry.particles_from) {
    const std::string& name = *c.chemomechanics->geometry.particles_from;
    bool found = false;
    for (const auto& e : c.electrodes) found = found || e.name == name;
    if (!found) problems.add("chemomechanics.geometry.particles_from", "no electrode is called '" + name + "'");
  }
  for (std::size_t i = 0; i < c.electrodes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (c.electrodes[i].name == c.electrodes[j].name)
        problems.add("electrodes[" + std::to_string(i) + "].name",
                     "'" + c.electrodes[i].name + "' is already the name of electrodes[" + std::to_string(j) + "]");
}

}  // namespace cathoscope

/// A description of the whole configuration takes 10 s to compile: it is compiled once, in config.cpp.
namespace cathoscope::describing {
extern template TypeInfo type_of(const Config& value);
extern template ConfigValue tree_of(const Config& value);
extern template void assign(Config& value, const ConfigValue& tree);
extern template void check_all(Problems& problems, const Config& value, const std::string& prefix);
}  // namespace cathoscope::describing
