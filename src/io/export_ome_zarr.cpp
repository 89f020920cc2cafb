/// OME-Zarr 0.4 images: a folder of arrays of Zarr version 2, each half as fine as the one before.

#include <cathoscope/io/export.hpp>

#include "export_stream.hpp"
#include "voxel_types.hpp"
#include "zarr_array.hpp"

#include <cathoscope/core/parallel.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t edge = 128;                                // of a chunk, voxels
constexpr std::int64_t coarsest = 256;                            // no axis of the last level is longer
constexpr std::int64_t halving_bytes = 2 * exporting::box_bytes;  // of all threads that make a coarser level

void write_file(const fs::path& path, const char* bytes, std::size_t size) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(bytes, 1, size, file) == size;
  const int error = errno;
  if ((file != nullptr && std::fclose(file) != 0) || !written)
    fail(file == nullptr ? Exit::cannot_create : Exit::write_error, "{}: cannot be written: {}", path.string(),
         std::strerror(written ? errno : error));
}

void write_json(const fs::path& path, const Json& json) {
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  write_file(path, text.data(), text.size());
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), error.message());
}

/// The folder beside `path` that becomes `path` by finish(), or is removed.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& path) : path_(path), partial_(partial_name(path)) {
    std::error_code error;
    const bool ours = fs::exists(path_ / ".zgroup", error) && fs::exists(path_ / ".zattrs", error);
    if (fs::exists(fs::symlink_status(path_, error)) && (fs::is_symlink(path_, error) || !ours))
      fail(Exit::cannot_create, "{}: is there already and is no OME-Zarr image; remove it, or name another folder",
           path_.string());
    fs::remove_all(partial_, error);  // of a process that was killed
    make_folder(partial_);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
  }

  [[nodiscard]] const fs::path& partial() const { return partial_; }

  void finish() {
    sync();
    if (::rename(partial_.c_str(), path_.c_str()) == 0) return;
    // A former image is not empty: the two change places, and the destructor removes the old one.
    if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) return;
    std::error_code error;
    fs::remove_all(path_, error);  // a file system that cannot exchange
    if (!error) fs::rename(partial_, path_, error);
    if (error) fail(Exit::write_error, "{}: cannot be put in place: {}", path_.string(), error.message());
  }

 private:
  /// One sync of the file system instead of one for each of thousands of chunks.
  void sync() const {
    const int folder = ::open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = folder >= 0 && ::syncfs(folder) == 0;
    const int error = errno;
    if (folder >= 0) ::close(folder);
    if (!good && error != ENOSYS)
      fail(Exit::write_error, "{}: cannot be synced: {}", path_.string(), std::strerror(error));
  }

  fs::path path_;
  fs::path partial_;
};

Index3 chunk_of(const Index3& shape) {
  return {std::min(edge, shape[0]), std::min(edge, shape[1]), std::min(edge, shape[2])};
}

template <class T>
void write_array_head(const fs::path& folder, const Index3& shape) {
  Json j;
  j["chunks"] = chunk_of(shape);
  j["compressor"] = {{"id", "zlib"}, {"level", 1}};
  j["dimension_separator"] = "/";
  j["dtype"] = fmt::format("{}{}", sizeof(T) == 1 ? "|" : "<", exporting::type_code<T>("u", "i", "f", sizeof(T)));
  j["fill_value"] = 0;
  j["filters"] = nullptr;
  j["order"] = "C";
  j["shape"] = shape;
  j["zarr_format"] = 2;
  make_folder(folder);
  write_json(folder / ".zarray", j);
}

/// An array in the making.
struct Level {
  fs::path folder;
  Index3 shape;

  [[nodiscard]] fs::path path_of(const Index3& low) const {
    const Index3 n = chunk_of(shape);
    return folder / std::to_string(low[0] / n[0]) / std::to_string(low[1] / n[1]) / std::to_string(low[2] / n[2]);
  }

