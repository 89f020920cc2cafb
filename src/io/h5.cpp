#include "h5_handle.hpp"

#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace cathoscope {

namespace h5 {

void quiet() {
  // Damaged files stay half open inside the library (1.10.8), and its own clean-up at exit crashes on them. Every file
  // of ours is closed by its owner.
  static const bool no_clean_up = H5dont_atexit() >= 0;
  (void)no_clean_up;
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string last_message() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
        if (n == 0 && e->desc != nullptr) *static_cast<std::string*>(out) = e->desc;
        return 0;
      },
      &text);
  return text.empty() ? "no further message" : text;
}

template <>
hid_t memory_type<std::int8_t>() {
  return H5T_NATIVE_INT8;
}
template <>
hid_t memory_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
hid_t memory_type<std::int16_t>() {
  return H5T_NATIVE_INT16;
}
template <>
hid_t memory_type<std::uint16_t>() {
  return H5T_NATIVE_UINT16;
}
template <>
hid_t memory_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
hid_t memory_type<std::uint32_t>() {
  return H5T_NATIVE_UINT32;
}
template <>
hid_t memory_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
hid_t memory_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
hid_t memory_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
hid_t memory_type<double>() {
  return H5T_NATIVE_DOUBLE;
}

std::string type_name(hid_t type) {
  const auto bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_FLOAT: return fmt::format("float{}", bits);
    case H5T_STRING: return "text";
    default: return {};
  }
}

}  // namespace h5

using h5::Id;

struct H5File::Handle {
  std::filesystem::path path;
  Id file;
  std::mutex mutex;  // the library has one lock; ours also keeps its error stack with the call that filled it
};

