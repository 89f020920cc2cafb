#include "input_file.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace cathoscope {

namespace {

double bytes_of(const VolumeFile& f) {
  return static_cast<double>(f.shape[0]) * static_cast<double>(f.shape[1]) * static_cast<double>(f.shape[2]) *
         static_cast<double>(size_of(f.type));
}

std::string files_text(const VolumeFile& f) {
  if (f.files.size() == 1) return f.files.front().string();
  return fmt::format("{} files, {} to {}", f.files.size(), f.files.front().string(),
                     f.files.back().filename().string());
}

}  // namespace

std::string describe(const VolumeFile& f, const std::string& path) {
  std::string text = fmt::format("{}\n", path);
  const auto line = [&](const char* key, const std::string& value) { text += fmt::format("  {:<12}{}\n", key, value); };
  line("format", f.format);
  line("shape", fmt::format("{} voxels ({}, as stored, slowest first)", readers::shape_text(f.shape),
                            f.two_dimensional ? "an image" : "a volume"));
  line("type", fmt::format("{}, {}", name_of(f.type), bytes_text(bytes_of(f))));
  line("voxel size", f.voxel_size_um
                         ? fmt::format("{} (from {})", readers::voxel_size_text(*f.voxel_size_um), f.voxel_size_from)
                         : "unknown: give voxel_size_um");
  if (!f.synthetic.empty()) line("origin", f.synthetic);
  line("files", files_text(f));
  for (const std::string& note : f.notes) line("note", note);
  return text;
}

std::string describe_json(const VolumeFile& f, const std::string& path) {
  nlohmann::ordered_json j;
  j["path"] = path;
  j["format"] = f.format;
  j["shape"] = f.shape;
  j["type"] = name_of(f.type);
  j["two_dimensional"] = f.two_dimensional;
  j["bytes"] = static_cast<std::uint64_t>(bytes_of(f));
  j["voxel_size_um"] = f.voxel_size_um ? nlohmann::ordered_json(*f.voxel_size_um) : nlohmann::ordered_json(nullptr);
  j["voxel_size_from"] = f.voxel_size_um ? nlohmann::ordered_json(f.voxel_size_from) : nlohmann::ordered_json(nullptr);
  j["number_of_files"] = f.files.size();
  j["first_file"] = f.files.front().string();
  j["last_file"] = f.files.back().string();
  j["notes"] = f.notes;
  return j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cathoscope
