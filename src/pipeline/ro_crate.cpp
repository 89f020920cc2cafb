#include "figures_stage.hpp"
#include "provenance.hpp"
#include "run_folder.hpp"
#include "stage_record.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/version.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* crate_name = "ro-crate-metadata.json";

Json reference(const std::string& id) { return {{"@id", id}}; }

/// Characters that a URI has no other use for stay; the rest is percent-encoded.
std::string uri_path(const std::string& path) {
  std::string uri;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

std::string media_type(const fs::path& path) {
  static const std::map<std::string, std::string> types{{".csv", "text/csv"},
                                                        {".tsv", "text/tab-separated-values"},
                                                        {".json", "application/json"},
                                                        {".h5", "application/x-hdf5"},
                                                        {".hdf5", "application/x-hdf5"},
                                                        {".hdf", "application/x-hdf5"},
                                                        {".html", "text/html"},
                                                        {".svg", "image/svg+xml"},
                                                        {".pdf", "application/pdf"},
                                                        {".png", "image/png"},
                                                        {".tif", "image/tiff"},
                                                        {".tiff", "image/tiff"},
                                                        {".yaml", "application/yaml"},
                                                        {".yml", "application/yaml"},
                                                        {".txt", "text/plain"},
                                                        {".gp", "text/plain"},
                                                        {".log", "text/plain"}};
  const auto found = types.find(path.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

/// The hashes that stages recorded, of files that are still as they were.
std::map<fs::path, std::string> recorded_hashes(const Run& run) {
  std::map<fs::path, std::string> hashes;
  for (const auto& seen : run.seen()) {
    const fs::path folder = run.folder() / seen.electrode;
    const auto record = read_record(record_path(folder, seen.part.empty() ? seen.stage : seen.part));
    if (!record) continue;
    for (const auto& output : record->outputs) {
      const fs::path file = folder / output.file;
      std::error_code error;
      if (fs::file_size(file, error) == output.bytes && !error && modified_ns(file) == output.modified_ns)
        hashes[file] = output.sha256;
    }
  }
  return hashes;
}

/// Files of the run: not what is hidden, nor what `export` and `explore` put beside them.
std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(folder), end; it != end; ++it) {
    const std::string name = it->path().filename().string();
    const bool beside = it.depth() == 0 && (name == "export" || name == "explore" || name == crate_name);
    if (name.starts_with(".") || beside || it->is_symlink()) {
      if (it->is_directory() && !it->is_symlink()) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file()) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The entities of a crate, each once.
class Graph {
 public:
  /// Adds an entity unless one of its id is there; a reference to it.
  Json add(Json entity) {
    const std::string id = entity.at("@id");
    if (ids_.insert(id).second) entities_.push_back(std::move(entity));
    return reference(id);
  }
  [[nodiscard]] const Json& entities() const { return entities_; }

 private:
  Json entities_ = Json::array();
  std::set<std::string> ids_;
};

Json result_entity(const Run& run, const fs::path& file, const std::map<fs::path, std::string>& hashes) {
  const std::string name = file.lexically_relative(run.folder()).string();
  Json e{{"@id", uri_path(name)}, {"@type", "File"}, {"name", name}, {"encodingFormat", media_type(file)}};
  if (name == "log.txt") {
    e["description"] = "the log of the runs, still being written when this list was made";
    return e;
  }
  const auto known = hashes.find(file);
  e["contentSize"] = std::to_string(fs::file_size(file));
  e["sha256"] = known != hashes.end() ? known->second : sha256_of_file(file);
  return e;
}

/// One file is a file; the slices of a stack or the chunks of an array are one thing together.
Json input_entity(const std::string& electrode, const StageInput& input, const std::string& synthetic) {
  const KnownFile& first = input.files.front();
  Json e;
  const bool one = input.files.size() == 1;
  e["@id"] = one ? "file://" + uri_path(first.path) : "#input/" + uri_path(electrode + "/" + input.name);
  e["@type"] = one ? "File" : "Dataset";
  e["name"] = fmt::format("{}{}: {}", input.name, electrode.empty() ? "" : " of " + electrode,
                          fs::path(first.path).filename().string());
  std::uint64_t bytes = 0;
  for (const auto& file : input.files) bytes += file.bytes;
  e["contentSize"] = std::to_string(bytes);
  e["sha256"] = one ? first.sha256 : input.sha256;
  std::string description;
  if (one) {
    e["encodingFormat"] = media_type(first.path);
  } else {
    e["url"] = "file://" + uri_path(fs::path(first.path).parent_path().string() + "/");
    description =
        fmt::format("{} files, {} to {}; sha256 is that of the hexadecimal SHA-256 of each, in order, one a line",
                    input.files.size(), fs::path(first.path).filename().string(),
                    fs::path(input.files.back().path).filename().string());
  }
  if (!synthetic.empty()) {
    description += (description.empty() ? "" : ". ") + ("synthetic data, no measurement: " + synthetic);
    e["keywords"] = "synthetic data";
  }
  if (!description.empty()) e["description"] = description;
  return e;
}

Json add_inputs(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Run& run, Graph& graph) {
  std::map<std::string, std::string> synthetic;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    synthetic[config.electrodes[i].name] = synthetic_origin(config.electrodes[i], inputs[i]);
  Json list = Json::array();
  for (const auto& seen : run.seen()) {
    const auto record =
        read_record(record_path(run.folder() / seen.electrode, seen.part.empty() ? seen.stage : seen.part));
    if (!record) continue;
    for (const auto& input : record->spec.inputs) {
      if (input.files.empty()) continue;
      std::string electrode = seen.electrode;  // a stage of the whole run says of which electrode a table is
      for (const auto& [name, origin] : synthetic)
        if (electrode.empty() && input.name.ends_with(name)) electrode = name;
      const Json id = graph.add(input_entity(seen.electrode, input, synthetic[electrode]));
      if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
    }
  }
  return list;
}

Json add_authors(const AboutConfig& about, Graph& graph) {
  Json list = Json::array();
  for (std::size_t i = 0; i < about.authors.size(); ++i) {
    const AuthorConfig& a = about.authors[i];
    Json person{{"@id", a.orcid ? "https://orcid.org/" + *a.orcid : fmt::format("#author-{}", i + 1)},
                {"@type", "Person"},
                {"name", a.name}};
    if (a.affiliation)
      person["affiliation"] = graph.add(
          {{"@id", "#organisation/" + uri_path(*a.affiliation)}, {"@type", "Organization"}, {"name", *a.affiliation}});
    list.push_back(graph.add(person));
  }
  return list;
}

Json add_licence(const std::string& licence, Graph& graph) {
  const bool url = licence.starts_with("https://") || licence.starts_with("http://");
  const std::string id = url ? licence : "https://spdx.org/licenses/" + uri_path(licence);
  return graph.add({{"@id", id}, {"@type", "CreativeWork"}, {"name", licence}});
}

Json root_entity(const Config& config, const std::vector<ElectrodeInputs>& inputs, const std::string& end) {
  std::string synthetic;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const std::string origin = synthetic_origin(config.electrodes[i], inputs[i]); !origin.empty())
      synthetic += fmt::format("{}{} ({})", synthetic.empty() ? "" : ", ", config.electrodes[i].name, origin);
  Json root{{"@id", "./"}, {"@type", "Dataset"}, {"name", config.name}, {"datePublished", end}};
  std::string text = config.about.description.value_or(
      "Results of Cathoscope: particles of battery electrodes, their attributes and what goes with their damage.");
  if (!synthetic.empty()) {
    text += " Synthetic data, no measurement: " + synthetic + ".";
    root["keywords"] = "synthetic data";
  }
  root["description"] = text;
  return root;
}

Json program_entity() {
  return {{"@id", "#cathoscope"},
          {"@type", "SoftwareApplication"},
          {"name", "Cathoscope"},
          {"softwareVersion", version_text()},
          {"identifier", git_text()}};
}

}  // namespace

RunCrate::RunCrate(const Run& run) {
  start_ = host_facts().at("utc");
  std::error_code error;
  if (!run.dry()) fs::remove(run.folder() / crate_name, error);
  if (error)
    fail(Exit::write_error, "{}: cannot be removed: {}", (run.folder() / crate_name).string(), error.message());
}

void RunCrate::write(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Run& run) const {
  if (run.dry()) return;
  const std::string end = host_facts().at("utc");
  Graph graph;
  graph.add({{"@id", crate_name},
             {"@type", "CreativeWork"},
             {"conformsTo", reference("https://w3id.org/ro/crate/1.1")},
             {"about", reference("./")}});
  Json root = root_entity(config, inputs, end);
  Graph rest;
  const auto hashes = recorded_hashes(run);
  Json files = Json::array();
  for (const auto& file : files_of(run.folder())) files.push_back(rest.add(result_entity(run, file, hashes)));
  root["hasPart"] = files;
  root["mentions"] = reference("#run");
  if (config.about.licence) root["license"] = add_licence(*config.about.licence, rest);
  if (!config.about.authors.empty()) root["author"] = add_authors(config.about, rest);
  Json object = add_inputs(config, inputs, run, rest);
  object.push_back(reference("config.yaml"));
  Json results = Json::array();
  for (const Json& file : files)
    if (file != reference("config.yaml")) results.push_back(file);
  rest.add({{"@id", "#run"},
            {"@type", "CreateAction"},
            {"name", "cathoscope run: " + config.name},
            {"instrument", rest.add(program_entity())},
            {"object", object},
            {"result", results},
            {"startTime", start_},
            {"endTime", end},
            {"actionStatus", reference("http://schema.org/CompletedActionStatus")}});
  graph.add(root);
  for (const Json& entity : rest.entities()) graph.add(entity);
  const Json crate{
      {"@context", Json::array({"https://w3id.org/ro/crate/1.1/context", {{"sha256", "https://schema.org/sha256"}}})},
      {"@graph", graph.entities()}};
  write_atomically(run.folder() / crate_name, crate.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace cathoscope
