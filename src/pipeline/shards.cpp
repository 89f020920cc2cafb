#include <cathoscope/pipeline/shards.hpp>

#include "run_folder.hpp"
#include "stage_record.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/json_text.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/config.hpp>

#include <algorithm>
#include <regex>

namespace cathoscope {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* note_name = "shard.json";

struct ShardFolder {
  fs::path path;
  Shard shard;
};

ShardFolder whole_shard(const fs::path& given) {
  const fs::path path = fs::absolute(given / "").lexically_normal().parent_path();
  if (!fs::is_directory(path)) fail(Exit::no_input, "shard {} is not there", path.string());
  const fs::path note = path / note_name;
  if (!fs::exists(note))
    fail(Exit::no_input, "shard {} is not whole: run it again (cathoscope run CONFIG --shard i/n)", path.string());
  const std::string text = read_text(note);
  const Json j = json_nesting(text) > deepest_json ? Json() : Json::parse(text, nullptr, false);
  const auto whole = [&](const char* key) { return j.is_object() && j.contains(key) && j[key].is_number_unsigned(); };
  if (!whole("shard") || !whole("shards")) fail(Exit::data, "{}: damaged", note.string());
  const Shard shard{j["shard"].get<int>(), j["shards"].get<int>()};
  if (shard.index < 1 || shard.count < 1 || shard.index > shard.count) fail(Exit::data, "{}: damaged", note.string());
  return {path, shard};
}

/// In their order; every one of them, once.
std::vector<ShardFolder> complete_set(const std::vector<fs::path>& folders) {
  std::vector<ShardFolder> shards;
  shards.reserve(folders.size());
  for (const auto& folder : folders) shards.push_back(whole_shard(folder));
  std::sort(shards.begin(), shards.end(), [](const auto& a, const auto& b) { return a.shard.index < b.shard.index; });
  const int count = shards.front().shard.count;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto& s = shards[i];
    if (s.shard.count != count)
      fail(Exit::data, "{} is one of {} shards, {} one of {}", s.path.string(), s.shard.count,
           shards.front().path.string(), count);
    if (i > 0 && s.shard.index == shards[i - 1].shard.index)
      fail(Exit::data, "{} and {} are both shard {} of {}", shards[i - 1].path.string(), s.path.string(), s.shard.index,
           count);
  }
  for (int i = 1; i <= count; ++i)
    if (std::none_of(shards.begin(), shards.end(), [i](const auto& s) { return s.shard.index == i; }))
      fail(Exit::no_input, "shard {} of {} is missing; the others are there", i, count);
  return shards;
}

/// OUT of OUT.shard-2-of-8.
fs::path common_output(const std::vector<ShardFolder>& shards) {
  fs::path output;
  for (const auto& s : shards) {
    const std::string name = s.path.filename().string();
    const auto end = name.rfind(".shard-");
    const fs::path here =
        end == std::string::npos || end == 0 ? fs::path() : s.path.parent_path() / name.substr(0, end);
    if (here.empty() || (!output.empty() && here != output))
      fail(Exit::usage, "{}: the shards have no common name; say where to with --output", s.path.string());
    output = here;
  }
  return output;
}

struct ShardStudy {
  std::string text;  ///< of config.yaml, as it is
  Config config;
  std::string key;  ///< what must agree between shards
};

ShardStudy study_of(const ShardFolder& s) {
  const fs::path file = s.path / "config.yaml";
  ShardStudy study;
  study.config = read_config<Config>(file, {}, Inputs::may_be_missing).value;
  study.text = read_text(file);
  study.key = canonical_yaml(study.config, {.without = {"runtime", "stages"}, .paths = Paths::as_written});
  return study;
}

/// Links the file into place, or copies it with its time, so that nothing needs to be hashed again.
void bring(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::equivalent(from, to, error)) return;
  const fs::path partial = partial_name(to);
  fs::remove(partial, error);
  fs::create_hard_link(from, partial, error);
  if (error) {
    error.clear();
    fs::copy_file(from, partial, error);
    if (error) {
      std::error_code none;
      fs::remove(partial, none);
      fail(Exit::write_error, "{} cannot be copied to {}: {}", from.string(), to.string(), error.message());
    }
    fs::last_write_time(partial, fs::last_write_time(from));
  }
  publish(to);
}