namespace {

using HandlePtr = std::shared_ptr<H5File::Handle>;

/// The library reports a refused allocation like any other failure of the call: only its text tells.
Exit unless_memory(Exit exit, const std::string& message) {
  return message.find("memory allocation failed") != std::string::npos ? Exit::no_memory : exit;
}

[[noreturn]] void fail_write(const H5File::Handle& h, const std::string& what) {
  const std::string message = h5::last_message();
  fail(unless_memory(Exit::write_error, message), "{}: cannot write {}: {}", h.path.string(), what, message);
}

[[noreturn]] void fail_read(const H5File::Handle& h, const std::string& what) {
  const std::string message = h5::last_message();
  fail(unless_memory(Exit::data, message), "{}: cannot read {}: {}", h.path.string(), what, message);
}

/// Files of the project hold their values themselves. One that leads to the content of another file was made by somebody
/// else: through an external link, external storage, or as a virtual dataset.
void require_own(const H5File::Handle& h, hid_t object, const std::string& name) {
  H5O_info_t here{}, root{};
  const bool known =
      H5Oget_info2(object, &here, H5O_INFO_BASIC) >= 0 && H5Oget_info2(h.file, &root, H5O_INFO_BASIC) >= 0;
  bool own = known && here.fileno == root.fileno;
  if (own && here.type == H5O_TYPE_DATASET) {
    const Id creation(H5Dget_create_plist(object), H5Pclose);
    own = H5Pget_layout(creation) != H5D_VIRTUAL && H5Pget_external_count(creation) == 0;
  }
  if (!own)
    fail(Exit::data, "{}: {} lies in another file; a file of this program holds everything itself", h.path.string(),
         name);
}

Id open_dataset(const H5File::Handle& h, const std::string& name) {
  Id d(H5Dopen2(h.file, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!d.valid()) fail(Exit::data, "{}: no dataset {}", h.path.string(), name);
  require_own(h, d, name);
  return d;
}

/// Chunks of 64 an axis, cut to the grid.
std::array<hsize_t, 3> chunk_of(const Index3& shape) {
  std::array<hsize_t, 3> c{};
  for (std::size_t i = 0; i < 3; ++i) c[i] = static_cast<hsize_t>(std::clamp<std::int64_t>(shape[i], 1, 64));
  return c;
}

Id creation_list(const std::array<hsize_t, 3>& chunk, Storage storage) {
  Id p(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(p, 0);
  H5Pset_chunk(p, 3, chunk.data());
  if (storage == Storage::compressed) {
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 1);
  } else {
    H5Pset_fletcher32(p);
  }
  return p;
}

/// A chunk cache that holds a row of chunks across the grid, within bounds.
Id access_list(const Index3& shape, const std::array<hsize_t, 3>& chunk, std::size_t value_size) {
  const auto across = [&](int i) { return (static_cast<std::size_t>(shape[i]) + chunk[i] - 1) / chunk[i]; };
  const std::size_t chunk_bytes = chunk[0] * chunk[1] * chunk[2] * value_size;
  const std::size_t wanted = across(1) * across(2) * chunk_bytes;
  Id p(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(p, 12421, std::clamp(wanted, 2 * chunk_bytes, std::size_t{128} << 20), 1.0);
  return p;
}

Id selected_space(hid_t dataset, const Box& box) {
  Id space = h5::space_of(dataset);
  const auto n = box.shape();
  const std::array<hsize_t, 3> start{static_cast<hsize_t>(box.begin[0]), static_cast<hsize_t>(box.begin[1]),
                                     static_cast<hsize_t>(box.begin[2])};
  const std::array<hsize_t, 3> count{static_cast<hsize_t>(n[0]), static_cast<hsize_t>(n[1]),
                                     static_cast<hsize_t>(n[2])};
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  return space;
}

/// Of the same rank as in the file: between spaces of unlike rank the library walks element by element.
Id memory_space(const Box& box) {
  const auto n = box.shape();
  const std::array<hsize_t, 3> count{static_cast<hsize_t>(n[0]), static_cast<hsize_t>(n[1]),
                                     static_cast<hsize_t>(n[2])};
  return {H5Screate_simple(3, count.data(), nullptr), H5Sclose};
}

Id open_object(const H5File::Handle& h, const std::string& object) {
  Id o(H5Oopen(h.file, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!o.valid()) fail(Exit::data, "{}: no object {}", h.path.string(), object);
  require_own(h, o, object);
  return o;
}

Vec3 vec3_attribute(hid_t object, const char* key, const Vec3& fallback) {
  if (H5Aexists(object, key) <= 0) return fallback;
  const Id a(H5Aopen(object, key, H5P_DEFAULT), H5Aclose);
  const Id space(H5Aget_space(a), H5Sclose);
  Vec3 v = fallback;
  if (H5Sget_simple_extent_npoints(space) == 3) H5Aread(a, H5T_NATIVE_DOUBLE, v.data());
  return v;
}

void write_attribute(H5File::Handle& h, const std::string& object, const std::string& key, hid_t type, hid_t space,
                     const void* data) {
  const Id o = open_object(h, object);
  if (H5Aexists(o, key.c_str()) > 0) H5Adelete(o, key.c_str());
  const Id a(H5Acreate2(o, key.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!a.valid() || H5Awrite(a, type, data) < 0) fail_write(h, "attribute " + key);
}

Id text_type(std::size_t size) {
  Id t(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(t, std::max<std::size_t>(1, size));
  H5Tset_cset(t, H5T_CSET_UTF8);
  H5Tset_strpad(t, H5T_STR_NULLPAD);
  return t;
}

/// The groups on the way to `name`. Made one by one, because groups that HDF5 makes on the way carry the time of day.
void create_groups(H5File::Handle& h, const std::string& name) {
  const Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, 0);
  for (auto slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string group = name.substr(0, slash);
    if (H5Lexists(h.file, group.c_str(), H5P_DEFAULT) > 0) continue;
    const Id made(H5Gcreate2(h.file, group.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT), H5Gclose);
    if (!made.valid()) fail_write(h, group);
  }
}

Id create_array(H5File::Handle& h, const std::string& name, hid_t type, hsize_t count) {
  const Id space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Id create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(create, 0);
  create_groups(h, name);
  Id d(H5Dcreate2(h.file, name.c_str(), type, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (!d.valid()) fail_write(h, name);
  return d;
}

}  // namespace

H5File H5File::create(const std::filesystem::path& path) {
  h5::quiet();
  const Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, 0);
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);  // close() must leave nothing unwritten, whoever holds a grid
  auto handle = std::make_shared<Handle>();
  handle->path = path;
  errno = 0;
  handle->file = Id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose);
  const int reason = errno;
  if (!handle->file.valid() && (reason == ENOSPC || reason == EDQUOT))
    fail(Exit::write_error, "{}: cannot be created: {}; make room on that disk", path.string(), std::strerror(reason));
  if (!handle->file.valid()) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), h5::last_message());
  return H5File(std::move(handle));
}

H5File H5File::open(const std::filesystem::path& path) {
  h5::quiet();
  std::error_code none;
  if (!std::filesystem::exists(path, none)) fail(Exit::no_input, "{}: no such file", path.string());
  auto handle = std::make_shared<Handle>();
  handle->path = path;
  handle->file = Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!handle->file.valid()) fail(Exit::data, "{}: not a readable HDF5 file: {}", path.string(), h5::last_message());
  return H5File(std::move(handle));
}

