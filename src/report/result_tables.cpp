#include "sections.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <cmath>

namespace cathoscope::report {

namespace {

constexpr std::size_t most_rows = 400;

/// A column of a CSV as the page shows it.
struct Shown {
  const char* column;
  const char* title;
};

std::string cell(const Table& table, const char* column, std::size_t row) {
  const Column* c = table.find(column);
  if (c != nullptr && row < c->numbers.size()) {
    const double v = c->numbers[row];
    return std::isfinite(v) ? "<td class=\"number\" data-v=\"" + text_of(v) + "\">" + number_text(v) + "</td>"
                            : "<td class=\"number\"></td>";
  }
  return "<td>" + escaped(text_at(table, column, row)) + "</td>";
}

std::string table_html(const std::string& caption, const Table& table, const std::vector<Shown>& columns,
                       const std::string& file) {
  std::string out = "<div class=\"scroll\"><table class=\"sortable\"><caption>" + caption;
  if (table.rows() > most_rows)
    out += fmt::format(" The first {} of {} rows; all are in {}.", most_rows, count_text(table.rows()), escaped(file));
  out += "</caption><thead><tr>";
  for (const auto& c : columns)
    if (table.find(c.column) != nullptr) out += "<th scope=\"col\">" + escaped(c.title) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < std::min(table.rows(), most_rows); ++row) {
    out += "<tr>";
    for (const auto& c : columns)
      if (table.find(c.column) != nullptr) out += cell(table, c.column, row);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>";
}

const char* const no_latent = "<p class=\"note\">No latent dimensions in this run.</p>";

const std::vector<Shown> contribution_columns{{"attribute", "attribute"},
                                              {"group", "group"},
                                              {"mean_abs_shap", "score"},
                                              {"ci_low", "from"},
                                              {"ci_high", "to"},
                                              {"null_floor", "null floor"},
                                              {"q", "q"},
                                              {"direction", "direction"},
                                              {"oob_mean_abs_shap", "out of bag"},
                                              {"per_sd_damage", "per sd of damage"},
                                              {"sd_seeds", "sd of seeds"},
                                              {"sd_subsets", "sd of subsets"},
                                              {"reliability", "reliability"}};

const std::vector<Shown> difference_columns{
    {"first", "first"},         {"second", "second"},       {"profile", "profile"},
    {"attribute", "attribute"}, {"mean", "second - first"}, {"sd", "sd"},
    {"ci_low", "from"},         {"ci_high", "to"},          {"q", "q"}};

const std::vector<Shown> link_columns{{"electrode", "electrode"}, {"i", "LD"},       {"j", "LD"}, {"r", "r"},
                                      {"ci_low", "from"},         {"ci_high", "to"}, {"p", "p"},  {"q", "q"},
                                      {"significant", "a link"}};

const std::vector<Shown> latent_difference_columns{
    {"first", "first"}, {"second", "second"}, {"i", "LD"},
    {"j", "LD"},        {"state", "state"},   {"delta_z", "difference of atanh r"},
    {"p", "p"},         {"q", "q"},           {"different", "different"}};

void add(std::string& out, const std::filesystem::path& folder, const std::string& file, const std::string& caption,
         const std::vector<Shown>& columns) {
  if (const auto table = table_if_there(folder / file)) out += table_html(caption, *table, columns, file);
}

}  // namespace

std::string result_tables(const Findings& findings, const ReportInputs& inputs) {
  std::string out;
  for (const auto& e : findings.electrodes) {
    if (!e.forest) continue;
    add(out, inputs.folder, e.name + "/contributions.csv",
        "Contributions of the attributes in " + escaped(e.name) + ", profile " + escaped(e.forest->profile) +
            " (used for inference).",
        contribution_columns);
    std::string paper;
    add(paper, inputs.folder, e.name + "/contributions_paper.csv",
        "The published definitions of the attributes in " + escaped(e.name) + ".", contribution_columns);
    if (!paper.empty())
      out += "<details><summary>" + escaped(e.name) +
             ": the same with the published definitions of the attributes (a definition, not a cause: Sphericity, "
             "VSratio, "
             "EDensity, Homogeneity, SurfInner and RoughInner contain the cracks that define Damage)</summary>" +
             paper + "</details>";
  }
  if (finished(inputs, "", "regression"))
    add(out, inputs.folder, "contribution_differences.csv", "Contributions, electrode against electrode.",
        difference_columns);
  if (!finished(inputs, "", "latent")) return out + no_latent;
  add(out, inputs.folder, "latent_links.csv", "Links between latent dimensions (LD).", link_columns);
  add(out, inputs.folder, "latent_differences.csv", "Links between latent dimensions, electrode against electrode.",
      latent_difference_columns);
  return out;
}

}  // namespace cathoscope::report
