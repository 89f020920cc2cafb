#include "drawers.hpp"

#include "image_figures.hpp"
#include "model_figures.hpp"
#include "schematic_figures.hpp"

namespace cathoscope {

const std::vector<Drawer>& drawers() {
  static const std::vector<Drawer> all{
      {"fig1a", "The electrode, particle by particle", fig1a},
      {"fig1b", "Distribution of particle damage", fig1b},
      {"segmentation", "Slices with the outlines of the particles", segmentation_figure},
      {"particles", "Single particles from low to high damage", particles_figure},
      {"fig2a", "Severely damaged particles, first electrode", fig2a},
      {"fig2b", "Severely damaged particles, second electrode", fig2b},
      {"fig2c", "Distances between severely damaged particles", fig2c},
      {"fig3a", "The model: particles on two binders", fig3a},
      {"fig3b", "Lithium content during the first charge", fig3b},
      {"fig3c", "Spread of lithium content over the cycles", fig3c},
      {"fig3d", "Damage of each particle over the cycles", fig3d},
      {"fig3e", "Deviation of each particle from the mean damage", fig3e},
      {"fig4a", "Links between latent dimensions, first electrode", fig4a},
      {"fig4b", "Links between latent dimensions, second electrode", fig4b},
      {"fig4c", "Contributions of the attributes to damage", fig4c},
      {"fig4c_paper", "Contributions with the paper's definitions", fig4c_paper},
      {"figs1", "Planes in which the network sees the volume", figs1},
      {"figs2", "From planes to particles", figs2},
      {"figs3", "unknown", figs3},
      {"figs4", "Damage in a network of more particles", figs4},
      {"figs5", "What is measured of a particle", figs5},
      {"figs6", "What is measured around a particle", figs6},
      {"figs7", "Distributions of the attributes", figs7},
      {"figs8", "From attributes to what drives damage", figs8},
      {"figs9", "unknown", figs9},
      {"figs10", "unknown", figs10},
      {"figs11", "Correlations of the attributes with damage", figs11},
      {"figs12", "Damage among neighbours", figs12},
      {"predicted", "Predicted against measured damage", predicted},
      {"shap_beeswarm", "SHAP values of single particles", shap_beeswarm},
      {"shap_dependence", "SHAP values against attribute values", shap_dependence},
      {"damage_depth", "Damage against depth", damage_depth},
      {"neighbour_share", "Share of the neighbourhood", neighbour_share},
      {"sham", "Differences between electrodes and within one", sham},
      {"model_stress", "Tensile stress in each particle", model_stress},
      {"model_synchrony", "Damage at synchrony against the spread of coverage", model_synchrony},
      {"model_laws", "Which law brings particles together", model_laws},
      {"model_parameters", "One parameter at a time", model_parameters},
      {"model_morris", "Which guesses decide", model_morris},
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
