#include <cathoscope/pipeline/calibration.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/plane_particles.hpp>
#include <cathoscope/segmentation/score.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr double usual_diameter_um =
    9.5;  // of cathode particles: fixes what the closing of cracks, in um, is in pixels

const std::vector<double>& foregrounds() {
  static const std::vector<double> values = [] {
    std::vector<double> v;
    for (int i = 10; i <= 30; ++i) v.push_back(i / 40.0);
    return v;
  }();
  return values;
}

const std::vector<double>& probabilities() {
  static const std::vector<double> values = [] {
    std::vector<double> v;
    for (int i = 2; i <= 16; ++i) v.push_back(i / 20.0);
    return v;
  }();
  return values;
}

const std::vector<double>& suppressions() {
  static const std::vector<double> values{0.2, 0.3, 0.4, 0.5};
  return values;
}

template <class T>
GridSource<T> as_plane(const std::vector<T>& values, std::int64_t rows, std::int64_t columns) {
  GridSource<T> source;
  source.shape = {1, rows, columns};
  source.read = [&values, shape = source.shape](const Box& box, T* out) { copy_box(values.data(), shape, box, out); };
  return source;
}

OverlapTable table_of(const TrainingSample& sample, const std::vector<std::uint32_t>& labels) {
  const std::int64_t rows = sample.image.rows, columns = sample.image.columns;
  LabelPair pair{converted<std::uint64_t>(as_plane(sample.labels, rows, columns)),
                 converted<std::uint64_t>(as_plane(labels, rows, columns)),
                 {},
                 {}};
  if (!sample.ignore.empty()) pair.ignore = as_plane(sample.ignore, rows, columns);
  Progress silent;
  return without_small(overlap_table(pair, {silent, 1}), least_section_px);
}

/// Overlaps of one sample at all cut-offs.
struct SampleTables {
  std::vector<OverlapTable> watershed;              ///< one a foreground
  std::vector<std::vector<OverlapTable>> polygons;  ///< [suppression][probability]
};

SampleTables tables_of(const Network& network, const StarPredictor& predict, const TrainingSample& sample) {
  const StarFields fields = predict(sample.image, true);
  SampleTables t;
  if (network.has_foreground()) {
    const FusedFields plane = plane_fields(sample.image, fields, usual_diameter_um / canonical_diameter);
    for (const double f : foregrounds()) t.watershed.push_back(table_of(sample, watershed_labels(plane, f)));
  }
  for (const double s : suppressions()) {
    auto& row = t.polygons.emplace_back();
    for (const auto& labels : polygon_labels(fields, sample.image.rows, sample.image.columns, probabilities(), s))
      row.push_back(table_of(sample, labels));
  }
  return t;
}

/// Score of one cut-off over all samples; `table` picks its table of a sample.
template <class F>
Score pooled(const std::vector<SampleTables>& samples, F table) {
  OverlapTable all;
  for (const SampleTables& s : samples) append(all, table(s));
  return score_of(all);
}

double quality(const Score& s) { return s.strict.front().pq; }

double outline_quality(const Score& s) { return quality(s) - std::abs(s.volume_bias.value_or(1)); }

/// Position of the best value; of equal ones the one whose distance to the default is least.
template <class Value, class Distance>
std::size_t best_of(std::size_t n, Value value, Distance distance) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < n; ++i)
    if (value(i) > value(best) || (value(i) == value(best) && distance(i) < distance(best))) best = i;
  return best;
}

void choose_foreground(const std::vector<SampleTables>& samples, Calibration& c) {
  std::vector<Score> scores;
  for (std::size_t f = 0; f < foregrounds().size(); ++f)
    scores.push_back(pooled(samples, [&](const SampleTables& s) { return s.watershed[f]; }));
  const double usual = NetworkThresholds{}.foreground;
  const std::size_t best = best_of(
      scores.size(), [&](std::size_t i) { return outline_quality(scores[i]); },
      [&](std::size_t i) { return std::abs(foregrounds()[i] - usual); });
  c.thresholds.foreground = foregrounds()[best];
  c.scores.emplace_back("calibration_watershed_pq", quality(scores[best]));
  c.scores.emplace_back("calibration_watershed_iou", scores[best].strict.front().mean_matched_iou);
  c.scores.emplace_back("calibration_area_bias", scores[best].volume_bias.value_or(0));
}

void choose_polygons(const std::vector<SampleTables>& samples, Calibration& c) {
  std::vector<double> scores;
  const std::size_t columns = probabilities().size();
  for (std::size_t s = 0; s < suppressions().size(); ++s)
    for (std::size_t p = 0; p < columns; ++p)
      scores.push_back(quality(pooled(samples, [&](const SampleTables& t) { return t.polygons[s][p]; })));
  const NetworkThresholds usual;
  const std::size_t best = best_of(
      scores.size(), [&](std::size_t i) { return scores[i]; },
      [&](std::size_t i) {
        return std::abs(suppressions()[i / columns] - usual.suppression) +
               std::abs(probabilities()[i % columns] - usual.probability);
      });
  c.thresholds.suppression = suppressions()[best / columns];
  c.thresholds.probability = probabilities()[best % columns];
  c.scores.emplace_back("calibration_polygon_pq", scores[best]);
}

}  // namespace

Calibration chosen_thresholds(const Network& network, const StarPredictor& predict, const TrainingSources& sources,
                              const Context& context) {
  std::vector<SampleTables> samples(sources.validation_samples);
  context.progress.begin("calibration", sources.validation_samples);
  parallel_for(static_cast<std::int64_t>(samples.size()), context.threads, [&](std::int64_t i) {
    samples[static_cast<std::size_t>(i)] =
        tables_of(network, predict, sources.validation(static_cast<std::uint64_t>(i)));
    context.progress.advance();
  });
  const bool any = std::any_of(samples.begin(), samples.end(),
                               [](const SampleTables& s) { return !s.polygons.front().front().truth.empty(); });
  if (!any) fail(Exit::data, "no validation sample has a particle: there is nothing to choose cut-offs by");
  Calibration c;
  c.thresholds = network.metadata().thresholds;
  if (network.has_foreground()) choose_foreground(samples, c);
  choose_polygons(samples, c);
  return c;
}

}  // namespace cathoscope
