#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/contributions.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <cmath>

using namespace cathoscope;

namespace {

/// An electrode of independent attributes; Damage follows `rule` of the standardised attributes (by attribute_list).
template <class Rule>
ModelTable electrode(std::size_t rows, std::uint64_t seed, Rule rule) {
  Stream random(seed, {"contributions test"});
  Table table;
  for (const AttributeInfo& info : attribute_list) {
    table.columns.emplace_back();
    table.columns.back().name = info.name;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> z(attribute_list.size());
    for (double& v : z) v = random.normal();
    z[attribute_index("VSratio")] = z[attribute_index("Sphericity")] + 0.01 * random.normal();  // twins
    z[attribute_index("Damage")] = rule(z) + 0.3 * random.normal();
    for (std::size_t a = 0; a < attribute_list.size(); ++a) table.columns[a].numbers.push_back(z[a]);
  }
  return model_table(table, "Damage");
}

double of(const std::vector<double>& z, const char* name) { return z[attribute_index(name)]; }

double none(const std::vector<double>&) { return 0; }
double own(const std::vector<double>& z) { return of(z, "Sphericity") - 0.5 * of(z, "Elongation"); }
double neighbour(const std::vector<double>& z) { return of(z, "PDensity") - of(z, "DistNearest"); }

RegressionConfig small_config() {
  RegressionConfig config;
  config.trees = 12;
  config.max_leaves = 12;
  config.min_impurity_decrease = 0;
  config.seeds = 4;
  config.subsets = 3;
  config.subset_size = 150;
  config.half_samples = 30;
  config.permutations = 0;
  return config;
}

Contributions of_table(const ModelTable& table, const RegressionConfig& config, int threads = 2) {
  Progress progress;
  return contributions(config, {table, "e", "leak_free", 1, {{"Contact", 0.9}}}, {progress, threads});
}

const AttributeContribution& row(const Contributions& c, const std::string& name) {
  for (const AttributeContribution& a : c.attributes)
    if (a.attribute == name) return a;
  FAIL("no " << name);
  return c.attributes.front();
}

}  // namespace

TEST_CASE("planted causes are found by group, with their sign") {
  const Contributions a = of_table(electrode(400, 1, own), small_config());
  const Contributions b = of_table(electrode(400, 2, neighbour), small_config());
  CHECK(a.share_neighbour.value < 0.3);
  CHECK(b.share_neighbour.value > 0.7);
  CHECK(a.share_neighbour.high < b.share_neighbour.low);
  CHECK(a.groups[2].value > 3 * a.groups[3].value);
  CHECK(b.groups[3].value > 3 * b.groups[2].value);
  CHECK(row(a, "Sphericity").direction > 0.5);
  CHECK(row(a, "Elongation").direction < -0.5);
  CHECK(row(b, "DistNearest").direction < -0.5);
  CHECK(a.oob_r2 > 0.4);
  CHECK(a.spatial_cv_r2 > 0.4);
  CHECK(row(a, "Sphericity").mean_abs_shap.low > row(a, "Contact").mean_abs_shap.high);
  CHECK(row(a, "Contact").reliability == 0.9);
  CHECK(std::isnan(row(a, "Yaw").reliability));
  CHECK(row(a, "Elongation").per_sd_damage == Approx(row(a, "Elongation").mean_abs_shap.value / a.sd_target));
}

TEST_CASE("without a cause there is no out-of-bag and no spatial R2") {
  const Contributions c = of_table(electrode(400, 3, none), small_config());
  CHECK(c.oob_r2 <= 0.05);
  CHECK(c.spatial_cv_r2 <= 0.05);
}

TEST_CASE("the permutation floor rejects the planted unit, twins together, and not the others", "[slow]") {
  RegressionConfig config = small_config();
  config.seeds = 1;
  config.subsets = 0;
  config.half_samples = 0;
  config.trees = 6;
  config.permutations = 499;
  const Contributions c = of_table(electrode(200, 4, [](const auto& z) { return of(z, "Sphericity"); }), config);
  CHECK(row(c, "Sphericity").q < 0.05);
  CHECK(row(c, "Sphericity").q == row(c, "VSratio").q);
  CHECK(row(c, "Sphericity").p == 1.0 / 500);
  CHECK(row(c, "Sphericity").mean_abs_shap.value > row(c, "Sphericity").null_floor);
  int rejected = 0;
  for (const AttributeContribution& a : c.attributes)
    rejected += a.attribute != "Sphericity" && a.attribute != "VSratio" && a.q < 0.05;
  CHECK(rejected <= 1);
  CHECK(std::isnan(row(c, "Yaw").mean_abs_shap.low));  // no half samples: no interval
}

