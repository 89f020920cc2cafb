#include <cathoscope/segmentation/score.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace cathoscope {

namespace {

double iou(const OverlapTable& t, const Overlap& o) {
  const std::int64_t both = t.truth[o.truth].voxels + t.prediction[o.prediction].voxels - o.voxels;
  return both > 0 ? static_cast<double>(o.voxels) / static_cast<double>(both) : 0;
}

/// A ratio of whole numbers against a decimal: 3/5 counts as 0.6 though neither is exact in binary.
bool reaches(double value, double tau) { return value >= tau * (1 - 4 * std::numeric_limits<double>::epsilon()); }

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// Groups of particles that overlaps connect.
class Groups {
 public:
  explicit Groups(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[root(b)] = root(a); }

 private:
  std::vector<std::size_t> parent_;
};

/// Best matching of one group of overlaps.
void match_group(const OverlapTable& t, const std::vector<Overlap>& group, double tau,
                 std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs) {
  std::vector<std::uint32_t> rows, columns;
  for (const Overlap& o : group) {
    rows.push_back(o.truth);
    columns.push_back(o.prediction);
  }
  for (auto* list : {&rows, &columns}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  const auto at = [](const std::vector<std::uint32_t>& list, std::uint32_t v) {
    return static_cast<std::size_t>(std::lower_bound(list.begin(), list.end(), v) - list.begin());
  };
  // Less than 1/2 in all, so that it only decides between matchings of as many pairs.
  const double share = 1 / (2 * static_cast<double>(std::min(t.truth.size(), t.prediction.size())));
  std::vector<double> cost(rows.size() * columns.size(), 0.0), value(cost.size(), 0.0);
  for (const Overlap& o : group) {
    const std::size_t k = at(rows, o.truth) * columns.size() + at(columns, o.prediction);
    value[k] = iou(t, o);
    cost[k] = -(reaches(value[k], tau) ? 1.0 : 0.0) - value[k] * share;
  }
  const auto chosen =
      linear_assignment(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns.size()), cost);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (chosen[i] < 0) continue;
    const auto j = static_cast<std::size_t>(chosen[i]);
    if (reaches(value[i * columns.size() + j], tau)) pairs.emplace_back(rows[i], columns[j]);
  }
}

/// Counts that ratios follow from; they add up over images.
MatchScore match_score(const OverlapTable& t, double tau) {
  const auto pairs = matched_pairs(t, tau);
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> value;
  for (const Overlap& o : t.overlaps) value[{o.truth, o.prediction}] = iou(t, o);
  double sum = 0;
  for (const auto& p : pairs) sum += value[p];
  MatchScore s;
  const auto truths = static_cast<std::int64_t>(t.truth.size()),
             predictions = static_cast<std::int64_t>(t.prediction.size());
  s.tp = static_cast<std::int64_t>(pairs.size());
  s.fp = predictions - s.tp;
  s.fn = truths - s.tp;
  const auto tp = static_cast<double>(s.tp), fp = static_cast<double>(s.fp), fn = static_cast<double>(s.fn);
  s.precision = ratio(tp, tp + fp);
  s.recall = ratio(tp, tp + fn);
  s.f1 = ratio(2 * tp, 2 * tp + fp + fn);
  s.ap = truths + predictions == 0 ? 1 : ratio(tp, tp + fp + fn);
  s.mean_matched_iou = ratio(sum, tp);
  s.mean_true_iou = ratio(sum, static_cast<double>(truths));
  s.pq = ratio(sum, tp + fp / 2 + fn / 2);
  return s;
}

MatchScores match_scores(const OverlapTable& t) {
  MatchScores scores;
  for (std::size_t k = 0; k < scores.size(); ++k) scores[k] = match_score(t, score_thresholds[k]);
  return scores;
}

double mean_ap(const MatchScores& scores) {
  double sum = 0;
  for (const MatchScore& s : scores) sum += s.ap;
  return sum / static_cast<double>(scores.size());
}

/// The table with some of its particles; sizes stay.
OverlapTable kept(const OverlapTable& t, const std::vector<char>& truth, const std::vector<char>& prediction) {
  OverlapTable out;
  std::vector<std::uint32_t> truth_index, prediction_index;
  for (std::size_t i = 0; i < t.truth.size(); ++i) {
    truth_index.push_back(static_cast<std::uint32_t>(out.truth.size()));
    if (truth[i] != 0) out.truth.push_back(t.truth[i]);
  }
  for (std::size_t j = 0; j < t.prediction.size(); ++j) {
    prediction_index.push_back(static_cast<std::uint32_t>(out.prediction.size()));
    if (prediction[j] != 0) out.prediction.push_back(t.prediction[j]);
  }
  for (const Overlap& o : t.overlaps)
    if (truth[o.truth] != 0 && prediction[o.prediction] != 0)
      out.overlaps.push_back({truth_index[o.truth], prediction_index[o.prediction], o.voxels});
  return out;
}

