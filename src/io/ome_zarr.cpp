/// OME-Zarr up to 0.4 (https://ngff.openmicroscopy.org/0.4), which is Zarr version 2, and plain Zarr 2 arrays.

#include "header_text.hpp"
#include "input_file.hpp"
#include "readers.hpp"
#include "zarr_array.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::readers {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

bool has(const fs::path& folder, const char* name) {
  std::error_code none;
  return fs::exists(folder / name, none);
}

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_at(const Json& object, const char* key) {
  const Json* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

const Json& list_at(const fs::path& path, const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_array()) fail(Exit::data, "{}: multiscales has no list '{}'", path.string(), key);
  return *value;
}

struct Axis {
  std::string name;
  std::string unit;  ///< empty where it is not said
  bool space = false;
};

/// One image at several resolutions: an entry of `multiscales` in the .zattrs of a group.
struct Multiscale {
  fs::path group;
  Json json;
  std::size_t level = 0;

  [[nodiscard]] fs::path file() const { return group / ".zattrs"; }
  [[nodiscard]] const Json& levels() const { return list_at(file(), json, "datasets"); }
  [[nodiscard]] std::string path_of(std::size_t i) const { return text_at(levels()[i], "path"); }
};

/// A folder of version 3 or of N5 is named as such, so that nobody looks for a mistake of his own.
void refuse_others(const fs::path& folder) {
  if (has(folder, "zarr.json"))
    fail(
        Exit::data,
        "{}: is Zarr version 3 (OME-Zarr 0.5), which is not read. Write it as version 2 (OME-Zarr 0.4): in zarr-python "
        "3, zarr.create_array(..., zarr_format=2)",
        folder.string());
  if (has(folder, "attributes.json") && !has(folder, ".zarray") && !has(folder, ".zattrs") && !has(folder, ".zgroup"))
    fail(Exit::data,
         "{}: is N5, which is not read. Save it as OME-Zarr 0.4, TIFF or HDF5: in Fiji, File > Import > HDF5/N5/Zarr, "
         "then File > Save As",
         folder.string());
}

std::optional<Multiscale> multiscale_of(const ZarrRoot& root, const fs::path& group, VolumeFile& v) {
  if (!has(group, ".zattrs")) return std::nullopt;
  const Json attributes = zarr_json(root, group / ".zattrs");
  const Json* list = find(attributes, "multiscales");
  if (list == nullptr) return std::nullopt;
  if (!list->is_array() || list->empty() || !list->front().is_object())
    fail(Exit::data, "{}: 'multiscales' is not a list of images", (group / ".zattrs").string());
  if (list->size() > 1) v.notes.push_back(fmt::format("the first of {} images in multiscales", list->size()));
  if (const Json* ours = find(attributes, "cathoscope")) v.synthetic = text_at(*ours, "synthetic");
  Multiscale m{group, list->front(), 0};
  const std::string version = text_at(m.json, "version");
  if (!version.empty() && version != "0.1" && version != "0.2" && version != "0.3" && version != "0.4")
    fail(Exit::data, "{}: multiscales of version '{}' are not read; up to 0.4 are", m.file().string(),
         version.substr(0, 20));
  if (m.levels().empty()) fail(Exit::data, "{}: multiscales lists no dataset", m.file().string());
  v.files.push_back(m.file());
  return m;
}

/// `name` below a folder. Throws Error{data} where it could lead elsewhere.
fs::path below(const ZarrRoot& root, const fs::path& folder, const std::string& name, const std::string& what) {
  const fs::path relative = fs::path(name).lexically_normal();
  const bool leaves = relative.is_absolute() || std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (name.empty() || leaves || name.find('\0') != std::string::npos)
    fail(Exit::data, "{}: {} '{}' is no path below this folder", folder.string(), what, name.substr(0, 80));
  const fs::path path = folder / relative;
  root.require_inside(path);
  return path;
}

std::vector<Axis> axes_of(const Multiscale& m, std::size_t dimensions) {
  std::vector<Axis> axes;
  if (const Json* list = find(m.json, "axes")) {
    if (!list->is_array()) fail(Exit::data, "{}: 'axes' is not a list", m.file().string());
    for (const Json& a : *list) {
      Axis axis{a.is_string() ? a.get<std::string>() : text_at(a, "name"), text_at(a, "unit"), false};
      const std::string type = text_at(a, "type");
      axis.space = type.empty() ? axis.name == "x" || axis.name == "y" || axis.name == "z" : type == "space";
      axes.push_back(axis);
    }
  } else if (dimensions == 5) {  // versions 0.1 and 0.2 have no choice
    for (const char* name : {"t", "c", "z", "y", "x"})
      axes.push_back({name, "", std::string("zyx").find(name) != std::string::npos});
  } else {
    fail(Exit::data, "{}: multiscales does not name its axes", m.file().string());
  }
  if (axes.size() != dimensions)
    fail(Exit::data, "{}: multiscales names {} axes, but the array has {} dimensions", m.file().string(), axes.size(),
         dimensions);
  return axes;
}