  /// `box` is one chunk, cut at the far borders, where it is filled up with 0.
  template <class T>
  void write_chunk(const Box& box, const T* values) const {
    const Index3 n = chunk_of(shape), part = box.shape();
    std::vector<T> filled;
    if (part != n) {
      filled.resize(static_cast<std::size_t>(volume_of(n)));
      for (std::int64_t z = 0; z < part[0]; ++z)
        for (std::int64_t y = 0; y < part[1]; ++y)
          std::copy_n(values + (z * part[1] + y) * part[2], part[2], filled.data() + (z * n[1] + y) * n[2]);
      values = filled.data();
    }
    const auto bytes =
        readers::zlib_chunk(reinterpret_cast<const char*>(values), static_cast<std::size_t>(volume_of(n)) * sizeof(T));
    write_file(path_of(box.begin), bytes.data(), bytes.size());
  }

  void make_folders(const std::vector<Box>& chunks) const {
    fs::path last;
    for (const Box& c : chunks)
      if (const fs::path row = path_of(c.begin).parent_path(); row != last) make_folder(last = row);
  }
};

std::vector<Box> moved(std::vector<Box> boxes, const Index3& by) {
  for (Box& b : boxes)
    for (std::size_t i = 0; i < 3; ++i) {
      b.begin[i] += by[i];
      b.end[i] += by[i];
    }
  return boxes;
}

/// The grid as it is: read in large boxes, one after another, and compressed by all threads.
template <class T>
void write_finest(const Level& level, const GridSource<T>& grid, int threads) {
  write_array_head<T>(level.folder, level.shape);
  std::vector<T> values;
  for (const Box& box : exporting::boxes_of_chunks(level.shape, sizeof(T), exporting::box_bytes, edge)) {
    values.resize(static_cast<std::size_t>(box.size()));
    grid.read(box, values.data());
    const auto chunks = moved(blocks(box.shape(), chunk_of(level.shape)), box.begin);
    level.make_folders(chunks);
    parallel_for(static_cast<std::int64_t>(chunks.size()), threads, [&](std::int64_t i) {
      const Box& chunk = chunks[static_cast<std::size_t>(i)];
      Box inner = chunk;
      for (std::size_t a = 0; a < 3; ++a) {
        inner.begin[a] -= box.begin[a];
        inner.end[a] -= box.begin[a];
      }
      std::vector<T> part(static_cast<std::size_t>(chunk.size()));
      copy_box(values.data(), box.shape(), inner, part.data());
      level.write_chunk(chunk, part.data());
    });
  }
}

/// How many voxels make one of the next level, an axis.
Index3 steps_of(const Index3& shape) { return {shape[0] > 1 ? 2 : 1, shape[1] > 1 ? 2 : 1, shape[2] > 1 ? 2 : 1}; }

Index3 halved(const Index3& shape) { return {(shape[0] + 1) / 2, (shape[1] + 1) / 2, (shape[2] + 1) / 2}; }

/// The mean of n values as their type holds it, halves up.
template <class T, class Sum>
T mean_of(Sum sum, std::int64_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(sum / static_cast<Sum>(n));
  } else {
    const Sum twice = 2 * sum + n;
    return static_cast<T>(twice >= 0 ? twice / (2 * n) : -((2 * n - 1 - twice) / (2 * n)));
  }
}

/// One voxel of the next level; `low` is where its values begin in a box of shape n.
template <class T>
T coarser_value(const T* fine, const Index3& n, const Index3& low, const Index3& step, bool nearest) {
  const auto at = [&](std::int64_t z, std::int64_t y, std::int64_t x) { return fine[(z * n[1] + y) * n[2] + x]; };
  if (nearest) return at(low[0], low[1], low[2]);
  std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t> sum = 0;
  std::int64_t count = 0;
  for (std::int64_t z = low[0]; z < std::min(low[0] + step[0], n[0]); ++z)
    for (std::int64_t y = low[1]; y < std::min(low[1] + step[1], n[1]); ++y)
      for (std::int64_t x = low[2]; x < std::min(low[2] + step[2], n[2]); ++x, ++count) sum += at(z, y, x);
  return mean_of<T>(sum, count);
}

