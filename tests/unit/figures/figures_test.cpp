#include "small_study.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace cathoscope;
namespace fs = std::filesystem;

namespace {

/// Those that are drawn from tables alone.
const std::vector<std::string> of_tables{
    "fig1b",         "fig2a",           "fig2b",        "fig2c",           "fig4a",  "fig4b",
    "fig4c",         "fig4c_paper",     "figs7",        "figs11",          "figs12", "predicted",
    "shap_beeswarm", "shap_dependence", "damage_depth", "neighbour_share", "sham"};

FigureResult result_of(const StudyResults& results, const std::string& name) {
  for (const auto& d : drawers())
    if (d.name == name) return figure_of(d, results);
  throw std::runtime_error("no figure " + name);
}

Figure figure(const StudyResults& results, const std::string& name) {
  const auto result = result_of(results, name);
  if (const auto* missing = std::get_if<MissingFigure>(&result)) throw std::runtime_error(name + ": " + missing->why);
  return std::get<Figure>(result);
}

std::string why_missing(const StudyResults& results, const std::string& name) {
  const auto result = result_of(results, name);
  return std::holds_alternative<MissingFigure>(result) ? std::get<MissingFigure>(result).why : "";
}

/// A figure's own table, or one of the further ones.
Table table_of(const Figure& f, const std::string& file = "") {
  const test::ScratchDir folder;
  std::string text = f.csv;
  for (const auto& more : f.more)
    if (more.name == file) text = more.content;
  test::write_file(folder / "t.csv", text);
  return read_csv(folder / "t.csv");
}

std::map<std::string, std::string> drawn_files(const StudyResults& results) {
  const test::ScratchDir folder;
  Progress progress;
  const auto drawn = draw_figures(results, folder.path(), Context{progress, 2});
  std::map<std::string, std::string> files{{"figures.json", drawn.json}};
  for (const auto& name : drawn.files) files[name] = read_text(folder / name);
  CHECK(drawn.notes.empty());
  return files;
}

}  // namespace

TEST_CASE("Fig. 1B: the difference of densities and that of halves") {
  const test::ScratchDir out;
  const Figure f = figure(test::small_study(out.path()), "fig1b");
  const Table differences = table_of(f, "fig1b_differences.csv");
  REQUIRE(differences.rows() == 2);
  CHECK(differences.numbers("difference") == std::vector<double>{-3, 3});
  CHECK(differences.numbers("sham")[0] == Approx(1));  // |4.5 - 3.5|, in both electrodes
  CHECK(f.script.find("ten (n = 4)") != std::string::npos);
  CHECK(f.script.find("KS 0.75, W1 0.10 (halves: KS 0.50)") != std::string::npos);
}

TEST_CASE("Fig. 2A: severe particles, their nearest neighbours and the balls' radii") {
  const test::ScratchDir out;
  const Figure f = figure(test::small_study(out.path()), "fig2a");
  const Table particles = table_of(f), lines = table_of(f, "fig2a_neighbours.csv");
  REQUIRE(particles.rows() == 5);
  double severe = 0;
  for (const double s : particles.numbers("severe")) severe += s;
  CHECK(severe == 4);
  for (std::size_t row = 0; row < 5; ++row)
    if (particles.find("label")->ids[row] != 5)
      CHECK(particles.numbers("radius_um")[row] == Approx(1).margin(1e-5));  // V = 4 pi / 3
  // Severe at 0, 1, 4, 9: from 1 the others are at 1, 3, 8, from 0 at 1, 4, 9.
  REQUIRE(lines.rows() >= 3);
  CHECK(lines.numbers("distance_um")[0] == Approx(1));
  CHECK(lines.numbers("distance_um")[1] == Approx(3));
  CHECK(lines.numbers("distance_um")[2] == Approx(8));
  CHECK(f.caption.find("5 particles, 4 severe") != std::string::npos);
}

TEST_CASE("Fig. 2C: without a distance that survives the edge rule all are shown, and it says so") {
  const test::ScratchDir out;
  const Figure f = figure(test::small_study(out.path()), "fig2c");
  const Table curves = table_of(f), means = table_of(f, "fig2c_means.csv");
  std::map<std::string, double> integral;
  for (std::size_t row = 0; row < curves.rows(); ++row)
    integral[curves.find("electrode")->texts[row]] +=
        curves.numbers("density")[row] * (curves.numbers("high")[row] - curves.numbers("low")[row]);
  CHECK(integral["ten"] == Approx(1));
  CHECK(integral["fifty"] == Approx(1));
  CHECK(f.script.find("no edge rule") != std::string::npos);
  REQUIRE(means.rows() == 4);
  CHECK(means.numbers("p")[0] == 0.25);  // the stratified null
}

