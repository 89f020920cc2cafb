#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include "planted.hpp"
#include "test_data.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace cathoscope;
using namespace test;

namespace {

/// State of the planted pair, and whether the first electrode's interval covers 0.
struct Found {
  std::string state;
  bool covers_zero = false;
};

Found planted_pair(const LatentResult& result) {
  const auto p = pair_index(result, latent_of_column(result, 0), latent_of_column(result, 3));
  if (p < 0) return {"one latent", false};
  const auto& link = result.electrodes.front().links[static_cast<std::size_t>(p)];
  return {result.comparisons.front().pairs[static_cast<std::size_t>(p)].state, link.low <= 0 && link.high >= 0};
}

int common_found(int tables, const LatentConfig& config) {
  int found = 0;
  for (int t = 0; t < tables; ++t)
    found += planted_pair(analysed(config, planted_input(1000, 0.5, 0.5, 100 + static_cast<std::uint64_t>(t)))).state ==
                     "common"
                 ? 1
                 : 0;
  return found;
}

int second_found(int tables, const LatentConfig& config) {
  int found = 0;
  for (int t = 0; t < tables; ++t) {
    const auto f = planted_pair(analysed(config, planted_input(1000, 0, 0.5, 300 + static_cast<std::uint64_t>(t))));
    found += f.state == "only_second" && f.covers_zero ? 1 : 0;
  }
  return found;
}

/// Two random halves of one electrode.
LatentInput split(const LatentElectrode& e, const std::vector<std::string>& columns, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(e.values.rows));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  Stream draw(seed, {"split"});
  draw.shuffle(order.begin(), order.end());
  LatentInput input{columns,
                    {{"a", {}, DataMatrix(0, e.values.columns), {}}, {"b", {}, DataMatrix(0, e.values.columns), {}}}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& half = input.electrodes[i % 2];
    half.values.values.insert(half.values.values.end(), e.values.row(order[i]),
                              e.values.row(order[i]) + e.values.columns);
    half.values.rows += 1;
    half.label.push_back(static_cast<std::uint64_t>(order[i]));
  }
  return input;
}

/// Splits in which anything is called different, and all pairs that are.
std::pair<int, int> false_differences(int splits, const LatentConfig& config) {
  int tables = 0, pairs = 0;
  for (int t = 0; t < splits; ++t) {
    const auto e = planted_electrode("e", 2000, 0.3, 500 + static_cast<std::uint64_t>(t)).electrode;
    const auto result = analysed(config, split(e, planted_columns(), static_cast<std::uint64_t>(t)));
    int here = 0;
    for (const auto& d : result.comparisons.front().pairs) here += d.different ? 1 : 0;
    tables += here > 0 ? 1 : 0;
    pairs += here;
  }
  return {tables, pairs};
}

