#pragma once
/// Scores that others published, to set beside ours on measured data.

#include "study_facts.hpp"

#include <cathoscope/figures/figures.hpp>

#include <string>
#include <vector>

namespace cathoscope {

struct PublishedScore {
  std::string electrode;
  std::size_t index = 0;  ///< of the electrode in the run
  std::string attribute;
  double score = 0;
  double sd = 0;  ///< NaN where it is not given
};

struct PublishedScores {
  std::vector<PublishedScore> rows;  ///< empty where none are given, or an electrode is synthetic
  std::string sentence;              ///< for the caption
};

/// figures.published_scores: columns electrode, attribute, score and, if there, sd; or a row an attribute (attribute or
/// attribute_paper) with all20_mean_* and all20_std_* for the electrodes in their order. Throws Error{data} for others.
PublishedScores published_scores(const StudyResults& results);

/// Second share minus first with its interval from the two intervals.
struct ShareDifference {
  double value = 0;
  double low = 0;
  double high = 0;
};
ShareDifference share_difference(const FactInterval& first, const FactInterval& second);

/// Distance between the bars of electrodes that share a place of width 1.
double bar_spacing(std::size_t electrodes);

}  // namespace cathoscope