const std::filesystem::path& H5File::path() const { return handle_->path; }

bool H5File::contains(const std::string& name) const {
  const std::scoped_lock lock(handle_->mutex);
  return H5Oexists_by_name(handle_->file, name.c_str(), H5P_DEFAULT) > 0;
}

std::string H5File::type_of(const std::string& name) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id d = open_dataset(*handle_, name);
  const Id type(H5Dget_type(d), H5Tclose);
  return h5::type_name(type);
}

template <class T>
GridSink<T> H5File::create_grid(const std::string& name, const Index3& shape, const Vec3& voxel_size_um,
                                const Vec3& origin_um, Storage storage) {
  std::shared_ptr<Id> dataset;
  {
    const std::scoped_lock lock(handle_->mutex);
    const std::array<hsize_t, 3> extent{static_cast<hsize_t>(shape[0]), static_cast<hsize_t>(shape[1]),
                                        static_cast<hsize_t>(shape[2])};
    const auto chunk = chunk_of(shape);
    const Id space(H5Screate_simple(3, extent.data(), nullptr), H5Sclose);
    const Id access = access_list(shape, chunk, sizeof(T));
    const Id creation = creation_list(chunk, storage);
    dataset = std::make_shared<Id>(
        H5Dcreate2(handle_->file, name.c_str(), h5::memory_type<T>(), space, H5P_DEFAULT, creation, access), H5Dclose);
    if (!dataset->valid()) fail_write(*handle_, name);
  }
  set_attribute(name, "voxel_size_um", std::vector<double>(voxel_size_um.begin(), voxel_size_um.end()));
  set_attribute(name, "origin_um", std::vector<double>(origin_um.begin(), origin_um.end()));
  GridSink<T> sink;
  sink.shape = shape;
  sink.write = [handle = handle_, dataset, name](const Box& box, const T* values) {
    const std::scoped_lock lock(handle->mutex);
    const Id file_space = selected_space(*dataset, box);
    const Id memory = memory_space(box);
    if (H5Dwrite(*dataset, h5::memory_type<T>(), memory, file_space, H5P_DEFAULT, values) < 0)
      fail_write(*handle, name);
  };
  return sink;
}

