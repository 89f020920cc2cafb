#include <cathoscope/segmentation/score.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

using namespace cathoscope;

namespace {

using Ids = std::vector<std::uint64_t>;

GridSource<std::uint64_t> image(const Index3& shape, const Ids& ids) {
  Grid<std::uint64_t> grid{array3<std::uint64_t>(shape), {1, 1, 1}, {}};
  std::copy(ids.begin(), ids.end(), grid.values.begin());
  return source_of(std::move(grid));
}

OverlapTable table_of(const LabelPair& pair, int threads = 1) {
  Progress progress;
  return overlap_table(pair, {progress, threads});
}

/// Both as one row of pixels.
OverlapTable line(const Ids& truth, const Ids& prediction) {
  const Index3 shape{1, 1, static_cast<std::int64_t>(truth.size())};
  return table_of({image(shape, truth), image(shape, prediction), std::nullopt, std::nullopt});
}

Ids random_ids(Stream& draw, std::size_t n, std::uint64_t ids) {
  Ids result;
  while (result.size() < n) {
    const std::uint64_t id = draw.below(ids + 1);
    for (std::uint64_t k = 1 + draw.below(6); k > 0 && result.size() < n; --k) result.push_back(id);
  }
  return result;
}

/// Size and common voxels counted anew, and all matchings tried: at most six particles a side.
struct BruteForce {
  Ids truth, prediction;
  Ids truth_ids, prediction_ids;
  std::vector<std::vector<double>> iou;

  BruteForce(Ids g, Ids p) : truth(std::move(g)), prediction(std::move(p)) {
    truth_ids = distinct(truth);
    prediction_ids = distinct(prediction);
    for (const auto a : truth_ids) {
      iou.emplace_back();
      for (const auto b : prediction_ids) {
        int both = 0, either = 0;
        for (std::size_t i = 0; i < truth.size(); ++i) {
          both += truth[i] == a && prediction[i] == b;
          either += truth[i] == a || prediction[i] == b;
        }
        iou.back().push_back(static_cast<double>(both) / either);
      }
    }
  }
  static Ids distinct(Ids ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (!ids.empty() && ids[0] == 0) ids.erase(ids.begin());
    return ids;
  }
  /// True positives, and their sum of IoU, of the matching that the definition asks for.
  [[nodiscard]] std::pair<int, double> best(double tau) const {
    const double share = 2.0 * static_cast<double>(std::min(truth_ids.size(), prediction_ids.size()));
    double best_value = -1;
    std::pair<int, double> result{0, 0};
    std::vector<char> used(prediction_ids.size(), 0);
    const std::function<void(std::size_t, double, int, double)> go = [&](std::size_t i, double value, int tp,
                                                                         double sum) {
      if (i == truth_ids.size()) {
        if (value > best_value + 1e-12) {
          best_value = value;
          result = {tp, sum};
        }
        return;
      }
      go(i + 1, value, tp, sum);
      for (std::size_t j = 0; j < used.size(); ++j) {
        if (used[j] != 0) continue;
        used[j] = 1;
        const bool hit = iou[i][j] >= tau;
        go(i + 1, value + (hit ? 1 : 0) + iou[i][j] / share, tp + (hit ? 1 : 0), sum + (hit ? iou[i][j] : 0));
        used[j] = 0;
      }
    };
    go(0, 0, 0, 0);
    return result;
  }
};

}  // namespace