double x_log_x(double x) { return x > 0 ? x * std::log2(x) : 0; }

/// Voxels of the true particles by (truth, prediction), background of the prediction as one more segment an image.
void add_voxel_scores(const OverlapTable& t, Score& score) {
  std::vector<double> of_prediction(t.prediction.size(), 0.0), left;
  std::map<std::uint32_t, double> background;
  double total = 0, cells = 0, cells2 = 0, rows = 0, rows2 = 0, columns = 0, columns2 = 0;
  for (const auto& g : t.truth) {
    const auto n = static_cast<double>(g.voxels);
    left.push_back(n);
    total += n;
    rows += x_log_x(n);
    rows2 += n * n;
  }
  const auto add_cell = [&](double n) {
    cells += x_log_x(n);
    cells2 += n * n;
  };
  for (const Overlap& o : t.overlaps) {
    const auto n = static_cast<double>(o.voxels);
    left[o.truth] -= n;
    of_prediction[o.prediction] += n;
    add_cell(n);
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    background[t.truth[i].image] += left[i];
    add_cell(left[i]);
  }
  const auto add_column = [&](double n) {
    columns += x_log_x(n);
    columns2 += n * n;
  };
  for (const double n : of_prediction) add_column(n);
  for (const auto& [image, n] : background) add_column(n);
  if (total <= 0) return;
  score.vi_split = std::max(0.0, (rows - cells) / total);
  score.vi_merge = std::max(0.0, (columns - cells) / total);
  const double precision = cells2 / columns2, recall = cells2 / rows2;
  score.arand = 1 - 2 * precision * recall / (precision + recall);
}

void add_rates(const OverlapTable& t, Score& score) {
  std::vector<int> parts(t.truth.size(), 0), swallowed(t.prediction.size(), 0);
  for (const Overlap& o : t.overlaps) {
    const std::int64_t whole_voxels = t.truth[o.truth].voxels;
    if (10 * o.voxels >= whole_voxels) ++parts[o.truth];
    if (2 * o.voxels >= whole_voxels) ++swallowed[o.prediction];
  }
  const auto several = [](const std::vector<int>& v) {
    return static_cast<double>(std::count_if(v.begin(), v.end(), [](int n) { return n >= 2; }));
  };
  score.split_rate = ratio(several(parts), static_cast<double>(t.truth.size()));
  score.merge_rate = ratio(several(swallowed), static_cast<double>(t.truth.size()));
}

std::optional<double> volume_bias(const OverlapTable& t) {
  std::vector<double> bias;
  for (const auto& [g, p] : matched_pairs(t, 0.5)) {
    const auto truth = static_cast<double>(t.truth[g].voxels);
    bias.push_back((static_cast<double>(t.prediction[p].voxels) - truth) / truth);
  }
  if (bias.empty()) return std::nullopt;
  std::sort(bias.begin(), bias.end());
  return (bias[(bias.size() - 1) / 2] + bias[bias.size() / 2]) / 2;
}

/// `voxels` has every prediction, `matching` those that count as particles.
Score score_from(const OverlapTable& voxels, const OverlapTable& matching, const OverlapTable& lenient) {
  Score s;
  s.n_truth = static_cast<std::int64_t>(matching.truth.size());
  s.n_prediction = static_cast<std::int64_t>(matching.prediction.size());
  s.n_prediction_lenient = static_cast<std::int64_t>(lenient.prediction.size());
  s.strict = match_scores(matching);
  s.lenient = match_scores(lenient);
  s.map = mean_ap(s.strict);
  s.map_lenient = mean_ap(s.lenient);
  add_voxel_scores(voxels, s);
  add_rates(voxels, s);
  s.volume_bias = volume_bias(matching);
  return s;
}

}  // namespace