template <class T>
GridSource<T> H5File::grid(const std::string& name) const {
  GridSource<T> source;
  source.shape = grid_shape(name);
  const std::scoped_lock lock(handle_->mutex);
  std::shared_ptr<Id> dataset;
  {
    const Id plain = open_dataset(*handle_, name);
    source.voxel_size_um = vec3_attribute(plain, "voxel_size_um", {1, 1, 1});
    source.origin_um = vec3_attribute(plain, "origin_um", {0, 0, 0});
    const Id type(H5Dget_type(plain), H5Tclose);
    const Id access = access_list(source.shape, chunk_of(source.shape), H5Tget_size(type));
    dataset = std::make_shared<Id>(H5Dopen2(handle_->file, name.c_str(), access), H5Dclose);
  }
  source.read = [handle = handle_, dataset, name](const Box& box, T* out) {
    const std::scoped_lock hold(handle->mutex);
    const Id file_space = selected_space(*dataset, box);
    const Id memory = memory_space(box);
    if (H5Dread(*dataset, h5::memory_type<T>(), memory, file_space, H5P_DEFAULT, out) < 0) fail_read(*handle, name);
  };
  return source;
}

Index3 H5File::grid_shape(const std::string& name) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id d = open_dataset(*handle_, name);
  const Id space = h5::space_of(d);
  if (H5Sget_simple_extent_ndims(space) != 3)
    fail(Exit::data, "{}: dataset {} is not three-dimensional", handle_->path.string(), name);
  std::array<hsize_t, 3> n{};
  H5Sget_simple_extent_dims(space, n.data(), nullptr);
  return {static_cast<std::int64_t>(n[0]), static_cast<std::int64_t>(n[1]), static_cast<std::int64_t>(n[2])};
}

std::vector<std::int64_t> H5File::extents(const std::string& name) const {
  constexpr double largest_ratio = 1100;  // of deflate, declared over stored
  const std::scoped_lock lock(handle_->mutex);
  const Id d = open_dataset(*handle_, name);
  const Id space = h5::space_of(d), type(H5Dget_type(d), H5Tclose);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
  if (!sizes.empty() && H5Sget_simple_extent_dims(space, sizes.data(), nullptr) < 0) fail_read(*handle_, name);
  double declared = static_cast<double>(H5Tget_size(type));
  for (const hsize_t n : sizes) declared *= static_cast<double>(n);
  if (declared > largest_ratio * static_cast<double>(H5Dget_storage_size(d)))
    fail(Exit::data, "{}: {} declares {} bytes and stores {}", handle_->path.string(), name, declared,
         H5Dget_storage_size(d));
  return {sizes.begin(), sizes.end()};
}

template <class T>
void H5File::write_array(const std::string& name, const std::vector<T>& values) {
  const std::scoped_lock lock(handle_->mutex);
  const Id d = create_array(*handle_, name, h5::memory_type<T>(), values.size());
  if (!values.empty() && H5Dwrite(d, h5::memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    fail_write(*handle_, name);
}

template <class T>
std::vector<T> H5File::read_array(const std::string& name) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id d = open_dataset(*handle_, name);
  const Id space = h5::space_of(d);
  std::vector<T> values(static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space))));
  if (!values.empty() && H5Dread(d, h5::memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    fail_read(*handle_, name);
  return values;
}

void H5File::write_texts(const std::string& name, const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const auto& v : values) width = std::max(width, v.size());
  std::vector<char> bytes(width * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i)
    std::memcpy(bytes.data() + i * width, values[i].data(), values[i].size());
  const std::scoped_lock lock(handle_->mutex);
  const Id type = text_type(width);
  const Id d = create_array(*handle_, name, type, values.size());
  if (!values.empty() && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) fail_write(*handle_, name);
}

std::vector<std::string> H5File::read_texts(const std::string& name) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id d = open_dataset(*handle_, name);
  const Id type(H5Dget_type(d), H5Tclose);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0)
    fail(Exit::data, "{}: {} is not fixed-length text", handle_->path.string(), name);
  const Id space = h5::space_of(d);
  const auto count = static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
  const std::size_t width = H5Tget_size(type);
  std::vector<char> bytes(width * count);
  if (count > 0 && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) fail_read(*handle_, name);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * width;
    values.emplace_back(text, strnlen(text, width));
  }
  return values;
}