TEST_CASE("a table worked by hand") {
  // Truth: 1 = 4 voxels, 2 = 4, 3 = 2. Prediction: 7 covers 1 and one more, 8 half of 2, 9 alone.
  const auto t = line({1, 1, 1, 1, 0, 2, 2, 2, 2, 0, 3, 3, 0, 0}, {7, 7, 7, 7, 7, 8, 8, 0, 0, 0, 0, 0, 9, 9});
  const Score s = score_of(t);
  CHECK(s.n_truth == 3);
  CHECK(s.n_prediction == 3);
  const MatchScore& half = s.strict[0];  // IoU 4/5 and 2/4: exactly tau counts
  CHECK(half.tp == 2);
  CHECK(half.fp == 1);
  CHECK(half.fn == 1);
  CHECK(half.precision == Approx(2.0 / 3));
  CHECK(half.recall == Approx(2.0 / 3));
  CHECK(half.f1 == Approx(2.0 / 3));
  CHECK(half.ap == Approx(0.5));
  CHECK(half.mean_matched_iou == Approx(0.65));
  CHECK(half.mean_true_iou == Approx(1.3 / 3));
  CHECK(half.pq == Approx(1.3 / 3));
  CHECK(s.strict[1].tp == 1);  // 0.55
  CHECK(s.strict[6].tp == 1);  // 0.80: 4/5 exactly
  CHECK(s.strict[7].tp == 0);
  CHECK(s.map == Approx((0.5 + 6 * 0.2) / 10));
  // 9 lies on no true particle: the lenient score does not know it.
  CHECK(s.n_prediction_lenient == 2);
  CHECK(s.lenient[0].ap == Approx(2.0 / 3));
  REQUIRE(s.volume_bias);
  CHECK(*s.volume_bias == Approx((0.25 - 0.5) / 2));
  // Ten true voxels: cells 4 (1 with 7), 2 (2 with 8), 2 (2 with none), 2 (3 with none).
  CHECK(s.vi_split == Approx(0.4));  // H(P|G): particle 2 is one bit
  CHECK(s.vi_merge == Approx(0.4));  // H(G|P): the background holds two halves, four voxels
  const double precision = (16.0 + 4 + 4 + 4) / (16 + 4 + 16), recall = 28.0 / (16 + 16 + 4);
  CHECK(s.arand == Approx(1 - 2 * precision * recall / (precision + recall)));
}

TEST_CASE("one to many: splits and merges") {
  const auto split = score_of(line({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, {3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 0}));
  CHECK(split.split_rate == Approx(0.5));
  CHECK(split.merge_rate == 0);
  CHECK(split.strict[0].tp == 1);  // both halves have IoU 1/2; a particle has one partner
  CHECK(split.strict[0].fp == 1);
  const auto merged = score_of(line({1, 1, 1, 2, 2, 2, 3, 3}, {5, 5, 5, 5, 5, 0, 6, 6}));
  CHECK(merged.merge_rate == Approx(1.0 / 3));
  CHECK(merged.split_rate == 0);
  CHECK(merged.vi_split > 0);
  CHECK(merged.vi_merge > 0);
}

TEST_CASE("empty images") {
  const Ids none(6, 0), one{0, 1, 1, 1, 0, 0};
  const Score both = score_of(line(none, none));
  CHECK(both.n_truth + both.n_prediction == 0);
  CHECK(both.strict[0].ap == 1);
  CHECK(both.map == 1);
  CHECK_FALSE(both.volume_bias);
  for (const Score& s : {score_of(line(none, one)), score_of(line(one, none))}) {
    CHECK(s.strict[0].tp == 0);
    CHECK(s.strict[0].fp + s.strict[0].fn == 1);
    CHECK(s.strict[0].ap == 0);
    CHECK(s.strict[0].pq == 0);
    CHECK(std::isfinite(s.arand));
    CHECK(s.vi_split == 0);
  }
  CHECK(score_of(line(none, one)).lenient[0].fp == 0);
}

TEST_CASE("unequal shapes are refused") {
  const auto g = image({1, 2, 3}, Ids(6, 1)), p = image({1, 3, 2}, Ids(6, 1));
  CHECK_THROWS_WITH(table_of({g, p, std::nullopt, std::nullopt}), Catch::Contains("must agree"));
}

TEST_CASE("ids are names: any size, any order, any gaps") {
  Stream draw(4, {"ids"});
  const Ids g = random_ids(draw, 200, 9), p = random_ids(draw, 200, 9);
  const auto renamed = [](const Ids& ids) {
    Ids out;
    for (const auto id : ids) out.push_back(id == 0 ? 0 : ~std::uint64_t{0} - 70000 * id);
    return out;
  };
  const Score a = score_of(line(g, p)), b = score_of(line(renamed(g), renamed(p)));
  for (std::size_t k = 0; k < a.strict.size(); ++k) {
    CHECK(a.strict[k].tp == b.strict[k].tp);
    CHECK(a.strict[k].pq == Approx(b.strict[k].pq).epsilon(1e-13));  // sums in another order
  }
  CHECK(a.vi_split == Approx(b.vi_split).epsilon(1e-12));
  CHECK(a.arand == Approx(b.arand).epsilon(1e-12));
}

TEST_CASE("200 random pairs agree with a search through all matchings") {
  Stream draw(11, {"pairs"});
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t n = 12 + draw.below(40);
    const Ids g = random_ids(draw, n, 1 + draw.below(6)), p = random_ids(draw, n, 1 + draw.below(6));
    const BruteForce reference(g, p);
    const auto t = line(g, p);
    for (const double tau : {0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9}) {
      const auto pairs = matched_pairs(t, tau);
      const auto [tp, sum] = reference.best(tau);
      CHECK(static_cast<int>(pairs.size()) == tp);
      double found = 0;
      for (const auto& [i, j] : pairs) found += reference.iou[i][j];
      CHECK(found == Approx(sum).margin(1e-12));
    }
  }
}

