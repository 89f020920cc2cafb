#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/volume_file.hpp>
#include <cathoscope/segmentation/score.hpp>
#include <cathoscope/volume/volume.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>

namespace cathoscope::app {

namespace {

using Json = nlohmann::ordered_json;

/// The files of one image.
struct Opened {
  LabelPair pair;
  std::optional<Vec3> voxel_um;
};

GridSource<std::uint64_t> ids_of(const VolumeFile& file, const std::string& path) {
  try {
    return placed_labels(file, "zyx", {}, {1, 1, 1});
  } catch (const Error& e) {
    fail(e.exit(), "{}: {}", path, e.what());
  }
}

GridSource<std::uint8_t> non_zero(const VolumeFile& file) {
  GridSource<std::uint8_t> s;
  s.shape = file.shape;
  s.read = [source = file.as<double>()](const Box& box, std::uint8_t* out) {
    const auto values = source.load(box);
    for (std::int64_t i = 0; i < box.size(); ++i) out[i] = values.data()[i] != 0 ? 1 : 0;
  };
  return s;
}

Opened open_pair(const EvaluateCommand& c, std::size_t k) {
  const VolumeFile truth = open_volume(c.truth[k]), prediction = open_volume(c.prediction[k]);
  Opened o{{ids_of(truth, c.truth[k]), ids_of(prediction, c.prediction[k]), std::nullopt, std::nullopt}, std::nullopt};
  if (!c.ignore.empty()) o.pair.ignore = non_zero(open_volume(c.ignore[k]));
  if (!c.grey.empty()) o.pair.grey = open_volume(c.grey[k]).as<float>();
  if (c.voxel_size_um)
    o.voxel_um = Vec3{*c.voxel_size_um, *c.voxel_size_um, *c.voxel_size_um};
  else
    o.voxel_um = truth.voxel_size_um ? truth.voxel_size_um : prediction.voxel_size_um;
  return o;
}

void check_counts(const EvaluateCommand& c) {
  if (c.prediction.size() != c.truth.size())
    fail(Exit::usage, "{} --prediction and {} --truth: give one of each for every image", c.prediction.size(),
         c.truth.size());
  for (const auto& [name, list] : {std::pair{"--ignore", &c.ignore}, std::pair{"--grey", &c.grey}})
    if (!list->empty() && list->size() != c.truth.size())
      fail(Exit::usage, "{} {} for {} images: give one for each or none", list->size(), name, c.truth.size());
  if (c.damage_prediction.empty() != c.damage_truth.empty())
    fail(Exit::usage, "--damage-prediction and --damage-truth go together");
  if (!c.damage_truth.empty() && c.truth.size() != 1)
    fail(Exit::usage, "damage is compared for one image at a time, not {}", c.truth.size());
}

Json json_of(const MatchScore& s) {
  return {{"tp", s.tp},
          {"fp", s.fp},
          {"fn", s.fn},
          {"precision", s.precision},
          {"recall", s.recall},
          {"f1", s.f1},
          {"ap", s.ap},
          {"mean_matched_iou", s.mean_matched_iou},
          {"mean_true_iou", s.mean_true_iou},
          {"pq", s.pq}};
}

Json json_of(const MatchScores& scores) {
  Json j;
  for (std::size_t k = 0; k < scores.size(); ++k) j[fmt::format("{:.2f}", score_thresholds[k])] = json_of(scores[k]);
  return j;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const Score& s) {
  Json j;
  j["n_truth"] = s.n_truth;
  j["n_prediction"] = s.n_prediction;
  j["n_prediction_lenient"] = s.n_prediction_lenient;
  j["both_empty"] = s.n_truth + s.n_prediction == 0;
  j["strict"] = json_of(s.strict);
  j["lenient"] = json_of(s.lenient);
  j["map"] = s.map;
  j["map_lenient"] = s.map_lenient;
  j["vi_split"] = s.vi_split;
  j["vi_merge"] = s.vi_merge;
  j["arand"] = s.arand;
  j["split_rate"] = s.split_rate;
  j["merge_rate"] = s.merge_rate;
  j["volume_bias"] = or_null(s.volume_bias);
  return j;
}

/// Means over the pairs of all images.
void add(SurfaceDistance& sum, const SurfaceDistance& more) {
  const auto n = static_cast<double>(sum.pairs), m = static_cast<double>(more.pairs);
  if (n + m > 0) {
    sum.assd_um = (sum.assd_um * n + more.assd_um * m) / (n + m);
    sum.hausdorff95_um = (sum.hausdorff95_um * n + more.hausdorff95_um * m) / (n + m);
  }
  sum.pairs += more.pairs;
  sum.too_large += more.too_large;
}

std::map<std::uint64_t, double> damage_of(const std::string& path, const std::string& column) {
  const Table table = read_csv(path);
  const Column *labels = table.find("label"), *damage = table.find(column);
  if (labels == nullptr || damage == nullptr || labels->ids.size() != table.rows() ||
      damage->numbers.size() != table.rows())
    fail(Exit::data, "{}: needs the columns `label` (ids) and `{}` (numbers)", path, column);
  std::map<std::uint64_t, double> result;
  for (std::size_t i = 0; i < damage->numbers.size(); ++i)
    if (std::isfinite(damage->numbers[i])) result[labels->ids[i]] = damage->numbers[i];
  return result;
}

Json damage_json(const EvaluateCommand& c, const OverlapTable& table) {
  const auto prediction = damage_of(c.damage_prediction, "Damage"), truth = damage_of(c.damage_truth, "Damage");
  std::vector<double> found, wanted;
  for (const auto& [g, p] : matched_pairs(table, 0.5)) {
    const auto a = prediction.find(table.prediction[p].id), b = truth.find(table.truth[g].id);
    if (a == prediction.end() || b == truth.end()) continue;
    found.push_back(a->second);
    wanted.push_back(b->second);
  }
  const DamageScore s = damage_score(found, wanted);
  return {
      {"particles", s.particles}, {"mae", s.mae}, {"bias", s.bias}, {"r", or_null(s.r)}, {"slope", or_null(s.slope)}};
}

std::string row_of(const std::string& name, const MatchScore& s) {
  return fmt::format("{:<13}{:>7}{:>7}{:>7}{:>11.3f}{:>9.3f}{:>8.3f}{:>8.3f}{:>8.3f}\n", name, s.tp, s.fp, s.fn,
                     s.precision, s.recall, s.ap, s.mean_matched_iou, s.pq);
}

std::string table_of(const std::string& title, const Score& s) {
  std::string text = fmt::format("{}: {} true particles, {} predicted ({} in the lenient score)\n", title, s.n_truth,
                                 s.n_prediction, s.n_prediction_lenient);
  text += fmt::format("{:<13}{:>7}{:>7}{:>7}{:>11}{:>9}{:>8}{:>8}{:>8}\n", "IoU", "TP", "FP", "FN", "precision",
                      "recall", "AP", "IoU", "PQ");
  for (const std::size_t k : {0u, 5u, 8u}) {
    text += row_of(fmt::format("{:.2f} strict", score_thresholds[k]), s.strict[k]);
    text += row_of(fmt::format("{:.2f} lenient", score_thresholds[k]), s.lenient[k]);
  }
  text += fmt::format("mean AP {:.3f} strict, {:.3f} lenient; VI split {:.4f}, merge {:.4f} bits; ARAND {:.4f}\n",
                      s.map, s.map_lenient, s.vi_split, s.vi_merge, s.arand);
  text += fmt::format("split rate {:.4f}, merge rate {:.4f}, median volume bias {}\n", s.split_rate, s.merge_rate,
                      s.volume_bias ? fmt::format("{:+.2f} %", 100 * *s.volume_bias) : "unknown");
  return text;
}

/// Overlaps of all images, and the distances of their surfaces where voxel sizes are known.
struct Measured {
  OverlapTable table;
  std::optional<SurfaceDistance> surfaces;
};

Measured measure(const EvaluateCommand& c, const Context& context) {
  Measured m;
  SurfaceDistance surfaces;
  bool sizes_known = true;
  for (std::size_t k = 0; k < c.truth.size(); ++k) {
    const Opened o = open_pair(c, k);
    OverlapTable table = without_small(overlap_table(o.pair, context), c.min_size);
    if (o.voxel_um)
      add(surfaces, surface_distance(o.pair, table, *o.voxel_um, context));
    else
      sizes_known = false;
    append(m.table, std::move(table));
  }
  if (sizes_known) m.surfaces = surfaces;
  return m;
}

}  // namespace

Exit evaluate(const EvaluateCommand& c, Console& console) {
  check_counts(c);
  Progress progress(console.listener(), &stop_flag());
  Context context{progress, resolve_threads(c.threads.value_or(0))};
  if (c.memory_gib) context.memory_bytes = static_cast<std::uint64_t>(*c.memory_gib * 1024 * 1024 * 1024);
  const Measured m = measure(c, context);
  const Score all = score_of(m.table), interior = interior_score_of(m.table);
  Json j = json_of(all);
  const bool some = m.surfaces && m.surfaces->pairs > 0;
  j["assd_um"] = some ? Json(m.surfaces->assd_um) : Json(nullptr);
  j["hausdorff95_um"] = some ? Json(m.surfaces->hausdorff95_um) : Json(nullptr);
  if (!c.damage_truth.empty()) j["damage"] = damage_json(c, m.table);
  j["images"] = c.truth.size();
  j["by_image"] = false;
  j["interior"] = json_of(interior);
  if (m.surfaces && m.surfaces->too_large > 0)
    console.warn(fmt::format("{} pairs of particles are too large for the surface distances; allow more with --memory",
                             m.surfaces->too_large));
  const std::string table = table_of("All particles", all) + table_of("Not touching the border", interior);
  if (c.table) {
    fmt::print("{}", table);
  } else {
    console.info(table);
    fmt::print("{}\n", j.dump(2));
  }
  return Exit::ok;
}

}  // namespace cathoscope::app