void H5File::set_attribute(const std::string& object, const std::string& key, const std::vector<double>& values) {
  const std::scoped_lock lock(handle_->mutex);
  const hsize_t n = values.size();
  const Id space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  write_attribute(*handle_, object, key, H5T_NATIVE_DOUBLE, space, values.data());
}

void H5File::set_attribute(const std::string& object, const std::string& key, const std::string& text) {
  const std::scoped_lock lock(handle_->mutex);
  const Id type = text_type(text.size());
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  write_attribute(*handle_, object, key, type, space, text.empty() ? "" : text.data());
}

std::optional<std::vector<double>> H5File::attribute(const std::string& object, const std::string& key) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id o = open_object(*handle_, object);
  if (H5Aexists(o, key.c_str()) <= 0) return std::nullopt;
  const Id a(H5Aopen(o, key.c_str(), H5P_DEFAULT), H5Aclose);
  const Id space(H5Aget_space(a), H5Sclose);
  std::vector<double> values(static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space))));
  if (H5Aread(a, H5T_NATIVE_DOUBLE, values.data()) < 0) return std::nullopt;
  return values;
}

std::optional<std::vector<std::string>> H5File::attribute_texts(const std::string& object,
                                                                const std::string& key) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id o = open_object(*handle_, object);
  if (H5Aexists(o, key.c_str()) <= 0) return std::nullopt;
  const Id a(H5Aopen(o, key.c_str(), H5P_DEFAULT), H5Aclose);
  const Id type(H5Aget_type(a), H5Tclose), space(H5Aget_space(a), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING) return std::nullopt;
  const auto count = static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
  std::vector<std::string> texts;
  if (count == 0) return texts;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> pointers(count, nullptr);
    if (H5Aread(a, type, pointers.data()) < 0) return std::nullopt;
    for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
    return texts;
  }
  const std::size_t width = H5Tget_size(type);
  std::vector<char> bytes(width * count);
  if (H5Aread(a, type, bytes.data()) < 0) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i)
    texts.emplace_back(bytes.data() + i * width, strnlen(bytes.data() + i * width, width));
  return texts;
}

std::optional<std::string> H5File::attribute_text(const std::string& object, const std::string& key) const {
  const std::scoped_lock lock(handle_->mutex);
  const Id o = open_object(*handle_, object);
  if (H5Aexists(o, key.c_str()) <= 0) return std::nullopt;
  const Id a(H5Aopen(o, key.c_str(), H5P_DEFAULT), H5Aclose);
  const Id type(H5Aget_type(a), H5Tclose);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0) return std::nullopt;
  std::string text(H5Tget_size(type), '\0');
  if (H5Aread(a, type, text.data()) < 0) return std::nullopt;
  text.resize(strnlen(text.data(), text.size()));
  return text;
}

void H5File::close() {
  const std::scoped_lock lock(handle_->mutex);
  if (!handle_->file.valid()) return;
  const bool flushed = H5Fflush(handle_->file, H5F_SCOPE_GLOBAL) >= 0;
  if (!handle_->file.close() || !flushed) fail_write(*handle_, "the last blocks");
}

#define CATHOSCOPE_H5_TYPES(M) \
  M(std::int8_t)               \
  M(std::uint8_t)              \
  M(std::int16_t) M(std::uint16_t) M(std::int32_t) M(std::uint32_t) M(std::int64_t) M(std::uint64_t) M(float) M(double)
#define CATHOSCOPE_H5_INSTANTIATE(T)                                                                                 \
  template GridSink<T> H5File::create_grid<T>(const std::string&, const Index3&, const Vec3&, const Vec3&, Storage); \
  template GridSource<T> H5File::grid<T>(const std::string&) const;                                                  \
  template void H5File::write_array<T>(const std::string&, const std::vector<T>&);                                   \
  template std::vector<T> H5File::read_array<T>(const std::string&) const;
CATHOSCOPE_H5_TYPES(CATHOSCOPE_H5_INSTANTIATE)

}  // namespace cathoscope
