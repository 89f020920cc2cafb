#include "stage_record.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/json_text.hpp>
#include <cathoscope/io/files.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace cathoscope {

using Json = nlohmann::ordered_json;

std::string stage_key(const StageSpec& spec) {
  std::string text;
  const auto add = [&](const std::string& part) { text += std::to_string(part.size()) + ":" + part + ";"; };
  add(spec.name);
  add(std::to_string(spec.algorithm));
  add(spec.config);
  for (const auto& input : spec.inputs) {
    add(input.name);
    add(input.sha256);
  }
  for (const auto& output : spec.outputs) add(output);
  return sha256_of_text(text);
}

std::filesystem::path record_path(const std::filesystem::path& folder, const std::string& stage) {
  return folder / (stage + ".json");
}

std::int64_t modified_ns(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return -1;
  return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

OutputRecord output_record(const std::filesystem::path& folder, const std::string& file) {
  const auto path = folder / file;
  return {file, std::filesystem::file_size(path), modified_ns(path), sha256_of_file(path)};
}

namespace {

StageInput input_from(const Json& j) {
  StageInput input{j.at("name").get<std::string>(), j.at("sha256").get<std::string>(), {}};
  if (j.contains("files"))
    for (const auto& f : j.at("files"))
      input.files.push_back({f.at("path").get<std::string>(), f.at("bytes").get<std::uint64_t>(),
                             f.at("modified_ns").get<std::int64_t>(), f.at("sha256").get<std::string>()});
  return input;
}

Json json_of(const StageInput& input) {
  Json j{{"name", input.name}, {"sha256", input.sha256}};
  for (const auto& f : input.files)
    j["files"].push_back({{"path", f.path}, {"bytes", f.bytes}, {"modified_ns", f.modified_ns}, {"sha256", f.sha256}});
  return j;
}

}  // namespace

namespace {

/// The text of a record, as far as it can be one: a regular file of a size and depth that a record can have.
std::string record_text(const std::filesystem::path& path) {
  constexpr std::uintmax_t largest = std::uintmax_t{64} << 20;  // a stack of a million slices
  if (!std::filesystem::is_regular_file(path) || std::filesystem::file_size(path) > largest)
    fail(Exit::data, "{}: damaged stage record: it is no file, or larger than any record", path.string());
  std::string text = read_text(path);
  if (json_nesting(text) > deepest_json)
    fail(Exit::data, "{}: damaged stage record: lists in lists, deeper than any record", path.string());
  return text;
}

/// What the parser says quotes bytes of the file, which need not be text.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

void require_inside(const std::filesystem::path& path, const std::vector<std::string>& files) {
  for (const auto& file : files)
    if (!stays_inside(file))
      fail(Exit::data, "{}: damaged stage record: '{}' is no file of the run", path.string(), file);
}

}  // namespace

std::optional<StageRecord> read_record(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const Json j = Json::parse(record_text(path));
    StageRecord r;
    r.key = j.at("key").get<std::string>();
    r.spec.electrode = j.at("electrode").get<std::string>();
    r.spec.name = j.at("stage").get<std::string>();
    r.spec.algorithm = j.at("algorithm").get<int>();
    r.spec.config = j.at("config").get<std::string>();
    for (const auto& i : j.at("inputs")) r.spec.inputs.push_back(input_from(i));
    for (const auto& o : j.at("outputs")) {
      r.outputs.push_back({o.at("file").get<std::string>(), o.at("bytes").get<std::uint64_t>(),
                           o.at("modified_ns").get<std::int64_t>(), o.at("sha256").get<std::string>()});
      r.spec.outputs.push_back(r.outputs.back().file);
    }
    if (j.contains("also")) r.also = j.at("also").get<std::vector<std::string>>();
    require_inside(path, r.spec.outputs);
    require_inside(path, r.also);
    r.seconds = j.at("seconds").get<double>();
    r.run = j.at("run");
    return r;
  } catch (const Json::exception& e) {
    fail(Exit::data, "{}: damaged stage record: {}", path.string(), printable(e.what()));
  }
}

