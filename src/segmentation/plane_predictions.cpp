#include "plane_predictions.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/plane_ranks.hpp>

#include <algorithm>
#include <memory>

namespace cathoscope {

namespace {

constexpr std::int64_t most_at_once = 32;  // planes a thread between two exchanges of the ranks

void check_fields(const StarImage& image, const StarFields& fields, bool distances) {
  const auto cells = [&](std::int64_t n) { return (n + fields.grid - 1) / fields.grid; };
  const auto size = static_cast<std::size_t>(fields.rows * fields.columns);
  if (fields.grid < 1 || fields.rows != cells(image.rows) || fields.columns != cells(image.columns) ||
      fields.probability.size() != size || (!fields.foreground.empty() && fields.foreground.size() != size) ||
      (distances && fields.distances.size() != size * star_rays))
    fail(Exit::internal, "the network returned {} x {} cells of {} pixels for an image of {} x {}", fields.rows,
         fields.columns, fields.grid, image.rows, image.columns);
}

/// Whether any voxel of the plane lies in the field of view: of others nothing is asked.
bool is_seen(const LatticePlane& plane, const WorkingVolume& volume) {
  if (!volume.any_outside) return true;
  for (const LatticeRow& row : plane.rows)
    for (std::int64_t m = 0; m < row.count; ++m)
      if (volume.inside(row.first + m * row.step)) return true;
  return false;
}

bool is_used(const LatticePlane& plane, std::int64_t least) {
  return std::min(plane.image_rows, plane.image_columns) >= least;
}

StarFields prediction(const WorkingVolume& volume, const StarPredictor& predict, const LatticePlane& plane,
                      bool distances) {
  const StarImage image = plane_image(volume, plane);
  StarFields fields = predict(image, distances);
  check_fields(image, fields, distances);
  return fields;
}

std::string packed(const StarFields& fields) {
  Packed bytes;
  bytes << fields.rows << fields.columns << fields.grid << fields.probability << fields.foreground << fields.distances;
  return bytes.take();
}

StarFields unpacked(const std::string& bytes) {
  StarFields fields;
  Unpacked(bytes) >> fields.rows >> fields.columns >> fields.grid >> fields.probability >> fields.foreground >>
      fields.distances;
  return fields;
}

/// Some planes of a family: [begin, end), of which each rank takes every `ranks`-th.
struct PlaneBatch {
  PlaneFamily family;
  std::int64_t begin = 0, end = 0, least = 0;
  std::int64_t ranks = 1;
  bool distances = false;

