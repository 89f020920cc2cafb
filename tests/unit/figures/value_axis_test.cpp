#include "../../../src/figures/value_axis.hpp"
#include "drawn_text.hpp"
#include "small_study.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>

using namespace cathoscope;
namespace fs = std::filesystem;

namespace {

/// Columns of a CSV multiplied by a factor, in the rows where `only` says so.
void scale_columns(const fs::path& path, const std::vector<std::string>& names, double factor) {
  Table table = read_csv(path);
  for (auto& column : table.columns)
    if (std::find(names.begin(), names.end(), column.name) != names.end())
      for (double& value : column.numbers) value *= factor;
  test::write_file(path, csv_text(table));
}

void scale_numbers(nlohmann::json& json, double factor) {
  if (json.is_number_float()) json = json.get<double>() * factor;
  if (json.is_structured())
    for (auto& part : json) scale_numbers(part, factor);
}

/// The small study in another unit of damage: all that has this unit, by a factor.
StudyResults scaled_study(const fs::path& out, double factor, const test::StudyNames& names = {}) {
  StudyResults results = test::small_study(out, names);
  const std::vector<std::string> scores{"mean_abs_shap", "sd_seeds", "sd_subsets", "ci_low", "ci_high", "null_floor"};
  for (const auto& name : {names.first, names.second}) {
    for (const char* file : {"contributions.csv", "contributions_paper.csv"})
      scale_columns(out / name / file, scores, factor);
    scale_columns(out / name / "shap.csv", {names.own, names.neighbour, "expected_value", "prediction"}, factor);
    scale_columns(out / name / "predictions.csv", {"measured", "predicted", "out_of_bag"}, factor);
    auto json = nlohmann::json::parse(read_text(out / name / "regression.json"));
    for (const char* part : {"groups", "self", "neighbour", "sham"}) scale_numbers(json[part], factor);
    test::write_file(out / name / "regression.json", json.dump());
  }
  scale_columns(out / "contribution_runs.csv", {"mean_abs_shap"}, factor);
  scale_columns(out / "contribution_differences.csv", {"mean", "sd", "ci_low", "ci_high"}, factor);
  const fs::path statistics = out / "statistics";
  scale_columns(statistics / "fig1b.csv", {"low", "high"}, factor);
  scale_columns(statistics / "fig1b.csv", {"density", "ci_low", "ci_high"}, 1 / factor);
  scale_columns(statistics / "fig1b_summary.csv", {"median"}, factor);
  scale_columns(statistics / "fig2ab.csv", {"damage"}, factor);
  scale_columns(statistics / "fig2c_summary.csv",
                {"mean_distance", "expected_stratified", "null_low_stratified", "null_high_stratified"}, factor);
  scale_columns(statistics / "figs7.csv", {"low", "high"}, factor);
  scale_columns(statistics / "figs12.csv",
                {"observed", "expected_stratified", "null_low_stratified", "null_high_stratified"}, factor);
  return results;
}

const std::vector<std::string> with_value_axes{
    "fig1b",     "fig2c",         "fig4c",           "fig4c_paper",  "figs7",           "figs11", "figs12",
    "predicted", "shap_beeswarm", "shap_dependence", "damage_depth", "neighbour_share", "sham"};

std::map<std::string, test::DrawnPicture> pictures(StudyResults results) {
  results.settings.which = with_value_axes;
  results.settings.formats = {"svg"};
  const test::ScratchDir folder;
  Progress progress;
  const auto drawn = draw_figures(results, folder.path(), Context{progress, 2});
  std::map<std::string, test::DrawnPicture> all;
  for (const auto& name : drawn.files)
    if (name.ends_with(".svg")) all[name] = test::drawn_picture(read_text(folder / name));
  CHECK(drawn.missing.empty());
  return all;
}

/// Nothing cut off, nothing on top of something else.
void check_texts(const std::string& name, const test::DrawnPicture& picture) {
  REQUIRE(picture.texts.size() > 5);
  for (std::size_t i = 0; i < picture.texts.size(); ++i) {
    const auto& text = picture.texts[i];
    INFO(name << ": '" << text.text << "' at " << text.left << " to " << text.right << ", " << text.top << " to "
              << text.bottom << " of " << picture.width << " x " << picture.height);
    CHECK(test::inside(text, picture));
    for (std::size_t k = 0; k < i; ++k) {
      INFO("beside '" << picture.texts[k].text << "'");
      CHECK_FALSE(test::covers(text, picture.texts[k]));
    }
  }
}

}  // namespace

