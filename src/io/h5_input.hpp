#pragma once
/// HDF5 files of others: links are followed by ourselves, and only within the file's own folder.

#include "h5_handle.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope::h5 {

/// A file of somebody else, open for reading without file locks (they fail on many network file systems).
struct InputH5 {
  std::filesystem::path path;
  std::filesystem::path folder;  ///< canonical; nothing outside of it is opened
  Id file;
};
using InputH5Ptr = std::shared_ptr<InputH5>;

/// Throws Error{no_input}, Error{data}. `folder`: the one of the user's file; empty = that of `path`.
InputH5Ptr open_input(const std::filesystem::path& path, std::filesystem::path folder = {});

/// An object after all links: the file that holds it and its name there.
struct Target {
  InputH5Ptr file;
  std::string name;
};

/// Follows soft and external links. Empty where a part of the path is absent.
/// Throws Error{data} where an external link leaves the folder, Error{no_input} where its file is missing.
std::optional<Target> resolve(const InputH5Ptr& file, const std::string& name, int depth = 0);

/// `name` relative to `from`, which must lie in the folder (Error{data}) and exist (Error{no_input}).
std::filesystem::path file_in_folder(const InputH5& from, const std::string& name, const std::string& what);

Id open_dataset(const Target& target);
bool is_dataset(const Target& target);
std::vector<hsize_t> extent_of(hid_t dataset);

/// Full names of all datasets with 2 or 3 dimensions (and those of any rank in `others`), in order. Bounded in depth
/// and number.
std::vector<std::string> image_datasets(const InputH5Ptr& file);

/// Names of the members of the root that are groups, in order.
std::vector<std::string> root_groups(const InputH5Ptr& file);

/// Scalar or short text and numbers of small datasets and attributes; empty where absent or of another kind.
std::optional<std::vector<double>> small_numbers(const InputH5Ptr& file, const std::string& name);
std::optional<std::string> small_text(const InputH5Ptr& file, const std::string& name);
std::optional<std::vector<double>> attribute_numbers(hid_t object, const std::string& key);
/// A fixed-length text attribute of the file's root of at most 4096 bytes; empty where there is none.
std::string root_text(const InputH5Ptr& file, const std::string& key);

/// Checks before the first read: filters there, parts of virtual datasets and external storage there and inside the
/// folder, sizes believable. Throws Error.
void check_dataset(const Target& target);

}  // namespace cathoscope::h5