TEST_CASE("Figs. 4A and 4B: what is common is faint, what differs is solid") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  const Figure a = figure(results, "fig4a"), b = figure(results, "fig4b");
  CHECK(table_of(a).find("drawn_as")->texts == std::vector<std::string>{"common", "different", "no link"});
  CHECK(table_of(b).find("drawn_as")->texts == std::vector<std::string>{"common", "no link", "one_electrode"});
  CHECK(a.script.find("transparent solid 0.25 noborder fillcolor rgb positive") != std::string::npos);
  CHECK(a.script.find("transparent solid 1 noborder fillcolor rgb negative") != std::string::npos);
  const Table signs = table_of(a, "fig4a_signs.csv");
  CHECK(signs.numbers("sign") == std::vector<double>{1, -1});
  // The third latent is not stable: its node is hollow.
  CHECK(a.script.find(
            "val('node') == 3 ? val('x') : NaN):(val('y')) with filledcurves closed fillstyle solid 1 border") !=
        std::string::npos);
  CHECK(a.script.find(
            "val('node') == 2 ? val('x') : NaN):(val('y')) with filledcurves closed fillstyle solid 1 noborder") !=
        std::string::npos);
}

TEST_CASE("Fig. 4C: bars, runs, differences and the sham beside them") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  const Figure f = figure(results, "fig4c");
  const Table bars = table_of(f), runs = table_of(f, "fig4c_runs.csv"),
              differences = table_of(f, "fig4c_differences.csv");
  REQUIRE(bars.rows() == 4);
  CHECK(bars.numbers("mean_abs_shap") == std::vector<double>{1, 0.5, 2, 0.5});
  CHECK(bars.find("attribute")->texts[0] == "Elongation");  // the published order: own attributes first
  CHECK(bars.numbers("position")[0] == Approx(1 - 0.21));
  CHECK(bars.numbers("position")[2] == Approx(1 + 0.21));
  CHECK(runs.rows() == 8);  // of the profile of inference only
  REQUIRE(differences.rows() == 2);
  CHECK(differences.numbers("sham")[0] == Approx(0.25));  // the largest |mean| of the halves
  CHECK(table_of(figure(results, "fig4c_paper")).numbers("mean_abs_shap")[0] == Approx(2));
  CHECK(figure(results, "fig4c_paper").caption.find("definition") != std::string::npos);
}

TEST_CASE("Published scores are shown on measured data only") {
  const test::ScratchDir out;
  auto results = test::small_study(out.path());
  test::write_file(out / "published.csv", "electrode,attribute,score,sd\nten,Elongation,0.7,0.1\nfifty,Contact,0.3,\n");
  results.settings.published_scores = InputPath{"published.csv", (out / "published.csv").string()};
  const Figure f = figure(results, "fig4c");
  const Table published = table_of(f, "fig4c_published.csv");
  CHECK(published.numbers("score") == std::vector<double>{0.7, 0.3});
  test::write_file(out / "published.csv",
                   "attribute_paper,all20_mean_10cyc,all20_std_10cyc,all20_mean_50cyc,all20_std_50cyc\nElongation,0.7,"
                   "0.1,0.9,0.1\n");
  CHECK(table_of(figure(results, "fig4c"), "fig4c_published.csv").numbers("score") == std::vector<double>{0.7, 0.9});
  results.electrodes[1].synthetic = "synthetic: a test";
  const Figure synthetic = figure(results, "fig4c");
  CHECK(std::none_of(synthetic.more.begin(), synthetic.more.end(),
                     [](const auto& m) { return m.name == "fig4c_published.csv"; }));
  CHECK(synthetic.caption.find("measured data only") != std::string::npos);
  results.electrodes[1].synthetic.clear();
  test::write_file(out / "published.csv", "a,b\n1,2\n");
  CHECK_THROWS_WITH(figure(results, "fig4c"), Catch::Contains("electrode, attribute, score"));
}

TEST_CASE("SHAP figures join values and particles by the forest's training rows") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  const Table swarm = table_of(figure(results, "shap_beeswarm"));
  REQUIRE(swarm.rows() == 12);  // two electrodes, two attributes, three particles
  std::vector<double> volume;
  for (std::size_t row = 0; row < 6; ++row)
    if (swarm.find("attribute")->texts[row] == "Elongation") volume.push_back(swarm.numbers("rank")[row]);
  CHECK(volume.size() == 3);
  const Table dependence = table_of(figure(results, "shap_dependence"));
  REQUIRE(dependence.rows() == 12);
  CHECK(dependence.find("attribute")->texts[0] == "Elongation");
  // Rows 0, 2 and 3 of the table.
  CHECK(dependence.numbers("shap")[0] == Approx(-0.1));
  const Table predicted = table_of(figure(results, "predicted"));
  CHECK(predicted.numbers("out_of_bag")[0] == Approx(0.15));
  CHECK(std::isnan(predicted.numbers("out_of_bag")[2]));
}