TEST_CASE("Texts of figures are inside the picture and apart, however small or large damage is") {
  const double factor = GENERATE(1.0, 0.03, 1.3e-3, 2.7e-5, 1e-6, 4.2e4, 1e7);
  CAPTURE(factor);
  const test::ScratchDir out;
  for (const auto& [name, picture] : pictures(scaled_study(out.path(), factor))) check_texts(name, picture);
}

TEST_CASE("Long names of a user's columns have the room they need") {
  const test::ScratchDir out;
  test::StudyNames names;
  names.own = "Length_of_kernel_groove";
  names.neighbour = "Asymmetry_coefficient";
  for (const auto& [name, picture] : pictures(scaled_study(out.path(), 1e-4, names)))
    if (name != "shap_dependence.svg") check_texts(name, picture);
}

TEST_CASE("A power of ten stands in the title, and the labels are multiples of it") {
  const test::ScratchDir out;
  const auto all = pictures(scaled_study(out.path(), 1.3e-3));
  std::vector<std::string> texts;
  for (const auto& text : all.at("neighbour_share.svg").texts) texts.push_back(text.text);
  // Groups score 0.2 with an interval up to 0.3: 0.00039 at the most, labels in 10^-4.
  CHECK(std::count(texts.begin(), texts.end(), "Score of the group, mean |SHAP|, × 10−4") == 1);
  for (const char* label : {"0", "1", "2", "3"}) CHECK(std::count(texts.begin(), texts.end(), label) >= 1);
}

TEST_CASE("Labels are plain where they are short") {
  CHECK(label_power({0, 0.01}) == 0);
  CHECK(label_power({-99999, 0}) == 0);
  CHECK(label_power({0, 0.0099}) == -3);
  CHECK(label_power({-2e-7, 1e-7}) == -7);
  CHECK(label_power({0, 1e5}) == 5);
  CHECK(label_power({0, 0}) == 0);
  CHECK(label_power(Extent{}) == 0);
  CHECK(power_tics("y", {0, 0.5}, 0).empty());
  CHECK(with_power("'Damage'", 0) == "'Damage'");
  CHECK(with_power("'Damage'", -4) == "'Damage'.', × 10^{−4}'");
}

TEST_CASE("Tics are round, beyond both ends, and say multiples of the power") {
  const std::string tics = power_tics("y", {0, 0.00042}, -4);
  CHECK(tics.find("'0' 0,") != std::string::npos);
  CHECK(tics.find("'1' 0.0001,") != std::string::npos);
  CHECK(tics.find("'5' 0.0005,") != std::string::npos);
  CHECK(tics.find("'-1' -0.0001,") != std::string::npos);
  CHECK(power_tics("x", {0.00120, 0.00126}, -3).find("'1.21' 0.00121") != std::string::npos);
  CHECK(power_tics("x", {0, 300000}, 5, false).find('\'') == std::string::npos);
}

TEST_CASE("The extent of columns leaves out what is missing") {
  const test::ScratchDir folder;
  test::write_file(folder / "t.csv", "a,b\n1,-2\n,7\n3,nan\n");
  const Table table = read_csv(folder / "t.csv");
  CHECK(extent_of(table, {"a"}).low == 1);
  CHECK(extent_of(table, {"a", "b"}).low == -2);
  CHECK(extent_of(table, {0}, {"a", "b"}).high == 1);
  CHECK(extent_of(table, {"a"}).with_zero().low == 0);
  CHECK(extent_of(table, {"a"}).mirrored().low == -3);
  CHECK(std::isnan(extent_of(table, {"none"}).low));
}
