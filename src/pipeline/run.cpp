#include <cathoscope/pipeline/run.hpp>

#include "run_folder.hpp"
#include "stage_record.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/given.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/hash.hpp>

#include <algorithm>
#include <chrono>

namespace cathoscope {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Run::Run(const fs::path& folder, const std::string& run_name, RunOptions options, RunEvents events)
    : folder_(folder), options_(std::move(options)), events_(std::move(events)) {
  if (options_.dry_run) {
    if (fs::exists(folder_)) check_run_folder(folder_, run_name);
  } else {
    make_run_folder(folder_, run_name);
    lock_ = lock_run_folder(folder_, options_.shared);
    if (!options_.shared) remove_dead_partials(folder_);
  }
  load_known_files();
}

Run::~Run() { unlock_run_folder(lock_, options_.shared); }

fs::path Run::folder_of(const StageSpec& spec) const {
  return spec.electrode.empty() ? folder_ : folder_ / spec.electrode;
}

StageStatus Run::status(const StageSpec& spec) const {
  StageStatus s;
  const auto folder = folder_of(spec);
  std::optional<StageRecord> record;
  try {
    record = read_record(record_path(folder, spec.record_name()));
  } catch (const Error& e) {
    s.state = StageState::stale;
    s.reasons.emplace_back(e.what());
    return s;
  }
  if (!record) {
    s.reasons.emplace_back("never finished");
    return s;
  }
  s.seconds = record->seconds;
  for (const auto& o : record->outputs) s.bytes += o.bytes;
  s.reasons = differences(*record, spec, folder);
  s.state = s.reasons.empty() ? StageState::finished : StageState::stale;
  return s;
}

namespace {

std::string display_name(const StageSpec& spec) {
  const std::string name = spec.part.empty() ? spec.name : spec.name + " (" + spec.part + ")";
  return spec.electrode.empty() ? name : spec.electrode + "/" + name;
}

/// The run folder is there; an electrode's folder, and those that a stage of the whole run writes to, are made.
void make_folders(const fs::path& folder, const StageSpec& spec) {
  if (!spec.electrode.empty()) make_electrode_folder(folder);
  for (const auto& output : spec.outputs)
    if (const auto parent = fs::path(output).parent_path(); !parent.empty()) make_electrode_folder(folder / parent);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& p : parts) text += (text.empty() ? "" : "; ") + p;
  return text;
}

void remove_partials(const fs::path& folder, const std::vector<std::string>& outputs) {
  std::error_code none;
  for (const auto& output : outputs) fs::remove(partial_name(folder / output), none);
}

/// Files that the stage left under other settings and does not write now would contradict the configuration.
void remove_leftovers(const fs::path& record_file, const fs::path& folder, const std::vector<std::string>& outputs) {
  std::error_code none;
  try {
    const auto record = read_record(record_file);
    if (!record) return;
    std::vector<std::string> before = record->spec.outputs;
    before.insert(before.end(), record->also.begin(), record->also.end());
    for (const auto& old : before)
      if (std::find(outputs.begin(), outputs.end(), old) == outputs.end() && stays_inside(old))
        fs::remove(folder / old, none);
  } catch (const Error&) {
    return;  // a damaged record names nothing that could be trusted
  }
}

}  // namespace

bool Run::selected(const std::string& stage) const {
  return std::find(options_.selected.begin(), options_.selected.end(), stage) != options_.selected.end();
}

Artifact Run::stage(const StageSpec& spec, const Work& work) {
  const auto current = status(spec);
  const bool may_run = selected(spec.name);
  const bool wanted = may_run && (options_.force || current.state != StageState::finished);
  const auto path = folder_of(spec) / spec.outputs.front();
  seen_.push_back({spec.electrode, spec.name, spec.part, current});
  if (!wanted && current.state == StageState::finished) {
    events_.info(fmt::format("{}: up to date", display_name(spec)));
    return {path, given(read_record(record_path(folder_of(spec), spec.record_name()))).outputs.front().sha256};
  }
  const std::string why = options_.force && current.reasons.empty() ? "--force" : joined(current.reasons);
  if (!may_run)
    fail(Exit::config,
         "stage {} is needed but not selected, and its result cannot be used ({}). Add it to `stages`, or run with "
         "--from {} or without --only/--from.",
         display_name(spec), why, spec.name);
  if (options_.dry_run) {
    events_.info(fmt::format("{}: would run ({})", display_name(spec), why));
    return {path, ""};
  }
  events_.info(fmt::format("{}: running ({})", display_name(spec), why));
  return execute(spec, work);
}

