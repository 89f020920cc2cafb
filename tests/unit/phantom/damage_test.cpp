#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace cathoscope;

namespace {

/// A planted phantom of a few dozen particles.
PhantomConfig planted() {
  PhantomConfig c = phantom_preset("demo");
  c.shape = {90, 140, 140};
  c.voxel_size_um = 0.25;
  return c;
}

Column numbers(const char* name, std::vector<double> values) {
  Column c;
  c.name = name;
  c.numbers = std::move(values);
  return c;
}

/// Attributes drawn at random, independent of each other: what a pipeline would measure on the crack-free bodies.
Table random_attributes(const PhantomConfig& config, std::size_t n, std::uint64_t seed) {
  Table table;
  Column label;
  label.name = "label";
  for (std::size_t i = 0; i < n; ++i) label.ids.push_back(i + 1);
  table.columns.push_back(label);
  for (const PlantTerm& term : config.plant.terms) {
    Stream draw(seed, {"attribute", term.attribute});
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(10 + 3 * draw.normal());
    table.columns.push_back(numbers(term.attribute.c_str(), values));
  }
  return table;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sa += a[i];
    sb += b[i];
    saa += a[i] * a[i];
    sbb += b[i] * b[i];
    sab += a[i] * b[i];
  }
  return (sab - sa * sb / n) / std::sqrt((saa - sa * sa / n) * (sbb - sb * sb / n));
}

std::vector<double> logarithms(std::vector<double> v) {
  for (double& x : v) x = std::log(x);
  return v;
}

/// A phantom of so many particles without shapes, for the statistics of targets.
Phantom many(const PhantomConfig& config, std::size_t n) {
  Phantom phantom;
  phantom.config = config;
  phantom.seed = 11;
  phantom.particles.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    Stream draw(5, {"place"}, i);
    for (double& c : phantom.particles[i].centre_um) c = draw.uniform(0, 100);
  }
  return phantom;
}

}  // namespace

TEST_CASE("cracks are added until the damage is what was asked for") {
  Progress progress;
  const Context context{progress, 2};
  const PhantomConfig config = planted();
  const double h = config.voxel_size_um;
  Phantom phantom = make_phantom(config, 2, context);
  const auto targets = damage_targets(phantom, random_attributes(config, phantom.particles.size(), 1));
  phantom = with_damage(std::move(phantom), targets, h, context);
  // Measured on the masks, not taken from the phantom's own account.
  const auto labels = body_labels(phantom, h).load().values;
  const auto mask = cracks(phantom, h).load().values;
  std::vector<double> body(targets.size()), crack(targets.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels.data()[i] == 0) continue;
    ++body[labels.data()[i] - 1];
    crack[labels.data()[i] - 1] += mask.data()[i];
  }
  std::size_t checked = 0;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    CHECK(phantom.particles[k].damage == crack[k] / body[k]);
    // In fewer voxels one voxel is more than the tolerance.
    if (body[k] < 500) continue;
    CHECK(crack[k] / body[k] == Approx(targets[k]).margin(0.005));
    ++checked;
  }
  CHECK(checked > 20);
}

TEST_CASE("the bodies do not change when they crack") {
  Progress progress;
  const Context context{progress, 2};
  const PhantomConfig config = planted();
  const Phantom whole_bodies = make_phantom(config, 3, context);
  const auto before = body_labels(whole_bodies, 0.3).load().values;
  const Phantom cracked =
      with_damage(whole_bodies, std::vector<double>(whole_bodies.particles.size(), 0.3), 0.3, context);
  const auto after = body_labels(cracked, 0.3).load().values;
  CHECK(std::equal(before.begin(), before.end(), after.begin()));
}

TEST_CASE("more damage only adds cracks") {
  Progress progress;
  const Context context{progress, 2};
  const Phantom phantom = make_phantom(planted(), 4, context);
  const std::size_t n = phantom.particles.size();
  const auto few = cracks(with_damage(phantom, std::vector<double>(n, 0.05), 0.3, context), 0.3).load().values;
  const auto many_cracks = cracks(with_damage(phantom, std::vector<double>(n, 0.2), 0.3, context), 0.3).load().values;
  bool lost = false;
  for (std::size_t i = 0; i < few.size(); ++i) lost = lost || (few.data()[i] && !many_cracks.data()[i]);
  CHECK_FALSE(lost);
  const auto none = cracks(with_damage(phantom, std::vector<double>(n, 0.0), 0.3, context), 0.3).load().values;
  CHECK(std::none_of(none.begin(), none.end(), [](std::uint8_t v) { return v != 0; }));
}