TEST_CASE("assignment: the least cost of all, wide and tall") {
  Stream draw(3, {"assignment"});
  for (int trial = 0; trial < 100; ++trial) {
    const auto rows = static_cast<std::int64_t>(1 + draw.below(5)),
               columns = static_cast<std::int64_t>(1 + draw.below(5));
    std::vector<double> cost;
    for (std::int64_t i = 0; i < rows * columns; ++i) cost.push_back(draw.uniform(-1, 1));
    const auto of = [&](std::int64_t i, std::int64_t j) { return cost[static_cast<std::size_t>(i * columns + j)]; };
    const auto chosen = linear_assignment(rows, columns, cost);
    double sum = 0;
    std::int64_t pairs = 0;
    for (std::int64_t i = 0; i < rows; ++i)
      if (const auto j = chosen[static_cast<std::size_t>(i)]; j >= 0) {
        sum += of(i, j);
        ++pairs;
      }
    CHECK(pairs == std::min(rows, columns));
    // All orders of the longer side, the first of which go with the shorter one.
    std::vector<std::int64_t> order(static_cast<std::size_t>(std::max(rows, columns)));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    double least = 1e9;
    do {
      double s = 0;
      for (std::int64_t k = 0; k < std::min(rows, columns); ++k)
        s += rows <= columns ? of(k, order[static_cast<std::size_t>(k)]) : of(order[static_cast<std::size_t>(k)], k);
      least = std::min(least, s);
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(sum == Approx(least).margin(1e-12));
  }
}

TEST_CASE("ignored voxels count nowhere") {
  const Ids g{1, 1, 1, 1, 2, 2, 0, 0}, p{5, 5, 6, 6, 0, 0, 7, 7};
  const Index3 shape{1, 1, 8};
  GridSource<std::uint8_t> ignore{shape, {1, 1, 1}, {}, {}};
  ignore.read = [](const Box& box, std::uint8_t* out) {
    for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x) *out++ = x >= 2 && x < 6 ? 1 : 0;
  };
  const Score s = score_of(table_of({image(shape, g), image(shape, p), ignore, std::nullopt}));
  CHECK(s.n_truth == 1);       // 2 is ignored as a whole
  CHECK(s.n_prediction == 2);  // so is 6
  CHECK(s.strict[9].tp == 1);  // what is left of 1 is 5 exactly
}

TEST_CASE("small true particles and what was predicted there count nowhere") {
  const auto t = line({1, 1, 1, 1, 2, 0, 0, 3, 3}, {4, 4, 4, 4, 5, 5, 0, 6, 0});
  const auto s = score_of(without_small(t, 3));
  CHECK(s.n_truth == 1);
  CHECK(s.n_prediction == 2);  // 5 keeps a voxel outside, 6 none
  CHECK(s.strict[0].tp == 1);
  CHECK(s.strict[0].fp == 1);
}

TEST_CASE("lenient: what is dark stays an error, what is bright may be a particle nobody labelled") {
  const Ids g{1, 1, 1, 0, 0, 0, 0, 0, 0, 0}, p{5, 5, 5, 0, 6, 6, 0, 7, 7, 0};
  const std::vector<float> values{180, 181, 182, 80, 170, 175, 82, 85, 90, 81};
  const Index3 shape{1, 1, 10};
  Grid<float> grey{array3<float>(shape), {1, 1, 1}, {}};
  std::copy(values.begin(), values.end(), grey.values.begin());
  const auto t = table_of({image(shape, g), image(shape, p), std::nullopt, source_of(std::move(grey))});
  CHECK(lenient_keep(t) == std::vector<char>{1, 0, 1});
  const Score s = score_of(t);
  CHECK(s.lenient[0].fp == 1);
  CHECK(s.strict[0].fp == 2);
}