/// The next level, each chunk made out of the chunks before it by one thread.
template <class T>
void write_coarser(const Level& level, const GridSource<T>& fine, bool nearest, int threads) {
  write_array_head<T>(level.folder, level.shape);
  const Index3 step = steps_of(fine.shape);
  const auto chunks = blocks(level.shape, chunk_of(level.shape));
  level.make_folders(chunks);
  const std::int64_t each = volume_of(chunk_of(level.shape)) * volume_of(step) * static_cast<std::int64_t>(sizeof(T));
  const auto room = static_cast<int>(std::max<std::int64_t>(1, halving_bytes / (2 * each)));
  parallel_for(static_cast<std::int64_t>(chunks.size()), std::min(threads, room), [&](std::int64_t i) {
    const Box& chunk = chunks[static_cast<std::size_t>(i)];
    Box from;
    for (std::size_t a = 0; a < 3; ++a) {
      from.begin[a] = chunk.begin[a] * step[a];
      from.end[a] = std::min(chunk.end[a] * step[a], fine.shape[a]);
    }
    std::vector<T> values(static_cast<std::size_t>(from.size())), out;
    fine.read(from, values.data());
    out.reserve(static_cast<std::size_t>(chunk.size()));
    const Index3 n = chunk.shape();
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[2]; ++x)
          out.push_back(
              coarser_value(values.data(), from.shape(), {z * step[0], y * step[1], x * step[2]}, step, nearest));
    level.write_chunk(chunk, out.data());
  });
}

/// A level that is written already, to make the next one from.
template <class T>
GridSource<T> written(const Level& level) {
  const readers::ZarrRoot root(level.folder);
  VolumeFile file;
  readers::add_zarr_voxels(root, readers::zarr_array(root, level.folder), {0, 1, 2}, file);
  return file.as<T>();
}

/// Where a level lies: edge of its voxels, and centre of the first of them.
Json level_json(std::size_t number, const Vec3& voxel, const Vec3& origin) {
  const Json scale{{"type", "scale"}, {"scale", voxel}};
  const Vec3 centre{origin[0] + voxel[0] / 2, origin[1] + voxel[1] / 2, origin[2] + voxel[2] / 2};
  const Json translation{{"type", "translation"}, {"translation", centre}};
  return {{"path", std::to_string(number)}, {"coordinateTransformations", Json::array({scale, translation})}};
}

Json image_json(const std::string& name, const OmeZarrOptions& options, Json levels) {
  Json axes = Json::array();
  for (const char* axis : {"z", "y", "x"}) axes.push_back({{"name", axis}, {"type", "space"}, {"unit", "micrometer"}});
  Json image{{"version", "0.4"}, {"name", name}, {"axes", axes}, {"datasets", std::move(levels)}};
  image["type"] = options.labels ? "nearest" : "mean";
  Json j;
  j["multiscales"] = Json::array({image});
  if (options.labels) {
    j["image-label"]["version"] = "0.4";
    if (!options.image.empty()) j["image-label"]["source"]["image"] = options.image;
  }
  j["cathoscope"]["synthetic"] = options.synthetic.empty() ? Json(false) : Json(options.synthetic);
  return j;
}

}  // namespace

template <class T>
void write_ome_zarr(const fs::path& path, const GridSource<T>& grid, const OmeZarrOptions& options) {
  exporting::check_not_empty(path, grid.shape);
  PartialFolder folder(path);
  write_json(folder.partial() / ".zgroup", {{"zarr_format", 2}});
  Json levels = Json::array();
  Level level{folder.partial() / "0", grid.shape};
  Vec3 voxel = grid.voxel_size_um;
  write_finest(level, grid, options.threads);
  levels.push_back(level_json(0, voxel, grid.origin_um));
  while (*std::max_element(level.shape.begin(), level.shape.end()) > coarsest) {
    const auto fine = written<T>(level);
    for (std::size_t i = 0; i < 3; ++i) voxel[i] *= static_cast<double>(steps_of(fine.shape)[i]);
    level = {folder.partial() / std::to_string(levels.size()), halved(fine.shape)};
    write_coarser(level, fine, options.labels, options.threads);
    levels.push_back(level_json(levels.size(), voxel, grid.origin_um));
  }
  write_json(folder.partial() / ".zattrs", image_json(path.filename().string(), options, std::move(levels)));
  folder.finish();
}

#define CATHOSCOPE_INSTANTIATE(T) \
  template void write_ome_zarr<T>(const fs::path&, const GridSource<T>&, const OmeZarrOptions&);
CATHOSCOPE_OF_VOXEL_TYPES(CATHOSCOPE_INSTANTIATE)
#undef CATHOSCOPE_INSTANTIATE

}  // namespace cathoscope
