#include "sections.hpp"

#include <algorithm>

namespace cathoscope::report {

namespace {

struct StageText {
  const char* stage;
  const char* part;
  const char* title;
  const char* text;
};

/// What each stage does, for a reader who has the paper at hand. Parameters follow as the run had them.
constexpr StageText texts[]{
    {"volume", "", "Volume",
     "Grey values as read, after crop and bin; depth is z. Nothing is normalised except for the network."},
    {"segmentation", "", "Particles and cracks",
     "Every voxel gets the number of its particle; cracks are voxels inside a particle's outline that are not solid."},
    {"attributes", "", "Attributes",
     "Measured on every particle as in Li et al. (2022), and in a second table without what contains the cracks "
     "themselves. Damage is the volume of the cracks over the volume of the particle with its cracks."},
    {"latent", "", "Latent dimensions",
     "An autoencoder with one latent dimension for each group of attributes; links are correlations between them, with "
     "intervals from a bootstrap and p values from permutations, corrected by Benjamini and Hochberg."},
    {"regression", "contributions", "What goes with damage",
     "A random forest predicts damage from the attributes; exact Shapley values say what each contributed. A score is "
     "the "
     "mean absolute value over the particles, averaged over refits (seeds and subsets). Intervals: half samples. Null "
     "floor: the 95 % quantile of the score with that column shuffled."},
    {"regression", "statistics", "Statistics of damage",
     "Distributions, correlations, distances between severely damaged particles against shuffled damage (among "
     "particles "
     "of like depth and size), and the same for the two halves of one electrode, where any difference is noise."},
    {"chemomechanics", "", "Chemomechanical model",
     "Particles that swell and shrink, lose contact to their binder and share one current."},
};

/// The settings of a stage as its record has them; electrodes with the same settings together.
struct Settings {
  std::string config;
  std::vector<std::string> electrodes;
};

std::vector<Settings> settings_of(const ReportInputs& inputs, const StageText& wanted) {
  std::vector<Settings> all;
  for (const auto& stage : inputs.stages) {
    if (stage.name != wanted.stage || stage.part != wanted.part || stage.record.empty()) continue;
    const Json record = json_if_there(stage.record);
    const std::string config = record.is_object() ? record.value("config", std::string()) : "";
    const auto same = std::find_if(all.begin(), all.end(), [&](const Settings& s) { return s.config == config; });
    if (same == all.end())
      all.push_back({config, {stage.electrode}});
    else
      same->electrodes.push_back(stage.electrode);
  }
  return all;
}

std::string settings_html(const Settings& s) {
  std::string electrodes;
  for (const auto& e : s.electrodes) electrodes += (electrodes.empty() ? "" : ", ") + escaped(e);
  return "<details><summary>parameters" + (electrodes.empty() ? "" : " of " + electrodes) + "</summary><pre>" +
         escaped(s.config) + "</pre></details>";
}

}  // namespace

std::string method_section(const ReportInputs& inputs) {
  std::string out;
  for (const auto& text : texts) {
    const auto settings = settings_of(inputs, text);
    if (settings.empty()) continue;
    out += std::string("<h3>") + text.title + "</h3><p>" + text.text + "</p>";
    for (const auto& s : settings) out += settings_html(s);
  }
  return out + "<details><summary>the whole configuration, every default spelled out (config.yaml)</summary><pre>" +
         escaped(inputs.config_yaml) + "</pre></details>";
}

}  // namespace cathoscope::report