TEST_CASE("targets follow the stated function") {
  PhantomConfig config = planted();
  config.plant.noise = 0;
  config.plant.terms = {{"Sphericity", -2.0}};
  const Phantom phantom = many(config, 5);
  Table table = random_attributes(config, 5, 1);
  table.columns[1].numbers = {1, 2, 3, 4, 5};  // mean 3, sd sqrt(2.5)
  const auto targets = damage_targets(phantom, table);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(targets[i] == Approx(0.08 * std::exp(-0.6 * (static_cast<double>(i) - 2) / std::sqrt(2.5))).epsilon(1e-12));
  table.columns[1].name = "Volume";
  CHECK_THROWS_WITH(damage_targets(phantom, table), Catch::Contains("Sphericity"));
}

TEST_CASE("planted causes have the ranking of their coefficients, others none") {
  const PhantomConfig config = phantom_preset("paper10");
  const std::size_t n = 4000;
  const Table table = random_attributes(config, n, 1);
  const auto damage = logarithms(damage_targets(many(config, n), table));
  double variance = config.plant.noise * config.plant.noise;
  for (const PlantTerm& term : config.plant.terms) variance += term.coefficient * term.coefficient;
  for (const PlantTerm& term : config.plant.terms)
    // Independent causes: r = coefficient / sqrt(sum of squares), standard error 1/sqrt(n) = 0.016; the cut at three
    // deviations and at the largest damage take a few per cent.
    CHECK(correlation(table.numbers(term.attribute), damage) ==
          Approx(term.coefficient / std::sqrt(variance)).margin(0.06));
}

TEST_CASE("damage of paper0 has no cause, that of clustered is alike nearby") {
  const std::size_t n = 3000;
  const auto neighbour_correlation = [&](const char* preset) {
    PhantomConfig config = phantom_preset(preset);
    config.plant.terms.clear();
    const Phantom phantom = many(config, n);
    const auto damage = logarithms(damage_targets(phantom, random_attributes(config, n, 1)));
    std::vector<double> a, b;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 1; j < n; ++j) {
        double square = 0;
        for (std::size_t k = 0; k < 3; ++k)
          square += std::pow(phantom.particles[i].centre_um[k] - phantom.particles[j].centre_um[k], 2);
        if (square > 25) continue;
        a.push_back(damage[i]);
        b.push_back(damage[j]);
      }
    return correlation(a, b);
  };
  CHECK(std::abs(neighbour_correlation("paper0")) < 0.06);
  CHECK(std::abs(neighbour_correlation("unclustered")) < 0.06);
  // 1.5^2 / (1.5^2 + 0.5^2) = 0.9 of the variance is the field, whose correlation within 5 um is above 0.8.
  CHECK(neighbour_correlation("clustered") > 0.6);
}

TEST_CASE("a table without voxels plants the same causes") {
  const PhantomConfig config = phantom_preset("paper50");
  const std::int64_t n = 6000;
  const Table table = planted_rows(config, 3, n, 0, n);
  REQUIRE(table.rows() == 6000);
  const auto damage = logarithms(table.numbers("Damage"));
  for (const PlantTerm& term : config.plant.terms) {
    const double sign = term.coefficient < 0 ? -1 : 1;
    CHECK(sign * correlation(table.numbers(term.attribute), damage) > 0.15);
  }
  for (const char* name : {"Sphericity", "Elongation", "EDensity", "Volume", "Yaw"})
    CHECK(std::abs(correlation(table.numbers(name), damage)) < 0.06);
  for (const AttributeInfo& info : attribute_list) {
    INFO(info.name << " is in attribute_list, and src/phantom/tables.cpp does not draw it");
    const auto& values = table.numbers(info.name);
    CHECK(std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }));
  }
  // A row is the same whatever part of the table is made.
  const Table part = planted_rows(config, 3, n, 5000, 5010);
  CHECK(part.numbers("Damage")[3] == table.numbers("Damage")[5003]);
  CHECK(part.columns.front().ids[3] == 5004);
}