TEST_CASE("The neighbourhood's share, its difference, and depth") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  const Table share = table_of(figure(results, "neighbour_share"));
  REQUIRE(share.rows() == 3);
  CHECK(share.numbers("value")[2] == Approx(0.1));  // 0.2 - 0.1
  const Table depth = table_of(figure(results, "damage_depth"), "damage_depth_profile.csv");
  REQUIRE(depth.rows() == 2);  // five particles: one slice each
  CHECK(depth.numbers("median")[0] == Approx(0.7));
  CHECK(table_of(figure(results, "sham")).rows() == 6);
  CHECK(table_of(figure(results, "figs11")).rows() == 4);
  CHECK(table_of(figure(results, "figs12"), "figs12_coupling.csv").rows() == 4);
}

TEST_CASE("A figure without its input is missing and says why") {
  const test::ScratchDir out;
  auto results = test::small_study(out.path());
  fs::remove(out / "latent_links.csv");
  CHECK(why_missing(results, "fig4a").find("latent_links.csv is not there") != std::string::npos);
  results.unusable["regression"] = "the stage regression is of another configuration";
  CHECK(why_missing(results, "fig1b") == "the stage regression is of another configuration");
  results.unusable.clear();
  results.electrodes.pop_back();
  CHECK(why_missing(results, "fig2b") == "the run has 1 electrode");
  CHECK(why_missing(results, "fig1b").empty());
  results.electrodes.clear();
  for (const auto& d : drawers()) CHECK_NOTHROW(figure_of(d, results));
  CHECK_FALSE(why_missing(results, "fig4c").empty());
}

TEST_CASE("Too few severely damaged particles for distances are no failure of gnuplot's") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  Table summary = read_csv(out / "statistics" / "fig2c_summary.csv");
  for (auto& column : summary.columns)
    if (column.name.find("distance") != std::string::npos || column.name.find("null") != std::string::npos)
      std::fill(column.numbers.begin(), column.numbers.end(), std::nan(""));
  test::write_file(out / "statistics" / "fig2c_summary.csv", csv_text(summary));
  CHECK(why_missing(results, "fig2c").find("four severely damaged particles") != std::string::npos);
}

TEST_CASE("A damaged file of the run is an error, not a missing figure") {
  const test::ScratchDir out;
  const auto results = test::small_study(out.path());
  test::write_file(out / "ten" / "regression.json", "{");
  CHECK_THROWS_AS(result_of(results, "fig4c"), Error);
}

TEST_CASE("Every figure is drawn, twice with the same bytes") {
  const test::ScratchDir out;
  auto results = test::small_study(out.path());
  results.electrodes[0].synthetic = "synthetic: a test";
  results.settings.which = of_tables;
  const auto first = drawn_files(results), second = drawn_files(results);
  CHECK(first == second);
  const auto json = nlohmann::json::parse(first.at("figures.json"));
  CHECK(json.at("missing").empty());
  std::set<std::string> names;
  for (const auto& f : json.at("figures")) {
    names.insert(f.at("name").get<std::string>());
    CHECK_FALSE(f.at("caption").get<std::string>().empty());
    for (const auto& file : f.at("files")) CHECK(first.at(file.get<std::string>()).size() > 20);
    const std::string svg = first.at(f.at("name").get<std::string>() + ".svg");
    CHECK((svg.find("synthetic data") != std::string::npos) == f.at("synthetic").get<bool>());
  }
  CHECK(names.size() == of_tables.size());
  CHECK(first.at("fig1b.pdf").substr(0, 5) == "%PDF-");
}

TEST_CASE("Names of users reach gnuplot as text, whatever is in them") {
  const test::ScratchDir out;
  test::StudyNames names;
  names.first = "10";  // a number
  names.second = "a_b.c-d";
  names.own = "`touch pwned`";
  names.neighbour = "it's'' {/=40 100 %} \\n $x @home";
  auto results = test::small_study(out.path(), names);
  results.settings.which = of_tables;
  const test::ScratchDir folder;
  Progress progress;
  const auto drawn = draw_figures(results, folder.path(), Context{progress, 1});
  for (const auto& m : drawn.missing) UNSCOPED_INFO(m.name + ": " + m.why);
  CHECK(drawn.missing.empty());
  CHECK_FALSE(fs::exists(folder / "pwned"));
  CHECK(read_text(folder / "figs11.svg").find("`touch pwned`") != std::string::npos);
  CHECK(read_text(folder / "figs11.svg").find("100 %") != std::string::npos);
}

TEST_CASE("Only the formats and figures that are asked for") {
  const test::ScratchDir out;
  auto results = test::small_study(out.path());
  results.settings.formats = {"svg"};
  results.settings.which = {"fig1b"};
  const auto files = drawn_files(results);
  CHECK(files.contains("fig1b.svg"));
  CHECK_FALSE(files.contains("fig1b.pdf"));
  CHECK_FALSE(files.contains("fig4c.svg"));
}
