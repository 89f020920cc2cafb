#include "h5_input.hpp"

#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace cathoscope::h5 {

namespace fs = std::filesystem;

namespace {

constexpr int most_links = 16;
constexpr std::size_t most_objects = 20000;

fs::path folder_of(const fs::path& path) {
  std::error_code none;
  return fs::canonical(path.has_parent_path() ? path.parent_path() : fs::path("."), none);
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  std::error_code none;
  const auto relative = fs::weakly_canonical(path, none).lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    if (const std::string part = name.substr(at, end - at); !part.empty() && part != ".") parts.push_back(part);
    at = end + 1;
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts, std::size_t first) {
  std::string name;
  for (std::size_t i = first; i < parts.size(); ++i) name += "/" + parts[i];
  return name;
}

/// The text of a soft or external link.
std::vector<char> link_value(hid_t file, const std::string& name, std::size_t size) {
  std::vector<char> value(size + 1, '\0');
  if (size > 65536 || H5Lget_val(file, name.c_str(), value.data(), size, H5P_DEFAULT) < 0) return {'\0'};
  return value;
}

std::optional<Target> follow(const InputH5Ptr& file, const std::string& name, const H5L_info_t& info,
                             const std::string& parent, const std::string& rest, int depth) {
  const auto value = link_value(file->file, name, info.u.val_size);
  if (info.type == H5L_TYPE_SOFT) {
    const std::string to = value.data();
    return resolve(file, (to.starts_with("/") ? to : parent + "/" + to) + rest, depth + 1);
  }
  unsigned flags = 0;
  const char *other = nullptr, *object = nullptr;
  if (info.type != H5L_TYPE_EXTERNAL || H5Lunpack_elink_val(value.data(), info.u.val_size, &flags, &other, &object) < 0)
    return std::nullopt;
  const auto path = file_in_folder(*file, other, "the external link " + name);
  return resolve(open_input(path, file->folder), std::string(object) + rest, depth + 1);
}

}  // namespace

InputH5Ptr open_input(const fs::path& path, fs::path folder) {
  quiet();
  std::error_code none;
  if (!fs::exists(path, none)) fail(Exit::no_input, "{}: no such file", path.string());
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access, 0, 1);
  auto input = std::make_shared<InputH5>();
  input->path = path;
  input->folder = folder.empty() ? folder_of(path) : std::move(folder);
  input->file = Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  if (!input->file.valid()) fail(Exit::data, "{}: not a readable HDF5 file: {}", path.string(), last_message());
  return input;
}

fs::path file_in_folder(const InputH5& from, const std::string& name, const std::string& what) {
  const fs::path beside = from.path.has_parent_path() ? from.path.parent_path() : fs::path(".");
  fs::path path = beside / name;  // an absolute name replaces the folder
  std::error_code none;
  // The library looks beside the file where an absolute name is gone; so do we.
  if (!fs::exists(path, none) && fs::path(name).is_absolute()) path = beside / fs::path(name).filename();
  if (!is_inside(path, from.folder))
    fail(Exit::data,
         "{}: {} points to {}, which is outside the input's own folder {}; it is not opened. Move or copy it there",
         from.path.string(), what, name, from.folder.string());
  if (!fs::exists(path, none))
    fail(Exit::no_input, "{}: {} needs {}, which is missing", from.path.string(), what, path.string());
  return path;
}

std::optional<Target> resolve(const InputH5Ptr& file, const std::string& name, int depth) {
  if (depth > most_links)
    fail(Exit::data, "{}: more than {} links one after another at {}", file->path.string(), most_links, name);
  const auto parts = parts_of(name);
  std::string at;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string parent = at;
    at += "/" + parts[i];
    H5L_info_t info{};
    if (H5Lget_info(file->file, at.c_str(), &info, H5P_DEFAULT) < 0) return std::nullopt;
    if (info.type != H5L_TYPE_HARD) return follow(file, at, info, parent, joined(parts, i + 1), depth);
  }
  return Target{file, at.empty() ? "/" : at};
}

