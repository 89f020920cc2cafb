#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/figures/figures.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <cmath>
#include <fstream>

using namespace cathoscope;

namespace {

FigureResult drawn(const std::string& name, const StudyResults& results) {
  for (const auto& d : drawers())
    if (d.name == name) return figure_of(d, results);
  FAIL("no figure is called " << name);
  return MissingFigure{};
}

/// The table behind a figure.
Table table_of(const std::string& name, const StudyResults& results, const test::ScratchDir& folder) {
  const auto result = drawn(name, results);
  if (const auto* missing = std::get_if<MissingFigure>(&result)) FAIL(name << " is missing: " << missing->why);
  write_atomically(folder / "table.csv", std::get<Figure>(result).csv);
  return read_csv(folder / "table.csv");
}

/// A run folder with a network of particles over two cycles of a charge and a discharge of four steps each.
/// Content of particle p at step s: 1 - 0.1 s' - 0.01 p; damage grows by 0.1 (p + 1) a charge.
StudyResults network_run(const test::ScratchDir& folder, std::int64_t particles) {
  constexpr std::int64_t steps = 16;
  auto file = H5File::create(folder / "chemomechanics.h5");
  std::vector<double> content, damage, stress, cycle, half, tau, voltage, radius, coverage;
  for (std::int64_t s = 0; s < steps; ++s) {
    const auto in_half = static_cast<double>(s % 4 + 1);
    const bool charge = s % 8 < 4;
    cycle.push_back(static_cast<double>(s / 8 + 1));
    half.push_back(charge ? 0 : 2);
    tau.push_back(0.1 * in_half);
    voltage.push_back(4);
    for (std::int64_t p = 0; p < particles; ++p) {
      const auto number = static_cast<double>(p);
      content.push_back(charge ? 1 - 0.1 * in_half - 0.01 * number : 0.6 + 0.1 * in_half - 0.01 * number);
      const double charges = static_cast<double>(s / 8) + (charge ? in_half / 4 : 1);
      damage.push_back(0.1 * (number + 1) * charges / static_cast<double>(particles));
      stress.push_back(10 * in_half);
    }
  }
  for (std::int64_t p = 0; p < particles; ++p) {
    radius.push_back(5);
    coverage.push_back((static_cast<double>(p) + 0.5) / static_cast<double>(particles));
  }
  const Index3 shape{1, steps, particles};
  for (const auto& [name, values] :
       {std::pair{"/concentration", &content}, std::pair{"/damage", &damage}, std::pair{"/hoop_stress_max", &stress}}) {
    const auto sink = file.create_grid<double>(name, shape, {1, 1, 1}, {0, 0, 0}, Storage::compressed);
    sink.write(whole(shape), values->data());
  }
  file.write_array("/steps/cycle", cycle);
  file.write_array("/steps/half_cycle", half);
  file.write_array("/steps/tau", tau);
  file.write_array("/steps/voltage_V", voltage);
  file.write_array("/particles/radius_um", radius);
  file.write_array("/particles/coverage", coverage);
  file.close();
  StudyResults results;
  results.folder = folder.path();
  return results;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("figure 3A: the drawn height of a particle has the share of surface on each side") {
  const test::ScratchDir folder;
  const Table t = table_of("fig3a", network_run(folder, 3), folder);
  REQUIRE(t.rows() == 3);
  for (std::size_t p = 0; p < 3; ++p) {
    const double below = (t.numbers("radius_um")[p] - t.numbers("y_um")[p]) / 2 / t.numbers("radius_um")[p];
    CHECK(below == Approx(t.numbers("coverage")[p]).epsilon(1e-12));  // Archimedes' hat-box theorem
    // The thick arc begins and ends where the sphere crosses the boundary of the binders.
    for (const char* end : {"arc_begin_degree", "arc_end_degree"})
      CHECK(t.numbers("y_um")[p] + t.numbers("radius_um")[p] * std::sin(t.numbers(end)[p] * M_PI / 180) ==
            Approx(0).margin(1e-9));
  }
}

TEST_CASE("figure 3B: the first charge alone, as the run has it") {
  const test::ScratchDir folder;
  const Table t = table_of("fig3b", network_run(folder, 3), folder);
  REQUIRE(t.rows() == 4);
  CHECK(t.numbers("tau").back() == Approx(0.4));
  for (std::size_t s = 0; s < 4; ++s)
    CHECK(t.numbers("content_3")[s] == Approx(1 - 0.1 * static_cast<double>(s + 1) - 0.02).epsilon(1e-15));
}

TEST_CASE("figure 3C: spreads over particles, and where a step lies among the cycles") {
  const test::ScratchDir folder;
  const Table t = table_of("fig3c", network_run(folder, 3), folder);
  REQUIRE(t.rows() == 16);
  for (std::size_t s = 0; s < 16; ++s) {
    CHECK(t.numbers("content_range")[s] == Approx(0.02).epsilon(1e-12));
    CHECK(t.numbers("content_std")[s] == Approx(0.01 * std::sqrt(2.0 / 3)).epsilon(1e-12));  // of the population
    CHECK(t.numbers("cycles_since_start")[s] == Approx((static_cast<double>(s) + 1) / 8).epsilon(1e-12));
    CHECK(std::isfinite(t.numbers("first_charge_tau")[s]) == (s < 4));
    CHECK(std::isfinite(t.numbers("content_std_end_of_charge")[s]) == (s == 3 || s == 11));
  }
}

TEST_CASE("figures 3D and 3E: damage, its mean, and deviations that sum to nothing") {
  const test::ScratchDir folder;
  const auto results = network_run(folder, 3);
  const Table damage = table_of("fig3d", results, folder), deviation = table_of("fig3e", results, folder);
  for (std::size_t s = 0; s < damage.rows(); ++s) {
    double sum = 0;
    for (const std::string p : {"1", "2", "3"}) {
      sum += deviation.numbers("deviation_" + p)[s];
      CHECK(damage.numbers("damage_" + p)[s] - damage.numbers("damage_mean")[s] ==
            Approx(deviation.numbers("deviation_" + p)[s]).margin(1e-15));
    }
    CHECK(std::abs(sum) < 1e-15);
  }
}

TEST_CASE("figure S4 is of more than three particles, and of many it shows some, with the mean of all") {
  const test::ScratchDir three, many;
  CHECK(std::holds_alternative<MissingFigure>(drawn("figs4", network_run(three, 3))));
  const Table t = table_of("figs4", network_run(many, 100), many);
  CHECK(t.find("damage_30") != nullptr);
  CHECK(t.find("damage_31") == nullptr);
  CHECK(t.numbers("damage_mean").back() == Approx(2 * 0.1 * 50.5 / 100).epsilon(1e-12));
}

TEST_CASE("without a run of the model its figures say so") {
  const test::ScratchDir folder;
  StudyResults results;
  results.folder = folder.path();
  for (const char* name : {"fig3a", "fig3b", "fig3e", "figs4", "model_stress", "model_laws", "model_synchrony"}) {
    const auto result = drawn(name, results);
    REQUIRE(std::holds_alternative<MissingFigure>(result));
    CHECK(!std::get<MissingFigure>(result).why.empty());
  }
  results.unusable["chemomechanics"] = "of other settings";
  CHECK(std::get<MissingFigure>(drawn("fig3b", results)).why == "of other settings");
}

TEST_CASE("the figures of the studies show the tables, and missing values as missing") {
  const test::ScratchDir folder;
  StudyResults results;
  results.folder = folder.path();
  write(folder / "explore/laws.csv",
        "run,x_ratio,damage_ratio,damage_mean_first,damage_mean_last,failure\ncontact reversion,0.02,0.0001,0.6,1,\n"
        "ohmic film,0.2,,0.6,0.9,\n");
  const Table laws = table_of("model_laws", results, folder);
  CHECK(laws.numbers("lithium_ratio") == std::vector<double>{0.02, 0.2});
  CHECK(laws.numbers("damage_ratio")[0] == 0.0001);
  CHECK(laws.numbers("damage_ratio_shown")[0] == 0.001);  // the end of the axis
  CHECK(std::isnan(laws.numbers("damage_ratio_shown")[1]));
  write(folder / "explore/coverage.csv",
        "run,damage_std_peak,damage_mean_first,damage_mean_last,sync_cycle,damage_mean_sync,together_cycle,"
        "damage_mean_together\n\"as configured, spread 0.05\",0.01,0.6,1,8,0.9,1,0.6\n"
        "\"as configured, spread 0.45\",0.1,0.6,1,8,0.9,,\n");
  const Table coverage = table_of("model_synchrony", results, folder);
  CHECK(coverage.numbers("spread") == std::vector<double>{0.05, 0.45});
  CHECK(std::isnan(coverage.numbers("damage_mean_together")[1]));
  CHECK(coverage.numbers("never_together")[1] > 1);  // marked above the axis of damage
  CHECK(std::isnan(coverage.numbers("never_together")[0]));
}

TEST_CASE("Morris' effects are drawn from the largest down, with both outputs in one row") {
  const test::ScratchDir folder;
  StudyResults results;
  results.folder = folder.path();
  std::string csv = "output,parameter,low,high,mean,mean_magnitude,ci_low,ci_high,std,effects\n";
  csv += "x_ratio,small,0,1,0.1,0.1,0.05,0.15,0.1,10\nx_ratio,large,0,1,-0.5,0.5,0.4,0.6,0.2,10\n";
  csv += "damage_ratio,small,0,1,0.2,0.2,0.1,0.3,0.1,8\ndamage_ratio,large,0,1,0.3,0.3,0.2,0.4,0.1,8\n";
  write(folder / "explore/morris.csv", csv);
  const Table t = table_of("model_morris", results, folder);
  CHECK(t.find("parameter")->texts == std::vector<std::string>{"large", "small"});
  CHECK(t.numbers("row") == std::vector<double>{2, 1});
  CHECK(t.numbers("lithium_mean") == std::vector<double>{-0.5, 0.1});
  CHECK(t.numbers("damage_ci_high") == std::vector<double>{0.4, 0.3});
}