TEST_CASE("the streamed table is the same for any number of threads and reads back") {
  const PhantomConfig config = phantom_preset("paper10");
  Progress progress;
  const auto text = [&](int threads) {
    std::string out;
    write_planted_csv(config, 1, 9000, [&](std::string_view piece) { out += piece; }, {progress, threads});
    return out;
  };
  const std::string one = text(1);
  CHECK(one == text(3));
  CHECK(std::count(one.begin(), one.end(), '\n') == 9001);
  CHECK(one.rfind("label,X,Y,Z,Yaw,Pitch,Roll,EDensity", 0) == 0);
  CHECK_THROWS_AS(text(1).empty() || (write_planted_csv(config, 1, 0, [](std::string_view) {}, {progress, 1}), true),
                  Error);
}

TEST_CASE("given labels become bodies with cracks") {
  // Two balls with ids far apart, one cut by the border.
  Grid<std::uint64_t> given{array3<std::uint64_t>({40, 40, 70}), {0.3, 0.3, 0.3}, {}};
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 70; ++x) {
        const auto square = [&](std::int64_t cx) {
          return (z - 20) * (z - 20) + (y - 20) * (y - 20) + (x - cx) * (x - cx);
        };
        given.values(static_cast<std::size_t>(z), static_cast<std::size_t>(y), static_cast<std::size_t>(x)) =
            square(20) < 15 * 15   ? 70000000000ULL
            : square(62) < 14 * 14 ? 5
                                   : 0;
      }
  Progress progress;
  const Context context{progress, 2};
  SemiReal made = semi_real_phantom(phantom_preset("stress"), 1, source_of(given), context);
  CHECK(made.ids == std::vector<std::uint64_t>{5, 70000000000ULL});
  CHECK(made.phantom.particles[1].radius_um == Approx(15 * 0.3).epsilon(0.02));
  CHECK(made.phantom.particles[1].axes_um[0] == Approx(15 * 0.3).epsilon(0.02));
  CHECK(made.phantom.particles[1].centre_um[2] == Approx(20.5 * 0.3).epsilon(1e-9));
  const Phantom phantom = with_damage(made.phantom, {0.1, 0.2}, 0.3, context);
  const auto labels = body_labels(phantom, 0.3).load().values;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint64_t id = given.values.data()[i];
    REQUIRE(labels.data()[i] == (id == 0 ? 0 : id == 5 ? 1 : 2));
  }
  CHECK(phantom.particles[0].damage == Approx(0.1).margin(0.005));
  CHECK(phantom.particles[1].damage == Approx(0.2).margin(0.005));
  const auto values = grey(phantom, 0.3).load().values;
  CHECK(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
  Grid<std::uint64_t> empty{array3<std::uint64_t>({2, 2, 2}), {1, 1, 1}, {}};
  empty.values.fill(0);
  CHECK_THROWS_AS(semi_real_phantom(phantom_preset("tiny"), 1, source_of(empty), context), Error);
}

TEST_CASE("labels stay dense at a coarser voxel size") {
  Progress progress;
  const Context context{progress, 2};
  const Phantom fine = make_phantom(planted(), 9, context);
  const Phantom coarse = with_voxels_at(fine, 1.2, context);
  CHECK(coarse.particles.size() <= fine.particles.size());
  std::vector<int> seen(coarse.particles.size() + 1);
  for (const std::uint32_t l : body_labels(coarse, 1.2).load().values) seen.at(l) = 1;
  CHECK(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(seen.size()));
}

TEST_CASE("electrode.yaml names the files, truth.yaml the seed and what is planted") {
  Progress progress;
  PhantomConfig config = planted();
  const Phantom phantom = make_phantom(config, 42, {progress, 2});
  const std::string entry = electrode_yaml(phantom, "tiny-1", 0.25, {"v.tif", "l.h5", "c.h5"});
  CHECK(entry.find("- name: \"tiny-1\"\n  volume: {path: \"v.tif\", voxel_size_um: 0.25}") != std::string::npos);
  CHECK(entry.find("  # labels: \"l.h5\"") != std::string::npos);
  const std::string truth = truth_yaml(phantom);
  CHECK(truth.find("seed: 42\n") != std::string::npos);
  CHECK(truth.find("    terms:\n      - attribute: \"Sphericity\"\n        coefficient: -1\n") != std::string::npos);
}