void write_record(const std::filesystem::path& path, const StageRecord& r) {
  Json j;
  j["stage"] = r.spec.name;
  j["electrode"] = r.spec.electrode;
  j["key"] = r.key;
  j["algorithm"] = r.spec.algorithm;
  j["config"] = r.spec.config;
  j["inputs"] = Json::array();
  for (const auto& i : r.spec.inputs) j["inputs"].push_back(json_of(i));
  j["outputs"] = Json::array();
  for (const auto& o : r.outputs)
    j["outputs"].push_back(
        {{"file", o.file}, {"bytes", o.bytes}, {"modified_ns", o.modified_ns}, {"sha256", o.sha256}});
  if (!r.also.empty()) j["also"] = r.also;
  j["seconds"] = r.seconds;
  j["run"] = r.run;
  write_atomically(path, j.dump(2) + "\n");
}

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(' ');
  return first == std::string::npos ? "" : line.substr(first);
}

/// Lines that only one of two canonical texts has: exact enough to say which key changed.
void add_config_changes(const std::string& before, const std::string& now, std::vector<std::string>& reasons) {
  const auto old_lines = lines_of(before), new_lines = lines_of(now);
  const std::multiset<std::string> old_set(old_lines.begin(), old_lines.end());
  const std::multiset<std::string> new_set(new_lines.begin(), new_lines.end());
  for (const auto& line : old_lines)
    if (!new_set.contains(line)) reasons.push_back("configuration was: " + trimmed(line));
  for (const auto& line : new_lines)
    if (!old_set.contains(line)) reasons.push_back("configuration is now: " + trimmed(line));
}

const StageInput* find_input(const std::vector<StageInput>& inputs, const std::string& name) {
  const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const StageInput& i) { return i.name == name; });
  return it == inputs.end() ? nullptr : &*it;
}

void add_input_changes(const StageSpec& before, const StageSpec& now, std::vector<std::string>& reasons) {
  for (const auto& input : now.inputs) {
    const StageInput* old = find_input(before.inputs, input.name);
    if (old == nullptr)
      reasons.push_back("input " + input.name + " is new");
    else if (input.sha256.empty())
      reasons.push_back("input " + input.name + " would be computed again");
    else if (old->sha256 != input.sha256)
      reasons.push_back("input " + input.name + " has other content");
  }
  for (const auto& input : before.inputs)
    if (find_input(now.inputs, input.name) == nullptr) reasons.push_back("input " + input.name + " is gone");
}

void add_file_changes(const StageRecord& record, const std::filesystem::path& folder,
                      std::vector<std::string>& reasons) {
  for (const auto& o : record.outputs) {
    const auto path = folder / o.file;
    std::error_code none;
    if (!std::filesystem::is_regular_file(path, none))
      reasons.push_back("file " + o.file + " is missing");
    else if (std::filesystem::file_size(path, none) != o.bytes)
      reasons.push_back("file " + o.file + " has another size");
    else if (modified_ns(path) != o.modified_ns && sha256_of_file(path) != o.sha256)
      reasons.push_back("file " + o.file + " was changed");
  }
  std::error_code none;
  for (const auto& file : record.also)
    if (!std::filesystem::exists(folder / file, none)) reasons.push_back("file " + file + " is missing");
}

}  // namespace

std::vector<std::string> differences(const StageRecord& record, const StageSpec& wanted,
                                     const std::filesystem::path& folder) {
  std::vector<std::string> reasons;
  if (record.key != stage_key(wanted)) {
    if (record.spec.algorithm != wanted.algorithm)
      reasons.push_back(
          fmt::format("the program's algorithm is version {}, was {}", wanted.algorithm, record.spec.algorithm));
    add_config_changes(record.spec.config, wanted.config, reasons);
    add_input_changes(record.spec, wanted, reasons);
    if (record.spec.outputs != wanted.outputs) reasons.emplace_back("other files are wanted");
    if (reasons.empty()) reasons.emplace_back("the record's key does not fit its content");
  }
  add_file_changes(record, folder, reasons);
  return reasons;
}

}  // namespace cathoscope
