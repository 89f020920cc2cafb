#pragma once
/// `figures`: what is drawn, and what counts as severe damage.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/figures/names.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

struct FiguresConfig {
  std::vector<std::string> formats{"svg", "pdf"};
  std::vector<std::string> which{"all"};
  double severe_quantile = 0.9;
  std::optional<double> severe_damage;
  std::optional<InputPath> published_scores;
};

template <class V>
void fields(V& v, FiguresConfig& c) {
  v("formats", c.formats, "files of each figure; the table and the gnuplot script are always written",
    or_single(not_empty(unique(one_of({"svg", "pdf"})))));
  v("which", c.which, "all, or a list of figures", or_single(not_empty(unique(one_of(figure_choices())))));
  v("severe_quantile", c.severe_quantile,
    "damage from this quantile of all electrodes together on is severe (one limit for all)",
    Rule{.low = 0, .high = 1, .low_open = true, .high_open = true});
  v("severe_damage", c.severe_damage, "this damage is severe, instead of a quantile");
  v("published_scores", c.published_scores,
    "CSV of contribution scores that fig4c shows beside ours, on measured data only; columns as in docs/figures.md");
}

}  // namespace cathoscope
