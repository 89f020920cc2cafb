/// The volume stage: from the user's file to volume.h5.

#include "frame.hpp"
#include "padding.hpp"
#include "percentiles.hpp"
#include "slab_reader.hpp"
#include "store_meta.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <cmath>

namespace cathoscope {

namespace {

using volumes::Frame;

template <class T>
class Loader {
 public:
  Loader(const VolumeConfig& config, const VolumeFile& file, H5File& out, const Context& context)
      : config_(config),
        file_(file),
        out_(out),
        context_(context),
        frame_(volumes::frame_of(file, config.axes, config.depth_axis, config.crop, config.bin)),
        voxel_size_(voxel_size_of(config.voxel_size_um, file, config.axes, config.depth_axis)),
        first_digits_(1 << 16, 0) {}

  VolumeMeta run() {
    describe();
    padding_ = find_padding();
    if (padding_) meta_.padding_value = static_cast<double>(*padding_);
    create_grids();
    context_.progress.begin("volume", static_cast<std::uint64_t>(volume_of(frame_.shape)));
    for (const Box& layer : volumes::slabs_across(frame_.shape, frame_.slowest(), chunk)) load_layer(layer);
    check_non_finite();
    find_grey_levels();
    volumes::store_meta(meta_, out_);
    return meta_;
  }

 private:
  [[nodiscard]] std::string path() const { return file_.files.empty() ? "volume" : file_.files.front().string(); }

  void describe() {
    if (!(config_.normalise.low_percentile < config_.normalise.high_percentile))
      fail(Exit::config, "normalise: low_percentile {} must be below high_percentile {}",
           text_of(config_.normalise.low_percentile), text_of(config_.normalise.high_percentile));
    meta_.two_dimensional = file_.two_dimensional;
    meta_.depth_origin = config_.depth_origin;
    meta_.depth_length_um = static_cast<double>(frame_.full[0]) * voxel_size_[0];
    meta_.physical_faces = config_.physical_faces;
    meta_.synthetic = file_.synthetic;
    meta_.voxel_size_from = config_.voxel_size_um ? "configuration" : file_.voxel_size_from;
    if (config_.voxel_size_um && file_.voxel_size_um) warn_if_sizes_differ();
  }

  void warn_if_sizes_differ() {
    const Vec3 stated = volumes::ordered(frame_, *file_.voxel_size_um);
    for (std::size_t i = 0; i < 3; ++i)
      if (std::abs(stated[i] - voxel_size_[i]) > 0.01 * voxel_size_[i])
        return context_.progress.warn(fmt::format(
            "{}: the file says voxels of {} um (from {}), the configuration {} um; the configuration counts", path(),
            text_of(stated[i]), file_.voxel_size_from, text_of(voxel_size_[i])));
  }

  /// Looks at up to 65 slices spread over the volume.
  [[nodiscard]] std::optional<T> find_padding() const {
    if (config_.mask != "auto") return std::nullopt;
    const Box stored = frame_.as_stored(frame_.used);
    const Index3 n = stored.shape();
    const std::int64_t count = std::min<std::int64_t>(n[0], 65);
    std::vector<T> plane(static_cast<std::size_t>(n[1] * n[2]));
    volumes::PaddingSurvey<T> survey;
    for (std::int64_t i = 0; i < count; ++i) {
      Box box = stored;
      box.begin[0] = stored.begin[0] + (count == 1 ? 0 : i * (n[0] - 1) / (count - 1));
      box.end[0] = box.begin[0] + 1;
      file_.read(box, plane.data());
      survey.add(plane.data(), n[1], n[2]);
      context_.progress.check_stop();
    }
    return survey.value();
  }

  void create_grids() {
    Vec3 size{}, origin{};
    for (std::size_t i = 0; i < 3; ++i) {
      size[i] = voxel_size_[i] * static_cast<double>(frame_.bin[i]);
      origin[i] = voxel_size_[i] * static_cast<double>(frame_.used.begin[i]);
    }
    volume_ = out_.create_grid<T>("/volume", frame_.shape, size, origin, Storage::checked);
    // Decided before the first voxel, so that the file is the same for any size of slabs.
    meta_.has_mask = padding_.has_value() || (std::is_floating_point_v<T> && config_.nan == "mask");
    if (meta_.has_mask)
      mask_ = out_.create_grid<std::uint8_t>("/mask", frame_.shape, size, origin, Storage::compressed);
  }

