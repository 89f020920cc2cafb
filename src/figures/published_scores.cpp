#include "published_scores.hpp"

#include "plotting.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

void add_long(const StudyResults& results, const Table& table, PublishedScores& out) {
  for (std::size_t e = 0; e < results.electrodes.size(); ++e)
    for (const std::size_t row : rows_where(table, "electrode", results.electrodes[e].name))
      out.rows.push_back({results.electrodes[e].name, e, field_text(*table.find("attribute"), row),
                          number_at(table, "score", row), number_at(table, "sd", row)});
}

/// One pair of columns an electrode, in the order of the file.
void add_wide(const StudyResults& results, const Table& table, PublishedScores& out) {
  const Column* names =
      table.find("attribute_paper") != nullptr ? table.find("attribute_paper") : table.find("attribute");
  std::size_t e = 0;
  for (const Column& c : table.columns) {
    if (c.name.rfind("all20_mean_", 0) != 0 || e == results.electrodes.size()) continue;
    const std::string sd = "all20_std_" + c.name.substr(11);
    for (std::size_t row = 0; row < table.rows(); ++row)
      out.rows.push_back({results.electrodes[e].name, e, field_text(*names, row), number_at(table, c.name, row),
                          number_at(table, sd, row)});
    ++e;
  }
}

}  // namespace

PublishedScores published_scores(const StudyResults& results) {
  PublishedScores out;
  if (!results.settings.published_scores) return out;
  if (results.synthetic()) {
    out.sentence = " Published scores are shown beside measured data only, and these are synthetic.";
    return out;
  }
  const auto& path = *results.settings.published_scores;
  const Table table = read_csv(path.resolved);
  const bool is_long =
      table.find("electrode") != nullptr && table.find("attribute") != nullptr && table.find("score") != nullptr;
  const bool is_wide = (table.find("attribute_paper") != nullptr || table.find("attribute") != nullptr) &&
                       std::any_of(table.columns.begin(), table.columns.end(),
                                   [](const Column& c) { return c.name.rfind("all20_mean_", 0) == 0; });
  if (!is_long && !is_wide)
    fail(Exit::data,
         "{}: figures.published_scores needs the columns electrode, attribute, score (and sd); see docs/figures.md",
         path.text);
  if (is_long)
    add_long(results, table, out);
  else
    add_wide(results, table, out);
  if (out.rows.empty())
    fail(Exit::data, "{}: figures.published_scores has no row for an electrode of this run", path.text);
  out.sentence = " Diamonds: published scores, of other data.";
  return out;
}

double bar_spacing(std::size_t electrodes) { return 0.84 / static_cast<double>(std::max<std::size_t>(electrodes, 1)); }

}  // namespace cathoscope