  [[nodiscard]] std::int64_t share(std::int64_t rank) const {
    return std::max<std::int64_t>(0, end - begin - rank + ranks - 1) / ranks;
  }
  [[nodiscard]] std::int64_t plane(std::int64_t rank, std::int64_t i) const { return begin + rank + i * ranks; }
};

/// A rank's share of a batch: the bytes of each of its planes, empty where nothing is asked of it.
std::vector<std::string> predicted_share(const WorkingVolume& volume, const StarPredictor& predict,
                                         const PlaneBatch& batch, std::int64_t rank, const Context& context) {
  std::vector<std::string> planes(static_cast<std::size_t>(batch.share(rank)));
  parallel_for(batch.share(rank), context.threads, [&](std::int64_t i) {
    const LatticePlane plane = lattice_plane(batch.family, volume.shape(), batch.plane(rank, i));
    if (is_used(plane, batch.least) && is_seen(plane, volume))
      planes[static_cast<std::size_t>(i)] = packed(prediction(volume, predict, plane, batch.distances));
    context.progress.advance();
  });
  return planes;
}

std::string packed_share(const std::vector<std::string>& planes) {
  Packed bytes;
  for (const std::string& plane : planes) bytes << plane;
  return bytes.take();
}

std::vector<std::string> unpacked_share(const std::string& bytes, std::int64_t count) {
  std::vector<std::string> planes(static_cast<std::size_t>(count));
  Unpacked in(bytes);
  for (std::string& plane : planes) in >> plane;
  return planes;
}

/// Planes between two exchanges: enough to even out, within an eighth of the memory.
std::int64_t batch_size(const Index3& shape, bool distances, const Context& context) {
  const double pixels =
      1.5 * static_cast<double>(std::max({shape[0] * shape[1], shape[0] * shape[2], shape[1] * shape[2]}));
  const double bytes =
      pixels * (distances ? 34 : 2);  // a cell of 4 pixels has 4 bytes a value; held packed and unpacked
  const auto fits = static_cast<std::int64_t>(static_cast<double>(context.memory_bytes) / 8 / (2 * bytes));
  const std::int64_t workers = std::int64_t{context.threads} * context.ranks.size;
  return std::max(workers, std::min(most_at_once * workers, fits));
}

void shared_predictions(const WorkingVolume& volume, const StarPredictor& predict, const PlaneFamily& family,
                        std::int64_t least, bool distances, const Context& context,
                        const std::function<void(const LatticePlane&, const StarFields&)>& f) {
  const std::int64_t planes = plane_count(family, volume.shape());
  const std::int64_t step = batch_size(volume.shape(), distances, context);
  context.progress.begin("view " + family.name, static_cast<std::uint64_t>(planes));
  PlaneBatch batch{family, 0, 0, least, context.ranks.size, distances};
  for (; batch.begin < planes; batch.begin = batch.end) {
    batch.end = std::min(planes, batch.begin + step);
    Packed request;
    request << family.normal << batch.begin << batch.end << batch.least << batch.ranks << batch.distances;
    std::vector<std::vector<std::string>> found(1);
    const auto answers = context.ranks.ask("planes", request.take(), [&] {
      found[0] = predicted_share(volume, predict, batch, 0, context);
      return std::string();
    });
    for (std::int64_t rank = 1; rank < batch.ranks; ++rank)
      found.push_back(unpacked_share(answers[static_cast<std::size_t>(rank)], batch.share(rank)));
    parallel_for(batch.end - batch.begin, context.threads, [&](std::int64_t i) {
      const std::string& bytes =
          found[static_cast<std::size_t>(i % batch.ranks)][static_cast<std::size_t>(i / batch.ranks)];
      if (!bytes.empty()) f(lattice_plane(family, volume.shape(), batch.begin + i), unpacked(bytes));
      if (i % batch.ranks != 0) context.progress.advance();
    });
  }
}

std::string packed(const WorkingVolume& volume) {
  const WorkingGrid& g = volume.grid();
  Packed bytes;
  bytes << g.native_shape << g.native_um << g.origin_um << g.shape << g.voxel_um << volume.any_outside
        << volume.codes();
  return bytes.take();
}

WorkingVolume unpacked_volume(const std::string& bytes) {
  WorkingGrid g;
  bool any_outside = false;
  std::vector<std::uint16_t> codes;
  Unpacked(bytes) >> g.native_shape >> g.native_um >> g.origin_um >> g.shape >> g.voxel_um >> any_outside >> codes;
  WorkingVolume volume(g, std::move(codes));
  volume.any_outside = any_outside;
  return volume;
}

}  // namespace

void for_each_plane(const PlaneFamily& family, const Index3& shape, std::int64_t least, const Context& context,
                    const std::function<void(const LatticePlane&)>& f) {
  const std::int64_t planes = plane_count(family, shape);
  context.progress.begin("view " + family.name, static_cast<std::uint64_t>(planes));
  parallel_for(planes, context.threads, [&](std::int64_t k) {
    const LatticePlane plane = lattice_plane(family, shape, k);
    if (is_used(plane, least)) f(plane);
    context.progress.advance();
  });
}

void share_volume(const WorkingVolume& volume, const Context& context) {
  if (context.ranks.shared()) on_all(context.ranks, "volume", packed(volume), [] {});
}

void for_each_prediction(const WorkingVolume& volume, const StarPredictor& predict, const PlaneFamily& family,
                         std::int64_t least, bool distances, const Context& context,
                         const std::function<void(const LatticePlane&, const StarFields&)>& f) {
  if (context.ranks.shared()) return shared_predictions(volume, predict, family, least, distances, context, f);
  for_each_plane(family, volume.shape(), least, context, [&](const LatticePlane& plane) {
    if (is_seen(plane, volume)) f(plane, prediction(volume, predict, plane, distances));
  });
}

RankTasks plane_tasks(std::int64_t rank, const std::function<StarPredictor()>& predictor, const Context& context) {
  const auto volume = std::make_shared<WorkingVolume>(WorkingGrid{}, std::vector<std::uint16_t>{});
  RankTasks tasks;
  tasks["volume"] = [volume](const std::string& request) {
    *volume = unpacked_volume(request);
    return std::string();
  };
  tasks["planes"] = [volume, rank, predictor, &context](const std::string& request) {
    PlaneBatch batch;
    Unpacked(request) >> batch.family.normal >> batch.begin >> batch.end >> batch.least >> batch.ranks >>
        batch.distances;
    context.progress.begin("planes", static_cast<std::uint64_t>(batch.share(rank)));
    return packed_share(predicted_share(*volume, predictor(), batch, rank, context));
  };
  return tasks;
}

}  // namespace cathoscope