/// One finished stage of a shard, checked against its record.
void bring_stage(const fs::path& from, const StageRecord& record, const std::string& record_name, const fs::path& to) {
  const auto reasons = differences(record, record.spec, from);
  if (!reasons.empty())
    fail(Exit::data, "{}: {} is not as it was recorded ({}); run that shard again", from.string(), record_name,
         reasons.front());
  for (const auto& o : record.outputs) {
    if (const fs::path parent = fs::path(o.file).parent_path(); !parent.empty()) make_electrode_folder(to / parent);
    bring(from / o.file, to / o.file);
  }
  write_record(record_path(to, record_name), record);
}

std::size_t bring_electrode(const fs::path& from, const fs::path& to) {
  std::size_t stages = 0;
  for (const auto& stage : stage_names()) {
    const auto record = read_record(record_path(from, stage));
    if (!record) continue;
    make_electrode_folder(to);
    const auto there = read_record(record_path(to, stage));
    if (!there || there->key != record->key || !differences(*there, record->spec, to).empty())
      bring_stage(from, *record, stage, to);
    ++stages;
  }
  return stages;
}

}  // namespace

Shard shard_from(const std::string& text) {
  const auto slash = text.find('/');
  const double first = number_from(text.substr(0, slash)).value_or(0);
  const double second = slash == std::string::npos ? 0 : number_from(text.substr(slash + 1)).value_or(0);
  const auto whole = [](double v) { return v >= 1 && v <= 1e6 && v == static_cast<int>(v); };
  if (!whole(first) || !whole(second) || first > second)
    fail(Exit::usage, "--shard {}: write i/n, the i-th of n shards, counted from 1", text);
  return {static_cast<int>(first), static_cast<int>(second)};
}

fs::path shard_folder(const fs::path& output, const Shard& shard) {
  const fs::path plain = (output / "").lexically_normal().parent_path();  // without a slash at the end
  return plain.string() + fmt::format(".shard-{}-of-{}", shard.index, shard.count);
}

std::optional<Shard> shard_of(const fs::path& folder) {
  const std::string name = fs::absolute(folder / "").lexically_normal().parent_path().filename().string();
  static const std::regex pattern(R"(.+\.shard-([1-9]\d{0,5})-of-([1-9]\d{0,5}))");
  std::smatch numbers;
  if (!std::regex_match(name, numbers, pattern)) return std::nullopt;
  const Shard shard{std::stoi(numbers[1]), std::stoi(numbers[2])};
  return shard.index <= shard.count ? std::optional(shard) : std::nullopt;
}

std::vector<std::string> shard_stages(const std::vector<std::string>& selected, const Config& config) {
  const bool measures =
      std::any_of(config.electrodes.begin(), config.electrodes.end(), [](const auto& e) { return !e.table; });
  std::vector<std::string> stages;
  for (const std::string stage : {"volume", "segmentation", "attributes"})
    if (measures && has_stage(selected, stage)) stages.push_back(stage);
  if (stages.empty() && has_stage(selected, "regression")) stages.emplace_back("regression");
  if (stages.empty())
    fail(Exit::usage,
         "--shard: no stage is selected that can be shared: volume, segmentation and attributes of electrodes that are "
         "measured, or regression");
  return stages;
}

bool shares_regression(const std::vector<std::string>& shard_stages) { return shard_stages.front() == "regression"; }

void mark_shard(const fs::path& folder, const Shard& shard) {
  const Json note{{"shard", shard.index}, {"shards", shard.count}};
  write_atomically(folder / note_name, note.dump(2) + "\n");
}

void unmark_shard(const fs::path& folder) {
  std::error_code none;
  fs::remove(folder / note_name, none);
}

MergeReport merge_shards(const std::vector<fs::path>& folders, fs::path output) {
  if (folders.empty()) fail(Exit::usage, "merge: name the shards, for example OUT.shard-*");
  const auto shards = complete_set(folders);
  if (output.empty()) output = common_output(shards);
  const ShardStudy first = study_of(shards.front());
  for (const auto& s : shards)
    if (study_of(s).key != first.key)
      fail(Exit::data, "{} was run with another configuration than {}: compare their config.yaml", s.path.string(),
           shards.front().path.string());
  const Run run(output, first.config.name, {}, {});  // makes the folder, or checks whose it is, and holds its lock
  MergeReport report{output, shards.size(), 0};
  for (const auto& s : shards) {
    const Run held(s.path, first.config.name, {}, {});
    for (const auto& e : first.config.electrodes) report.stages += bring_electrode(s.path / e.name, output / e.name);
  }
  write_atomically(output / "config.yaml", first.text);
  return report;
}

}  // namespace cathoscope