void Run::share(const StageSpec& spec, const Work& work) {
  const auto current = status(spec);
  seen_.push_back({spec.electrode, spec.name, spec.part, current});
  if (current.state == StageState::finished && !options_.force) {
    events_.info(fmt::format("{}: up to date", display_name(spec)));
    return;
  }
  if (options_.dry_run) {
    events_.info(fmt::format("{}: would be shared", display_name(spec)));
    return;
  }
  make_folders(folder_of(spec), spec);
  Progress progress(events_.progress, events_.stop);
  work(folder_of(spec), Context{progress, options_.threads, options_.memory_bytes, events_.ranks});
  progress.check_stop();
}

Artifact Run::execute(const StageSpec& spec, const Work& work) {
  const auto folder = folder_of(spec);
  make_folders(folder, spec);
  const auto record_file = record_path(folder, spec.record_name());
  Progress progress(events_.progress, events_.stop);
  const Context context{progress, options_.threads, options_.memory_bytes, events_.ranks};
  reset_peak_memory();
  const auto start = std::chrono::steady_clock::now();
  const double processor_start = processor_seconds();
  also_.clear();
  try {
    work(folder, context);
    progress.check_stop();
  } catch (...) {
    remove_partials(folder, spec.outputs);
    throw;
  }
  std::vector<std::string> written = spec.outputs;
  written.insert(written.end(), also_.begin(), also_.end());
  remove_leftovers(record_file, folder, written);
  fs::remove(record_file);  // from here to its rewriting the stage counts as unfinished
  StageRecord record;
  for (const auto& output : spec.outputs) {
    publish(folder / output);
    record.outputs.push_back(output_record(folder, output));
  }
  record.key = stage_key(spec);
  record.spec = spec;
  record.also = std::move(also_);
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.run = host_facts();
  record.run["threads"] = options_.threads;
  record.run["processor_seconds"] = processor_seconds() - processor_start;
  if (events_.ranks.shared()) record.run["ranks"] = events_.ranks.size;
  record.run["peak_memory_bytes"] = peak_memory();
  record.run["warnings"] = progress.warnings();
  write_record(record_file, record);
  events_.info(fmt::format("{}: done in {}", display_name(spec), duration_text(record.seconds)));
  return {folder / spec.outputs.front(), record.outputs.front().sha256};
}

void Run::load_known_files() {
  std::error_code none;
  std::vector<fs::path> folders{folder_};
  for (fs::directory_iterator it(folder_, none), end; !none && it != end; it.increment(none))
    if (it->is_directory(none)) folders.push_back(it->path());
  for (const auto& folder : folders)
    for (const char* reads_files : {"volume", "segmentation", "chemomechanics", "latent", "contributions", "figures"}) {
      try {
        const auto record = read_record(record_path(folder, reads_files));
        if (!record) continue;
        for (const auto& input : record->spec.inputs)
          for (const auto& file : input.files) known_files_.emplace(file.path, file);
      } catch (const Error&) {
        continue;  // a damaged record only means that files are hashed again; status() reports it
      }
    }
}

StageInput Run::input_of_files(const std::string& name, const std::vector<fs::path>& files) const {
  StageInput input{name, {}, {}};
  std::string all;
  for (const auto& file : files) {
    KnownFile now{fs::absolute(file).lexically_normal().string(), fs::file_size(file), modified_ns(file), {}};
    const auto [first, last] = known_files_.equal_range(now.path);
    const auto known = std::find_if(first, last, [&](const auto& k) {
      return k.second.bytes == now.bytes && k.second.modified_ns == now.modified_ns;
    });
    const auto look = [&] { Progress({}, events_.stop).check_stop(); };
    now.sha256 = known != last ? known->second.sha256 : sha256_of_file(file, look);
    all += now.sha256 + "\n";
    input.files.push_back(std::move(now));
  }
  input.sha256 = sha256_of_text(all);
  return input;
}

void Run::write_provenance(const std::string& extra_json) const {
  if (options_.dry_run) return;
  Json j = Json::parse(extra_json);
  j["host"] = host_facts();
  j["stages"] = Json::array();
  for (const auto& seen : seen_) {
    const auto record = read_record(record_path(folder_ / seen.electrode, seen.part.empty() ? seen.stage : seen.part));
    if (!record) continue;
    Json s{{"electrode", record->spec.electrode}, {"stage", record->spec.name}, {"key", record->key}};
    if (!seen.part.empty()) s["part"] = seen.part;
    s["seconds"] = record->seconds;
    s["run"] = record->run;
    j["stages"].push_back(s);
  }
  write_atomically(folder_ / "provenance.json", j.dump(2) + "\n");
}

}  // namespace cathoscope
