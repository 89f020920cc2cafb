#pragma once
/// Configuration from one description per struct.
///
///     struct RunConfig {
///       std::string name;
///       std::vector<ElectrodeConfig> electrodes;
///     };
///     template <class V>
///     void fields(V& v, RunConfig& c) {
///       v("name", c.name, "name of the study", required(file_name(), "my-study"));
///       v("electrodes", c.electrodes, "one entry for each tomogram");
///     }
///     template <class P>
///     void check(P& problems, const RunConfig& c) {           // optional: rules across fields
///       for (std::size_t i = 1; i < c.electrodes.size(); ++i)
///         if (c.electrodes[i].name == c.electrodes[0].name)
///           problems.add(fmt::format("electrodes[{}].name", i), "the names of electrodes must differ");
///     }
///
///     const auto loaded = read_config<RunConfig>("run.yaml", {"electrodes[0].volume.bin=2"});
///     Problems problems(loaded.where);                         // what only the inputs can tell
///     if (!size) problems.add("electrodes[0].volume.voxel_size_um", "the file does not say the size of its voxels");
///     problems.throw_if_any();
///     const std::string key = canonical_yaml(loaded.value, {.without = {"runtime"}, .paths = Paths::left_out});
///     const std::string saved = canonical_yaml(loaded.value, {.paths = Paths::absolute});

#include <cathoscope/config/describe.hpp>
#include <cathoscope/config/problems.hpp>
#include <cathoscope/config/value.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// A configuration and where each of its keys stands.
template <class T>
struct Loaded {
  T value;
  Locations where;

  [[nodiscard]] Location locate(std::string_view key_path) const { return cathoscope::locate(where, key_path); }
};

/// Whether input paths must lead to something. `status` and the like read a run whose inputs may be gone.
enum class Inputs { must_exist, may_be_missing };

/// How canonical_yaml writes input paths. `left_out` is for keys of artifacts, which hash the content instead.
enum class Paths { as_written, absolute, left_out };

struct CanonicalOptions {
  std::vector<std::string> without{};  ///< top-level keys to leave out
  Paths paths = Paths::as_written;
};

namespace configuring {

struct Source {
  std::string name;              ///< of the file, as messages show it
  std::filesystem::path folder;  ///< what relative input paths start from
  std::vector<std::string> overrides;
  Inputs inputs = Inputs::must_exist;
};

/// Everything given or defaulted, checked against the description. Where something is wrong a default stands in and
/// `problems` says so. `where` receives the places of all keys that are written.
ConfigValue read_tree(const TypeInfo& type, std::string_view text, const Source& source, Problems& problems,
                      Locations& where);
/// Throws Error{no_input} where the file cannot be read, Error{config} where it is larger than 1 MiB.
std::string file_text(const std::filesystem::path& file);
std::string canonical(const TypeInfo& type, const ConfigValue& tree, const CanonicalOptions& options);
std::string template_text(const TypeInfo& type, std::string_view title);
std::string schema_text(const TypeInfo& type, std::string_view title);
std::string markdown_text(const TypeInfo& type);

template <class T>
Loaded<T> read(std::string_view text, const Source& source) {
  Loaded<T> loaded;
  Problems problems(loaded.where);
  const ConfigValue tree = read_tree(describing::type_of(T{}), text, source, problems, loaded.where);
  describing::assign(loaded.value, tree);
  problems.only_sound_keys();
  describing::check_all(problems, loaded.value, "");
  problems.throw_if_any();
  return loaded;
}

}  // namespace configuring

/// Reads a file named on the command line. `overrides` are "key.path=value" (what `--set` takes; electrodes[0].name or
/// electrodes.0.name), the value as YAML; input paths in them start from the file's folder like those in the file.
/// Throws Error{config} with all problems, one a line in the order of the file, each "FILE:LINE:COLUMN: error:
/// MESSAGE"; Error{no_input} where the file itself cannot be read.
template <class T>
Loaded<T> read_config(const std::filesystem::path& file, const std::vector<std::string>& overrides = {},
                      Inputs inputs = Inputs::must_exist) {
  const std::string text = configuring::file_text(file);
  return configuring::read<T>(text, {file.string(), std::filesystem::absolute(file).parent_path(), overrides, inputs});
}

/// The same for text; `name` stands for the file in messages, relative input paths start from `folder`.
template <class T>
Loaded<T> read_config_text(std::string_view text, const std::string& name, const std::filesystem::path& folder,
                           const std::vector<std::string>& overrides = {}, Inputs inputs = Inputs::must_exist) {
  return configuring::read<T>(text, {name, folder, overrides, inputs});
}

/// Every key with its value, in the order of `fields`, shortest exact numbers: reads back to the same value.
template <class T>
std::string canonical_yaml(const T& value, const CanonicalOptions& options = {}) {
  return configuring::canonical(describing::type_of(value), describing::tree_of(value), options);
}

/// A configuration to start from: every key with its default, its meaning and what is allowed as a comment.
template <class T>
std::string template_yaml(std::string_view title) {
  return configuring::template_text(describing::type_of(T{}), title);
}

/// JSON Schema, draft 2020-12, for editors. What lies behind a path or across keys is beyond it.
template <class T>
std::string json_schema(std::string_view title) {
  return configuring::schema_text(describing::type_of(T{}), title);
}

/// Markdown for docs/configuration.md: one section with a table for each struct.
template <class T>
std::string configuration_markdown() {
  return configuring::markdown_text(describing::type_of(T{}));
}

}  // namespace cathoscope