bool is_dataset(const Target& target) {
  H5O_info_t info{};
  return H5Oget_info_by_name2(target.file->file, target.name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         info.type == H5O_TYPE_DATASET;
}

namespace {

/// Invalid where it cannot be opened. External storage is named relative to the file, not to the folder the program runs
/// in; HDF5 refuses a dataset that is open already with another such prefix, so every way in must set the same.
Id try_dataset(const Target& target) {
  const Id access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_efile_prefix(access, "${ORIGIN}");
  return Id(H5Dopen2(target.file->file, target.name.c_str(), access), H5Dclose);
}

}  // namespace

Id open_dataset(const Target& target) {
  Id d = try_dataset(target);
  if (!d.valid())
    fail(Exit::data, "{}: cannot open dataset {}: {}", target.file->path.string(), target.name, last_message());
  return d;
}

std::vector<hsize_t> extent_of(hid_t dataset) {
  const Id space = space_of(dataset);
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> extent(static_cast<std::size_t>(std::max(0, rank)));
  if (rank > 0) H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  return extent;
}

namespace {

struct Walk {
  const InputH5Ptr& file;
  std::vector<std::string> names;
  std::set<haddr_t> groups;
  std::size_t seen = 0;
};

std::vector<std::string> members_of(hid_t group) {
  std::vector<std::string> names;
  H5Literate(
      group, H5_INDEX_NAME, H5_ITER_INC, nullptr,
      [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
        auto& list = *static_cast<std::vector<std::string>*>(out);
        list.emplace_back(name);
        return list.size() >= most_objects ? 1 : 0;
      },
      &names);
  return names;
}

/// A target behind a link that may be broken or lead outside: for a search such a one is not there.
std::optional<Target> reachable(const InputH5Ptr& file, const std::string& name) {
  try {
    return resolve(file, name);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void walk(Walk& w, const std::string& group, int depth) {
  const Id id(H5Gopen2(w.file->file, group.c_str(), H5P_DEFAULT), H5Gclose);
  H5O_info_t info{};
  if (!id.valid() || depth > 32 || H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0 || !w.groups.insert(info.addr).second)
    return;
  for (const std::string& member : members_of(id)) {
    if (++w.seen > most_objects) return;
    const std::string name = (group == "/" ? "" : group) + "/" + member;
    const auto target = reachable(w.file, name);
    if (!target) continue;
    if (is_dataset(*target)) {
      const Id d = try_dataset(*target);
      const auto rank = d.valid() ? extent_of(d).size() : 0;
      if (rank == 2 || rank == 3) w.names.push_back(name);
    } else if (target->file == w.file) {
      walk(w, name, depth + 1);
    }
  }
}

}  // namespace

std::vector<std::string> image_datasets(const InputH5Ptr& file) {
  Walk w{file, {}, {}, 0};
  walk(w, "/", 0);
  return w.names;
}

std::vector<std::string> root_groups(const InputH5Ptr& file) {
  std::vector<std::string> groups;
  const Id root(H5Gopen2(file->file, "/", H5P_DEFAULT), H5Gclose);
  if (!root.valid()) return groups;
  for (const std::string& member : members_of(root))
    if (const auto target = reachable(file, "/" + member); target && !is_dataset(*target))
      groups.push_back("/" + member);
  return groups;
}

std::optional<std::vector<double>> attribute_numbers(hid_t object, const std::string& key) {
  if (H5Aexists(object, key.c_str()) <= 0) return std::nullopt;
  const Id a(H5Aopen(object, key.c_str(), H5P_DEFAULT), H5Aclose);
  const Id type(H5Aget_type(a), H5Tclose);
  const Id space(H5Aget_space(a), H5Sclose);
  const auto count = H5Sget_simple_extent_npoints(space);
  const auto kind = H5Tget_class(type);
  if (count < 1 || count > 16 || (kind != H5T_FLOAT && kind != H5T_INTEGER)) return std::nullopt;
  std::vector<double> values(static_cast<std::size_t>(count));
  if (H5Aread(a, H5T_NATIVE_DOUBLE, values.data()) < 0) return std::nullopt;
  return values;
}

std::string root_text(const InputH5Ptr& file, const std::string& key) {
  const Id root(H5Gopen2(file->file, "/", H5P_DEFAULT), H5Gclose);
  if (!root.valid() || H5Aexists(root, key.c_str()) <= 0) return {};
  const Id a(H5Aopen(root, key.c_str(), H5P_DEFAULT), H5Aclose);
  const Id type(H5Aget_type(a), H5Tclose);
  const Id space(H5Aget_space(a), H5Sclose);
  const std::size_t size = H5Tget_size(type);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0 || size > 4096 ||
      H5Sget_simple_extent_npoints(space) != 1)
    return {};
  std::string text(size, '\0');
  if (H5Aread(a, type, text.data()) < 0) return {};
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::optional<std::vector<double>> small_numbers(const InputH5Ptr& file, const std::string& name) {
  const auto target = reachable(file, name);
  if (!target || !is_dataset(*target)) return std::nullopt;
  const Id d = try_dataset(*target);
  if (!d.valid()) return std::nullopt;
  const Id type(H5Dget_type(d), H5Tclose);
  const Id space = space_of(d);
  const auto count = H5Sget_simple_extent_npoints(space);
  const auto kind = H5Tget_class(type);
  if (count < 1 || count > 16) return std::nullopt;
  if (kind == H5T_STRING) {
    const auto number = number_from(small_text(file, name).value_or(""));
    return number ? std::optional(std::vector<double>{*number}) : std::nullopt;
  }
  std::vector<double> values(static_cast<std::size_t>(count));
  if ((kind != H5T_FLOAT && kind != H5T_INTEGER) ||
      H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    return std::nullopt;
  return values;
}

std::optional<std::string> small_text(const InputH5Ptr& file, const std::string& name) {
  const auto target = reachable(file, name);
  if (!target || !is_dataset(*target)) return std::nullopt;
  const Id d = try_dataset(*target);
  if (!d.valid()) return std::nullopt;
  const Id type(H5Dget_type(d), H5Tclose);
  const Id space = space_of(d);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) return std::nullopt;
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) < 0 || text == nullptr) return std::nullopt;
    std::string result = text;
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, &text);
    return result;
  }
  const std::size_t size = H5Tget_size(type);
  if (size > 4096) return std::nullopt;
  std::string text(size, '\0');
  if (H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) return std::nullopt;
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace cathoscope::h5