/// Positions of the axes of space. The others must have length 1.
std::vector<std::size_t> space_axes(const std::vector<Axis>& axes, const ZarrArray& array, VolumeFile& v) {
  std::vector<std::size_t> space;
  std::string names;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].space) {
      space.push_back(i);
      names += axes[i].name;
    } else if (array.shape[i] != 1) {
      fail(Exit::data, "{}: axis '{}' has length {}; only one volume can be read. Save the wanted one by itself",
           array.folder.string(), axes[i].name.substr(0, 40), array.shape[i]);
    }
  }
  if (space.size() != 2 && space.size() != 3)
    fail(Exit::data, "{}: has {} axes of space; 3 (a volume) or 2 (an image) are read", array.folder.string(),
         space.size());
  if (names != (space.size() == 3 ? "zyx" : "yx"))
    v.notes.push_back(fmt::format("the file names its axes {}, slowest first: set `axes` accordingly", names));
  return space;
}

/// What a number is multiplied and then divided by: 50 nanometer is 0.05 exactly as the text 0.05 is.
struct Unit {
  double times = 1, over = 1;
};

std::optional<Unit> unit_of(const std::string& name) {
  static const std::map<std::string, Unit> units{{"micrometer", {}},
                                                 {"micrometre", {}},
                                                 {"micron", {}},
                                                 {"um", {}},
                                                 {"\xC2\xB5m", {}},
                                                 {"\xCE\xBCm", {}},
                                                 {"nanometer", {1, 1000}},
                                                 {"nanometre", {1, 1000}},
                                                 {"nm", {1, 1000}},
                                                 {"angstrom", {1, 10000}},
                                                 {"picometer", {1, 1000000}},
                                                 {"picometre", {1, 1000000}},
                                                 {"millimeter", {1000, 1}},
                                                 {"millimetre", {1000, 1}},
                                                 {"mm", {1000, 1}},
                                                 {"centimeter", {10000, 1}},
                                                 {"centimetre", {10000, 1}},
                                                 {"cm", {10000, 1}},
                                                 {"decimeter", {100000, 1}},
                                                 {"decimetre", {100000, 1}},
                                                 {"meter", {1000000, 1}},
                                                 {"metre", {1000000, 1}},
                                                 {"m", {1000000, 1}}};
  const auto found = units.find(lower_case(name));
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

/// Multiplies `scale` by the transformation of type scale, if there is one. False where there is none that can be used.
bool multiply_by(const Json* transformations, std::vector<double>& scale) {
  if (transformations == nullptr || !transformations->is_array()) return false;
  for (const Json& t : *transformations) {
    const Json* factors = find(t, "scale");
    if (text_at(t, "type") != "scale" || factors == nullptr || !factors->is_array()) continue;
    if (factors->size() != scale.size()) return false;
    for (std::size_t i = 0; i < scale.size(); ++i) {
      if (!(*factors)[i].is_number()) return false;
      scale[i] *= (*factors)[i].get<double>();
    }
    return true;
  }
  return false;
}

void read_voxel_size(const Multiscale& m, const std::vector<Axis>& axes, const std::vector<std::size_t>& space,
                     VolumeFile& v) {
  const auto unknown = [&](const std::string& why) { v.notes.push_back(why + ": voxel size unknown"); };
  std::vector<double> scale(axes.size(), 1);
  if (!multiply_by(find(m.levels()[m.level], "coordinateTransformations"), scale))
    return unknown("coordinateTransformations give no scale");
  multiply_by(find(m.json, "coordinateTransformations"), scale);
  Vec3 size{1, 1, 1};
  const std::size_t first = 3 - space.size();
  for (std::size_t i = 0; i < space.size(); ++i) {
    const Axis& axis = axes[space[i]];
    const auto unit = unit_of(axis.unit);
    if (!unit)
      return unknown(axis.unit.empty() ? fmt::format("axis {} has no unit", axis.name)
                                       : fmt::format("axis {} has the unit '{}'", axis.name, axis.unit.substr(0, 40)));
    size[first + i] = scale[space[i]] * unit->times / unit->over;
    if (!std::isfinite(size[first + i]) || size[first + i] <= 0)
      return unknown(fmt::format("the scale of axis {} is {}", axis.name, text_of(scale[space[i]])));
  }
  if (space.size() == 2) size[0] = size[1];
  if (size == Vec3{1, 1, 1})
    return unknown("the scale is 1 um in every axis, which programs write when they do not know");
  v.voxel_size_um = size;
  v.voxel_size_from = "OME-Zarr scale and units of the axes";
}

void note_levels(const Multiscale& m, VolumeFile& v) {
  const std::size_t count = m.levels().size();
  if (count < 2) return;
  std::vector<std::string> others;
  for (std::size_t i = 0; i < count; ++i)
    if (i != m.level) others.push_back(m.path_of(i).substr(0, 40));
  v.notes.push_back(fmt::format("level {} of {}, '{}'; `dataset` names another: {}", m.level, count,
                                m.path_of(m.level).substr(0, 40), listed(others)));
}

void open_level(const ZarrRoot& root, const Multiscale& m, VolumeFile& v) {
  const auto folder = below(root, m.group, m.path_of(m.level), "the level");
  refuse_others(folder);
  if (!has(folder, ".zarray"))
    fail(Exit::no_input, "{}: multiscales names the array '{}', which is missing", m.file().string(),
         m.path_of(m.level).substr(0, 80));
  ZarrArray array = zarr_array(root, folder);
  const auto axes = axes_of(m, array.shape.size());
  const auto space = space_axes(axes, array, v);
  read_voxel_size(m, axes, space, v);
  note_levels(m, v);
  add_zarr_voxels(root, std::move(array), space, v);
  v.format = "OME-Zarr";
}

/// An array that no multiscales speaks of: its last three dimensions, or two.
void open_plain(const ZarrRoot& root, const fs::path& folder, VolumeFile& v) {
  ZarrArray array = zarr_array(root, folder);
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < array.shape.size(); ++i)
    axes.push_back({fmt::format("{}", i), "", i + 3 >= array.shape.size()});
  if (array.shape.size() == 2) axes = {{"y", "", true}, {"x", "", true}};
  if (array.shape.size() >= 3)
    for (std::size_t i = 0; i < 3; ++i) axes[axes.size() - 3 + i].name = std::string(1, "zyx"[i]);
  const auto space = space_axes(axes, array, v);
  add_zarr_voxels(root, std::move(array), space, v);
  v.format = "Zarr array";
}