std::string message_of(const LatentConfig& config, const LatentInput& input, Exit& exit) {
  try {
    (void)analysed(config, input);
  } catch (const Error& e) {
    exit = e.exit();
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a link planted in both electrodes is common, one in the second only is only_second") {
  CHECK(common_found(3, quick_config()) == 3);
  // The interval covers 0 in 95 of 100 tables: two of three must.
  CHECK(second_found(3, quick_config()) >= 2);
}

TEST_CASE("random halves of one electrode do not differ") {
  const auto [tables, pairs] = false_differences(3, quick_config());
  CHECK(tables == 0);
  CHECK(pairs == 0);
}

TEST_CASE("gates of every mode, 20 tables each", "[.][long]") {
  for (const char* mode : {"oblique", "pooled", "reference", "separate"}) {
    LatentConfig config = quick_config(mode);
    const int common = common_found(20, config), second = second_found(20, config);
    const auto [tables, pairs] = false_differences(20, config);
    std::printf(
        "%-10s common %d/20, only_second with interval over 0 %d/20, A/A splits with a difference %d/20, pairs "
        "%d/720\n",
        mode, common, second, tables, pairs);
    if (std::string(mode) != "oblique") continue;
    CHECK(common >= 16);
    CHECK(second >= 16);
    CHECK(pairs <= 36);
    CHECK(tables <= 3);  // of 20 with a true rate of 5 % more than 3 have probability 0.016
  }
}

TEST_CASE("results are the same bits for any number of threads, and others for another seed") {
  LatentConfig config = quick_config();
  config.restarts = 4;
  config.iterations = 40;
  const auto mode = GENERATE("oblique", "reference", "separate");
  config.mode = mode;
  const auto input = planted_input(400, 0.5, 0.2, 1);
  const auto one = analysed(config, input, 7, 1);
  for (const int threads : {2, 4}) {
    const auto other = analysed(config, input, 7, threads);
    CHECK(csv_text(latent_links_table(one)) == csv_text(latent_links_table(other)));
    CHECK(csv_text(latent_differences_table(one)) == csv_text(latent_differences_table(other)));
    CHECK(latent_summary_json(one) == latent_summary_json(other));
    CHECK(csv_text(latent_codes_table(one.electrodes[1])) == csv_text(latent_codes_table(other.electrodes[1])));
    ScratchDir dir;
    write_latent_model(one, dir / "1.h5");
    write_latent_model(other, dir / "2.h5");
    CHECK(sha256_of_file(dir / "1.h5") == sha256_of_file(dir / "2.h5"));
  }
  const auto seeded = analysed(config, input, 8, 2);
  CHECK(csv_text(latent_links_table(one)) != csv_text(latent_links_table(seeded)));
}

TEST_CASE("another seed gives the same latents to within a hundredth") {
  const auto input = planted_input(1000, 0.5, 0.5, 2);
  const auto a = analysed(quick_config(), input, 1), b = analysed(quick_config(), input, 2);
  for (std::size_t p = 0; p < a.electrodes[0].links.size(); ++p)
    CHECK(a.electrodes[0].links[p].r == Approx(b.electrodes[0].links[p].r).margin(0.01));
  for (const double s : a.models.front().stability) CHECK(s > 0.99);
  for (const double s : a.models.front().half_stability) CHECK(s > 0.99);
}

TEST_CASE("the order of rows and columns and the units of columns do not matter") {
  // Rows: the held-out rows change; columns: the random start changes; neither moves r by more than 0.01.
  const auto input = planted_input(1000, 0.5, 0.5, 3);
  LatentInput turned = input;
  std::reverse(turned.columns.begin(), turned.columns.end());
  for (auto& e : turned.electrodes)
    for (std::int64_t i = 0; i < e.values.rows; ++i) {
      const auto& from = input.electrodes[&e == &turned.electrodes[0] ? 0 : 1].values;
      for (std::int64_t c = 0; c < 22; ++c) e.values.row(i)[c] = 1e3 * from.row(e.values.rows - 1 - i)[21 - c] - 5;
    }
  const auto a = analysed(quick_config(), input), b = analysed(quick_config(), turned);
  const auto link = [](const LatentResult& r, std::int64_t first, std::int64_t second) {
    const auto p = pair_index(r, latent_of_column(r, first), latent_of_column(r, second));
    return r.electrodes[0].links[static_cast<std::size_t>(p)].r;
  };
  CHECK(link(a, 0, 3) == Approx(link(b, 21, 18)).margin(0.01));
  CHECK(std::abs(link(a, 0, 6)) == Approx(std::abs(link(b, 21, 15))).margin(0.01));
}

TEST_CASE("an electrode with a link is more intertwined than one without") {
  const auto c = analysed(quick_config(), planted_input(1000, 0, 0.5, 4)).comparisons.front();
  CHECK(c.total_correlation.difference > 0.05);
  CHECK(c.total_correlation.p < 0.01);
  // The volume also holds the variances of nine latents, which scatter: it needs a stronger link to be sure.
  const auto strong = analysed(quick_config(), planted_input(1000, 0, 0.9, 4)).comparisons.front();
  CHECK(strong.log_volume.difference > 0.2);
  CHECK(strong.log_volume.p < 0.05);
}

TEST_CASE("one electrode, three electrodes, one dimension, as many dimensions as columns") {
  LatentConfig config = quick_config();
  config.iterations = 40;
  LatentInput one = planted_input(300, 0.5, 0.5, 5);
  one.electrodes.pop_back();
  const auto single = analysed(config, one);
  CHECK(single.comparisons.empty());
  CHECK(single.shams.size() == 1);
  CHECK(latent_differences_table(single).rows() == 0);
  CHECK(latent_links_table(single).rows() == 36);
  LatentInput three = planted_input(300, 0.5, 0.5, 5);
  three.electrodes.push_back(planted_electrode("third", 120, 0.1, 6).electrode);
  const auto triple = analysed(config, three);
  REQUIRE(triple.comparisons.size() == 2);
  CHECK(triple.comparisons[1].first == "first");
  CHECK(triple.comparisons[1].second == "third");
  config.dimensions = 1;
  const auto line = analysed(config, one);
  CHECK(line.electrodes.front().links.empty());
  CHECK(latent_codes_table(line.electrodes.front()).columns.size() == 2);
  config.dimensions = 22;
  config.permutations = 20;
  const auto whole = analysed(config, one);
  CHECK(whole.electrodes.front().links.size() == 231);
  CHECK(whole.models.front().explained.back() > 0.95);
}

TEST_CASE("latents have mean 0, variance 1 and the sign of what leads them") {
  const auto result = analysed(quick_config(), planted_input(1000, 0.5, 0.5, 6));
  for (std::int64_t k = 0; k < 9; ++k) {
    double sum = 0, square = 0;
    for (const auto& e : result.electrodes)
      for (std::int64_t i = 0; i < e.codes.rows; ++i) {
        sum += e.codes.row(i)[k];
        square += e.codes.row(i)[k] * e.codes.row(i)[k];
      }
    CHECK(sum / 2000 == Approx(0).margin(1e-9));
    CHECK(square / 2000 == Approx(1).epsilon(1e-9));
    CHECK(result.meaning[static_cast<std::size_t>(k)].correlation.front() > 0.8);
  }
  const auto& explained = result.models.front().explained;
  CHECK(std::is_sorted(explained.begin(), explained.end()));
}

TEST_CASE("what cannot be done is refused with a reason") {
  Exit exit = Exit::ok;
  LatentConfig config = quick_config();
  config.dimensions = 23;
  CHECK_THAT(message_of(config, planted_input(100, 0, 0, 1), exit), Catch::Contains("allowed are 1 to 22"));
  CHECK(exit == Exit::config);
  config.dimensions = 9;
  CHECK_THAT(message_of(config, planted_input(8, 0, 0, 1), exit), Catch::Contains("8 usable rows"));
  CHECK(exit == Exit::data);
  auto gap = planted_input(100, 0, 0, 1);
  gap.electrodes[1].values.row(4)[2] = std::nan("");
  CHECK_THAT(message_of(config, gap, exit), Catch::Contains("row 5, column 'f1c'"));
  CHECK(exit == Exit::data);
  auto constant = planted_input(100, 0, 0, 1);
  for (std::int64_t c = 0; c < 14; ++c)
    for (std::int64_t i = 0; i < 100; ++i) constant.electrodes[0].values.row(i)[c] = 0.1;
  CHECK_THAT(message_of(config, constant, exit), Catch::Contains("8 columns"));
  CHECK(exit == Exit::config);
}

TEST_CASE("few rows and a repeated column are no obstacle") {
  LatentConfig config = quick_config();
  config.dimensions = 3;
  auto input = planted_input(12, 0, 0, 7);
  for (auto& e : input.electrodes)
    for (std::int64_t i = 0; i < 12; ++i) e.values.row(i)[1] = e.values.row(i)[0];
  const auto result = analysed(config, input);
  for (const auto& l : result.electrodes[1].links) CHECK(std::isfinite(l.r));
}

TEST_CASE("training on a sample of the rows gives what all rows give") {
  // 300 rows an electrode carry a sampling error of about 0.05 into each latent's direction.
  const auto input = planted_input(3000, 0.5, 0.5, 8);
  LatentConfig config = quick_config();
  const auto all = analysed(config, input);
  config.training_rows = 600;
  const auto sampled = analysed(config, input);
  CHECK(sampled.electrodes[0].codes.rows == 3000);
  const auto p = pair_index(all, latent_of_column(all, 0), latent_of_column(all, 3));
  const auto q = pair_index(sampled, latent_of_column(sampled, 0), latent_of_column(sampled, 3));
  CHECK(all.electrodes[0].links[static_cast<std::size_t>(p)].r ==
        Approx(sampled.electrodes[0].links[static_cast<std::size_t>(q)].r).margin(0.05));
}

TEST_CASE("real tables: varieties of dry beans as electrodes") {
  const Table beans = read_csv(data_file("particle_tables/Dry_Bean_Dataset.csv"));
  const auto& variety = beans.numbers("Class");
  LatentInput input;
  for (const auto& c : beans.columns)
    if (c.name != "Class") input.columns.push_back(c.name);
  std::map<std::string, std::vector<double>> filled;  // a few values of the file are missing
  for (const auto& name : input.columns) {
    filled[name] = beans.numbers(name);
    std::vector<double> known;
    for (const double v : filled[name])
      if (std::isfinite(v)) known.push_back(v);
    std::nth_element(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2), known.end());
    for (double& v : filled[name])
      if (!std::isfinite(v)) v = known[known.size() / 2];
  }
  const std::vector<double> kinds{variety.front(), variety.back()};
  REQUIRE(kinds[0] != kinds[1]);
  for (const double kind : kinds) {
    LatentElectrode e{"variety " + std::to_string(static_cast<int>(kind)), {}, DataMatrix(0, 16), {}};
    for (std::size_t i = 0; i < beans.rows(); ++i) {
      if (variety[i] != kind) continue;
      for (const auto& name : input.columns) e.values.values.push_back(filled.at(name)[i]);
      e.values.rows += 1;
      e.label.push_back(i);
    }
    input.electrodes.push_back(std::move(e));
  }
  LatentConfig config = quick_config();
  config.dimensions = 4;
  const auto result = analysed(config, input);
  CHECK(result.models.front().explained.back() > 0.85);
  for (const double s : result.models.front().stability) CHECK(s > 0.9);
  // Area, perimeter and equivalent diameter are sizes of one body: one latent.
  CHECK(latent_of_column(result, 0) == latent_of_column(result, 7));
  // Halves of one variety do not differ.
  for (const auto& d : analysed(config, split(input.electrodes[0], input.columns, 3)).comparisons.front().pairs)
    CHECK_FALSE(d.different);
}