  /// Reads a layer of chunks, in thinner slabs where memory is short, and writes it at once: volume and mask in turns,
  /// whole chunks only. So the file has the same bytes for any slabs.
  void load_layer(const Box& layer) {
    const std::size_t axis = frame_.slowest();
    const std::int64_t thickness = volumes::slab_thickness(frame_, sizeof(T), context_.memory_bytes);
    std::vector<T> values(static_cast<std::size_t>(layer.size()));
    std::vector<std::uint8_t> inside(meta_.has_mask ? values.size() : 0);
    const std::int64_t bad_before = meta_.non_finite_voxels;
    for (std::int64_t a = layer.begin[axis]; a < layer.end[axis]; a += thickness) {
      Box slab = layer;
      slab.begin[axis] = a;
      slab.end[axis] = std::min(layer.end[axis], a + thickness);
      load_slab(slab, layer, values, inside);
    }
    if (meta_.non_finite_voxels > bad_before) bad_layers_.push_back(layer);
    volumes::DigitCounts counts{{0, std::move(first_digits_)}};
    volumes::count_digits(values.data(), meta_.has_mask ? inside.data() : nullptr, layer.size(), 0, context_.threads,
                          counts);
    first_digits_ = std::move(counts.begin()->second);
    volume_.write(layer, values.data());
    if (meta_.has_mask) mask_.write(layer, inside.data());
    context_.progress.advance(static_cast<std::uint64_t>(layer.size()));
  }

  void load_slab(const Box& box, const Box& layer, std::vector<T>& values, std::vector<std::uint8_t>& inside) {
    const Box stored_box = frame_.as_stored(frame_.before_bin(box));
    const bool direct = box == layer && frame_.is_plain();
    std::vector<T> own(direct ? 0 : static_cast<std::size_t>(stored_box.size()));
    std::vector<T>& stored = direct ? values : own;
    volumes::read_stored(file_, stored_box, context_.threads, stored.data());
    if (const auto mask = survey_slab(stored, stored_box, box); meta_.has_mask) paste(mask, box, layer, inside);
    if (direct) return;
    if (frame_.is_plain()) return paste(stored, box, layer, values);
    std::vector<T> placed(static_cast<std::size_t>(box.size()));
    volumes::place_means(stored.data(), frame_, box, context_.threads, placed.data());
    paste(placed, box, layer, values);
  }

  /// Puts the values of a box into the array of the layer around it.
  template <class U>
  static void paste(const std::vector<U>& part, const Box& box, const Box& layer, std::vector<U>& whole_layer) {
    const Index3 n = box.shape(), m = layer.shape();
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        std::copy_n(part.data() + (z * n[1] + y) * n[2], n[2],
                    whole_layer.data() +
                        ((box.begin[0] - layer.begin[0] + z) * m[1] + box.begin[1] - layer.begin[1] + y) * m[2] +
                        box.begin[2] - layer.begin[2]);
  }

  /// Counts what is not finite, and finds what is outside. Empty where there is no mask.
  std::vector<std::uint8_t> survey_slab(const std::vector<T>& stored, const Box& stored_box, const Box& box) {
    const Index3 n = stored_box.shape();
    const std::int64_t plane = n[1] * n[2];
    std::vector<std::uint8_t> outside(meta_.has_mask ? stored.size() : 0, 0);
    std::vector<std::int64_t> bad(static_cast<std::size_t>(n[0]), 0);
    parallel_for(n[0], context_.threads, [&](std::int64_t z) {
      const T* values = stored.data() + z * plane;
      std::uint8_t* mask = meta_.has_mask ? outside.data() + z * plane : nullptr;
      if (padding_) volumes::mark_padding(values, n[1], n[2], *padding_, mask);
      bad[static_cast<std::size_t>(z)] = count_non_finite(values, plane, mask);
    });
    for (std::int64_t z = 0; z < n[0]; ++z) {
      if (meta_.non_finite_voxels == 0 && bad[static_cast<std::size_t>(z)] > 0)
        first_bad_plane_ = stored_box.begin[0] + z;
      meta_.non_finite_voxels += bad[static_cast<std::size_t>(z)];
    }
    if (!meta_.has_mask) return {};
    std::vector<std::uint8_t> inside(static_cast<std::size_t>(box.size()));
    volumes::place_inside(outside.data(), frame_, box, context_.threads, inside.data());
    meta_.outside_voxels += std::count(inside.begin(), inside.end(), std::uint8_t{0});
    return inside;
  }