/// The image whose level a folder is, where the folder above says so.
std::optional<Multiscale> image_of(const ZarrRoot& root, const fs::path& array, VolumeFile& v) {
  for (fs::path group = array.parent_path(); group != root.path.parent_path(); group = group.parent_path()) {
    auto m = multiscale_of(root, group, v);
    if (!m) {
      if (group == root.path) break;
      continue;
    }
    for (std::size_t i = 0; i < m->levels().size(); ++i)
      if ((group / m->path_of(i)).lexically_normal() == array) {
        m->level = i;
        return m;
      }
    v.files.pop_back();
    break;
  }
  return std::nullopt;
}

[[noreturn]] void fail_without_image(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->is_directory(error) && (has(it->path(), ".zarray") || has(it->path(), ".zgroup")))
      names.push_back(it->path().filename().string());
  std::sort(names.begin(), names.end());
  if (names.empty())
    fail(Exit::data, "{}: holds neither an array (.zarray) nor an image (.zattrs with multiscales) of Zarr version 2",
         folder.string());
  fail(Exit::data, "{}: is a group without multiscales; name one of its members with `dataset`: {}", folder.string(),
       listed(names));
}

}  // namespace

bool is_zarr_folder(const fs::path& folder) {
  for (const char* name : {".zarray", ".zattrs", ".zgroup", "zarr.json"})
    if (has(folder, name)) return true;
  const std::string ending = lower_case((folder.has_filename() ? folder : folder.parent_path()).filename().string());
  return ending.ends_with(".zarr") || (ending.ends_with(".n5") && has(folder, "attributes.json"));
}

VolumeFile open_zarr(const fs::path& path, const OpenOptions& options) {
  const ZarrRoot root(path.has_filename() ? path : path.parent_path());  // "x.zarr/" is x.zarr
  VolumeFile v;
  refuse_others(root.path);
  fs::path target = root.path;
  if (options.dataset) {
    const std::string name =
        options.dataset->substr(std::min(options.dataset->find_first_not_of('/'), options.dataset->size()));
    target = below(root, root.path, name, "`dataset`");
    std::error_code none;
    if (!fs::is_directory(target, none))
      fail(Exit::no_input, "{}: has no '{}'", root.path.string(), options.dataset->substr(0, 80));
    refuse_others(target);
  }
  if (has(target, ".zarray")) {
    const auto image = target == root.path ? std::nullopt : image_of(root, target, v);
    image ? open_level(root, *image, v) : open_plain(root, target, v);
    if (target == root.path)
      v.notes.emplace_back("an array by itself: where it is a level of an image, open the folder above with `dataset`");
    return v;
  }
  const auto image = multiscale_of(root, target, v);
  if (!image) fail_without_image(target);
  open_level(root, *image, v);
  return v;
}

}  // namespace cathoscope::readers