TEST_CASE("particles at the border are left out of the interior score") {
  // A plane of 6 x 9: particle 1 at the left border, 2 inside.
  Ids g(54, 0), p(54, 0);
  for (std::size_t y = 2; y < 4; ++y) {
    for (std::size_t x = 0; x < 3; ++x) g[y * 9 + x] = 1;
    for (std::size_t x = 5; x < 8; ++x) g[y * 9 + x] = p[y * 9 + x] = 2;
    p[y * 9 + 1] = 3;  // a piece of the particle at the border: no error of an inner one
  }
  const auto t = table_of({image({1, 6, 9}, g), image({1, 6, 9}, p), std::nullopt, std::nullopt});
  const Score all = score_of(t), interior = interior_score_of(t);
  CHECK(all.n_truth == 2);
  CHECK(all.strict[0].fp == 1);
  CHECK(interior.n_truth == 1);
  CHECK(interior.n_prediction == 1);
  CHECK(interior.strict[9].ap == 1);
  CHECK(interior.vi_split == 0);
}

TEST_CASE("images side by side add up") {
  auto both = line({1, 1, 0, 2}, {1, 1, 0, 0});
  append(both, line({1, 1, 1, 0}, {0, 1, 1, 5}));
  const Score s = score_of(both);
  CHECK(s.n_truth == 3);
  CHECK(s.strict[0].tp == 2);
  CHECK(s.strict[0].fp == 1);
  CHECK(s.strict[0].fn == 1);
  CHECK(s.strict[0].ap == Approx(0.5));
  // The two backgrounds are no common segment: only the second image is uncertain, by H(1/3) on three of six voxels.
  const double h = -(std::log2(1.0 / 3) / 3 + std::log2(2.0 / 3) * 2 / 3);
  CHECK(s.vi_split == Approx(h / 2));
  CHECK(s.vi_merge == Approx(0).margin(1e-15));
}

TEST_CASE("the same table for any number of threads and across slabs") {
  Stream draw(8, {"large"});
  const Index3 shape{5, 1100, 1000};  // more than one slab
  const Ids g = random_ids(draw, 5500000, 40), p = random_ids(draw, 5500000, 40);
  const LabelPair pair{image(shape, g), image(shape, p), std::nullopt, std::nullopt};
  const auto one = table_of(pair, 1), three = table_of(pair, 3);
  REQUIRE(one.overlaps.size() == 1600);
  for (std::size_t k = 0; k < one.overlaps.size(); ++k) {
    CHECK(one.overlaps[k].voxels == three.overlaps[k].voxels);
    CHECK(one.overlaps[k].prediction == three.overlaps[k].prediction);
  }
  std::vector<std::int64_t> count(41 * 41, 0);
  for (std::size_t i = 0; i < g.size(); ++i) ++count[g[i] * 41 + p[i]];
  for (const Overlap& o : one.overlaps)
    CHECK(o.voxels == count[one.truth[o.truth].id * 41 + one.prediction[o.prediction].id]);
}

TEST_CASE("surfaces of shifted squares and cubes") {
  Progress progress;
  // A square of 4 x 4 pixels and the same one a pixel to the right, in pixels of 0.5 um.
  Ids g(100, 0), p(100, 0);
  for (std::size_t y = 3; y < 7; ++y)
    for (std::size_t x = 3; x < 7; ++x) g[y * 10 + x] = p[y * 10 + x + 1] = 1;
  const LabelPair pair{image({1, 10, 10}, g), image({1, 10, 10}, p), std::nullopt, std::nullopt};
  const auto t = table_of(pair);
  const auto d = surface_distance(pair, t, {9, 0.5, 0.5}, {progress, 2});
  CHECK(d.pairs == 1);
  // Of 12 surface pixels, 4 on one side and the two inner ones of the opposite side are a pixel away.
  CHECK(d.assd_um == Approx(0.5 * 6 / 12));
  CHECK(d.hausdorff95_um == Approx(0.5));
  const auto same =
      surface_distance({pair.truth, pair.truth, std::nullopt, std::nullopt},
                       table_of({pair.truth, pair.truth, std::nullopt, std::nullopt}), {1, 1, 1}, {progress, 1});
  CHECK(same.assd_um == 0);
  Context little{progress, 1};
  little.memory_bytes = 100;
  CHECK(surface_distance(pair, t, {1, 1, 1}, little).too_large == 1);
}

TEST_CASE("damage: error, bias, correlation, slope") {
  const auto s = damage_score({0.1, 0.3, 0.5}, {0.0, 0.1, 0.2});
  CHECK(s.particles == 3);
  CHECK(s.mae == Approx(0.2));
  CHECK(s.bias == Approx(0.2));
  CHECK(*s.slope == Approx(2));
  CHECK(*s.r == Approx(1));
  CHECK_FALSE(damage_score({0.1, 0.2}, {0.3, 0.3}).r);
  CHECK(damage_score({}, {}).particles == 0);
}