  /// With `nan: mask` also marks them.
  [[nodiscard]] std::int64_t count_non_finite(const T* values, std::int64_t n, std::uint8_t* outside) const {
    std::int64_t count = 0;
    if constexpr (std::is_floating_point_v<T>) {
      const bool mark = config_.nan == "mask";
      for (std::int64_t i = 0; i < n; ++i)
        if (!std::isfinite(values[i])) {
          ++count;
          if (mark) outside[i] = 1;
        }
    }
    return count;
  }

  void check_non_finite() {
    if (meta_.non_finite_voxels == 0) return;
    const std::string count = fmt::format("{}: {} voxels are NaN or infinite (the first in slice {} of the file)",
                                          path(), meta_.non_finite_voxels, first_bad_plane_);
    if (config_.nan == "refuse")
      fail(Exit::data,
           "{}; set `nan: mask` to treat them as outside the field of view, or `nan: replace` to put the median in "
           "their place",
           count);
    context_.progress.warn(fmt::format(
        "{}; {}", count, config_.nan == "mask" ? "treated as outside the field of view" : "replaced by the median"));
  }

  [[nodiscard]] volumes::StoredVolume<T> stored_volume() const {
    // Fixed slabs: reading moves chunks out of the library's cache, and so decides where in the file they come to lie.
    volumes::StoredVolume<T> v{out_.grid<T>("/volume"), {}, chunk};
    if (meta_.has_mask) v.mask = out_.grid<std::uint8_t>("/mask");
    return v;
  }

  void find_grey_levels() {
    if (std::all_of(first_digits_.begin(), first_digits_.end(), [](std::uint64_t c) { return c == 0; }))
      fail(Exit::data, "{}: no voxel is left inside the field of view{}", path(),
           padding_ ? fmt::format(" (padding of constant {} was found); set `mask: none`",
                                  text_of(static_cast<double>(*padding_)))
                    : "");
    const auto stored = stored_volume();
    const auto p =
        volumes::percentiles({config_.normalise.low_percentile, config_.normalise.high_percentile, 50, 0, 100},
                             first_digits_, stored, context_.threads);
    meta_.low_grey = p[0];
    meta_.high_grey = p[1];
    if (std::is_integral_v<T> && sizeof(T) >= 4 && std::max(std::abs(p[3]), std::abs(p[4])) > 16777216)
      context_.progress.warn(fmt::format(
          "{}: grey values reach {}; the volume keeps them, but later stages compute in float32 (exact to 16777216)",
          path(), text_of(std::abs(p[3]) > std::abs(p[4]) ? p[3] : p[4])));
    fill_non_finite(stored, static_cast<T>(p[2]));
  }

  /// Later stages filter across masked voxels too, so no NaN may stay.
  void fill_non_finite(const volumes::StoredVolume<T>& stored, T median) {
    if constexpr (std::is_floating_point_v<T>)
      for (const Box& box : bad_layers_) {
        auto values = stored.values.load(box);
        for (T& v : values)
          if (!std::isfinite(v)) v = median;
        volume_.write(box, values.data());
      }
  }

  static constexpr std::int64_t chunk = 64;  ///< of the output file, planes

  const VolumeConfig& config_;
  const VolumeFile& file_;
  H5File& out_;
  const Context& context_;
  Frame frame_;
  Vec3 voxel_size_;
  VolumeMeta meta_;
  std::optional<T> padding_;
  GridSink<T> volume_;
  GridSink<std::uint8_t> mask_;
  std::vector<std::uint64_t> first_digits_;
  std::vector<Box> bad_layers_;
  std::int64_t first_bad_plane_ = 0;
};

template <class T>
VolumeMeta load(const VolumeConfig& config, const VolumeFile& file, H5File& out, const Context& context) {
  return Loader<T>(config, file, out, context).run();
}

}  // namespace

VolumeMeta load_volume(const VolumeConfig& config, const VolumeFile& file, H5File& out, const Context& context) {
  switch (file.type) {
    case ValueType::uint8: return load<std::uint8_t>(config, file, out, context);
    case ValueType::int8: return load<std::int8_t>(config, file, out, context);
    case ValueType::uint16: return load<std::uint16_t>(config, file, out, context);
    case ValueType::int16: return load<std::int16_t>(config, file, out, context);
    case ValueType::uint32: return load<std::uint32_t>(config, file, out, context);
    case ValueType::int32: return load<std::int32_t>(config, file, out, context);
    case ValueType::uint64: return load<std::uint64_t>(config, file, out, context);
    case ValueType::int64: return load<std::int64_t>(config, file, out, context);
    case ValueType::float32: return load<float>(config, file, out, context);
    case ValueType::float64: return load<double>(config, file, out, context);
  }
  fail(Exit::internal, "unknown value type");
}

}  // namespace cathoscope