TEST_CASE("the protocol gives the same bits for any number of threads", "[slow]") {
  RegressionConfig config = small_config();
  config.permutations = 20;
  config.half_samples = 5;
  const ModelTable table = electrode(120, 5, own);
  const Contributions one = of_table(table, config, 1), four = of_table(table, config, 4);
  CHECK(csv_text(contributions_table(one)) == csv_text(contributions_table(four)));
  CHECK(csv_text(contribution_runs_table({&one})) == csv_text(contribution_runs_table({&four})));
  CHECK(regression_json(one, {}) == regression_json(four, {}));
  CHECK(forest_json(one.forest) == forest_json(four.forest));
}

TEST_CASE("a difference between electrodes is found, and none within one") {
  RegressionConfig config = small_config();
  const ModelTable first = electrode(400, 6, own), second = electrode(400, 7, neighbour);
  const Contributions a = of_table(first, config), b = of_table(second, config);
  const auto d = contribution_differences(a, b);
  const std::size_t features = attribute_list.size() - 3;  // without X, Y and the target
  CHECK(d.size() == features);
  for (const ContributionDifference& x : d) {
    if (x.attribute == "PDensity") {
      CHECK(x.mean > 0);
      CHECK(x.interval.low > 0);
      CHECK(x.q < 0.05);
    }
    if (x.attribute == "Elongation") CHECK(x.mean < 0);
  }
  Progress progress;
  const auto sham = sham_differences(config, {first, "e", "leak_free", 1, {}}, {progress, 2});
  CHECK(sham.size() == features);
  int found = 0;
  for (const ContributionDifference& x : sham) found += x.q < 0.05;
  CHECK(found <= 2);
  const Table t = contribution_differences_table({{"a", "b", "leak_free", d}});
  CHECK(t.rows() == features);
  CHECK(t.numbers("mean")[0] == d[0].mean);
}

TEST_CASE("subsets larger than 0.8 of the rows are cut, with a warning") {
  RegressionConfig config = small_config();
  config.half_samples = 0;
  Progress progress;
  const ModelTable table = electrode(100, 8, own);
  const Contributions c = contributions(config, {table, "e", "paper", 1, {}}, {progress, 2});
  CHECK(c.subset_size == 80);
  CHECK(progress.warnings().size() == 1);
  CHECK(contribution_runs_table({&c}).rows() == 7 * 21);
  const auto json = nlohmann::json::parse(regression_json(c, {}));
  CHECK(json["rows_used"] == 100);
  CHECK(json["share_neighbour"]["ci_low"].is_null());
}

TEST_CASE("statistics have the values of worked examples") {
  CHECK(quantile_of({4, 1, 3, 2}, 0.25) == Approx(1.75));  // numpy.quantile
  CHECK(sd_of({1, 2, 3, 4}) == Approx(1.2909944487358056));
  CHECK(ranks_of({10, 20, 10, 5}) == std::vector<double>{2.5, 4, 2.5, 1});
  CHECK(pearson({1, 2, 3}, {2, 4, 7}) == Approx(0.99339926779878));
  CHECK(spearman({1, 2, 3, 4}, {1, 4, 9, 16}) == Approx(1));
  CHECK(std::isnan(pearson({1, 1, 1}, {1, 2, 3})));
  const auto q = benjamini_hochberg({0.01, 0.04, 0.03, std::nan(""), 0.5});
  CHECK(q[0] == Approx(0.04));
  CHECK(q[1] == Approx(0.04 * 4 / 3));
  CHECK(q[2] == Approx(0.04 * 4 / 3));
  CHECK(std::isnan(q[3]));
  CHECK(q[4] == Approx(0.5));
  CHECK(normal_p(1.959963984540054) == Approx(0.05));
  CHECK(permutation_p({1, 2, 3}, 2.5) == Approx(0.5));
}
