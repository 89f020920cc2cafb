#include "drawers.hpp"

namespace cathoscope {

const std::vector<Drawer>& drawers() {
  static const std::vector<Drawer> all{
      {"fig1b", "Distribution of particle damage", fig1b},
      {"fig2a", "Severely damaged particles, first electrode", fig2a},
      {"fig2b", "Severely damaged particles, second electrode", fig2b},
      {"fig2c", "Distances between severely damaged particles", fig2c},
      {"fig4a", "Links between latent dimensions, first electrode", fig4a},
      {"fig4b", "Links between latent dimensions, second electrode", fig4b},
      {"fig4c", "Contributions of the attributes to damage", fig4c},
      {"fig4c_paper", "Contributions with the paper's definitions", fig4c_paper},
      {"figs7", "Distributions of the attributes", figs7},
      {"figs11", "Correlations of the attributes with damage", figs11},
      {"figs12", "Damage among neighbours", figs12},
      {"predicted", "Predicted against measured damage", predicted},
      {"shap_beeswarm", "SHAP values of single particles", shap_beeswarm},
      {"shap_dependence", "SHAP values against attribute values", shap_dependence},
      {"damage_depth", "Damage against depth", damage_depth},
      {"neighbour_share", "Share of the neighbourhood", neighbour_share},
      {"sham", "Differences between electrodes and within one", sham},
  };
  return all;
}

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& d : drawers()) list.push_back(d.name);
    return list;
  }();
  return names;
}

std::vector<std::string> figure_choices() {
  std::vector<std::string> choices = figure_names();
  choices.insert(choices.begin(), "all");
  return choices;
}

}  // namespace cathoscope