std::vector<std::int64_t> linear_assignment(std::int64_t rows, std::int64_t columns, const std::vector<double>& cost) {
  if (rows > columns) {
    std::vector<double> turned(cost.size());
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        turned[static_cast<std::size_t>(j * rows + i)] = cost[static_cast<std::size_t>(i * columns + j)];
    const auto row_of = linear_assignment(columns, rows, turned);
    std::vector<std::int64_t> result(static_cast<std::size_t>(rows), -1);
    for (std::size_t j = 0; j < row_of.size(); ++j)
      result[static_cast<std::size_t>(row_of[j])] = static_cast<std::int64_t>(j);
    return result;
  }
  // Row and column 0 are artificial: columns are numbered from 1, row_of[0] is the row that looks for one.
  const auto n = static_cast<std::size_t>(rows), m = static_cast<std::size_t>(columns);
  constexpr double infinite = std::numeric_limits<double>::infinity();
  std::vector<double> row_price(n + 1, 0.0), column_price(m + 1, 0.0);
  std::vector<std::size_t> row_of(m + 1, 0), before(m + 1, 0);
  for (std::size_t i = 1; i <= n; ++i) {
    row_of[0] = i;
    std::size_t j0 = 0;
    std::vector<double> least(m + 1, infinite);
    std::vector<char> done(m + 1, 0);
    do {
      done[j0] = 1;
      const std::size_t row = row_of[j0];
      double delta = infinite;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= m; ++j) {
        if (done[j] != 0) continue;
        const double reduced = cost[(row - 1) * m + j - 1] - row_price[row] - column_price[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          before[j] = j0;
        }
        if (least[j] < delta) {
          delta = least[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= m; ++j)
        if (done[j] != 0) {
          row_price[row_of[j]] += delta;
          column_price[j] -= delta;
        } else {
          least[j] -= delta;
        }
      j0 = next;
    } while (row_of[j0] != 0);
    for (; j0 != 0; j0 = before[j0]) row_of[j0] = row_of[before[j0]];
  }
  std::vector<std::int64_t> result(n, -1);
  for (std::size_t j = 1; j <= m; ++j)
    if (row_of[j] != 0) result[row_of[j] - 1] = static_cast<std::int64_t>(j) - 1;
  return result;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> matched_pairs(const OverlapTable& t, double tau) {
  // From 1/2 on, a particle has two partners only where both are exact halves: weaker overlaps decide nothing.
  std::vector<Overlap> edges;
  for (const Overlap& o : t.overlaps)
    if (tau < 0.5 || reaches(iou(t, o), tau)) edges.push_back(o);
  Groups groups(t.truth.size() + t.prediction.size());
  for (const Overlap& o : edges) groups.join(o.truth, t.truth.size() + o.prediction);
  std::map<std::size_t, std::vector<Overlap>> by_group;
  for (const Overlap& o : edges) by_group[groups.root(o.truth)].push_back(o);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const auto& [root, group] : by_group)
    if (group.size() == 1) {
      if (reaches(iou(t, group[0]), tau)) pairs.emplace_back(group[0].truth, group[0].prediction);
    } else {
      match_group(t, group, tau, pairs);
    }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::vector<char> lenient_keep(const OverlapTable& t) {
  std::vector<std::int64_t> on_truth(t.prediction.size(), 0);
  for (const Overlap& o : t.overlaps) on_truth[o.prediction] += o.voxels;
  std::vector<char> keep;
  for (std::size_t j = 0; j < t.prediction.size(); ++j)
    keep.push_back(4 * on_truth[j] >= t.prediction[j].voxels || t.prediction[j].dark ? 1 : 0);
  return keep;
}

Score score_of(const OverlapTable& t) {
  return score_from(t, t, kept(t, std::vector<char>(t.truth.size(), 1), lenient_keep(t)));
}

Score interior_score_of(const OverlapTable& t) {
  std::vector<char> inside, prediction;
  for (const auto& g : t.truth) inside.push_back(g.touches_border ? 0 : 1);
  std::vector<std::int64_t> in_cut(t.prediction.size(), 0);
  std::vector<char> matches(t.prediction.size(), 0);
  for (const Overlap& o : t.overlaps)
    if (inside[o.truth] == 0)
      in_cut[o.prediction] += o.voxels;
    else if (reaches(iou(t, o), 0.5))
      matches[o.prediction] = 1;
  for (std::size_t j = 0; j < t.prediction.size(); ++j) {
    const bool of_border = t.prediction[j].touches_border || 2 * in_cut[j] >= t.prediction[j].voxels;
    prediction.push_back(matches[j] != 0 || !of_border ? 1 : 0);
  }
  std::vector<char> lenient = lenient_keep(t);
  for (std::size_t j = 0; j < lenient.size(); ++j) lenient[j] = lenient[j] != 0 && prediction[j] != 0 ? 1 : 0;
  return score_from(kept(t, inside, std::vector<char>(t.prediction.size(), 1)), kept(t, inside, prediction),
                    kept(t, inside, lenient));
}

DamageScore damage_score(const std::vector<double>& prediction, const std::vector<double>& truth) {
  DamageScore s;
  s.particles = static_cast<std::int64_t>(truth.size());
  const auto n = static_cast<double>(truth.size());
  if (truth.empty()) return s;
  const double mp = std::accumulate(prediction.begin(), prediction.end(), 0.0) / n,
               mt = std::accumulate(truth.begin(), truth.end(), 0.0) / n;
  double pp = 0, tt = 0, pt = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    s.mae += std::abs(prediction[i] - truth[i]) / n;
    pp += (prediction[i] - mp) * (prediction[i] - mp);
    tt += (truth[i] - mt) * (truth[i] - mt);
    pt += (prediction[i] - mp) * (truth[i] - mt);
  }
  s.bias = mp - mt;
  if (tt > 0) s.slope = pt / tt;
  if (tt > 0 && pp > 0) s.r = pt / std::sqrt(tt * pp);
  return s;
}

}  // namespace cathoscope
