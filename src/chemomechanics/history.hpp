#pragma once
/// The steps of a run, as raw doubles in a file that only this program reads: appended to, cut back to a checkpoint, and
/// read in blocks when the results are written.

#include <cathoscope/chemomechanics/network.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

namespace cathoscope::chemo {

/// A recorded step: head, then content, damage, hoop stress and resistance of all particles.
inline constexpr std::size_t history_head = 6;  ///< cycle, half, time, tau, voltage, current

/// Files of a run in its work folder, of either model.
inline constexpr const char* history_name = "history.bin";
inline constexpr const char* checkpoint_name = "checkpoint.h5";
inline constexpr const char* last_good_name = "last_good.h5";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

class History {
 public:
  /// Opens `file` for appending after its first `records` records. Throws Error{cannot_create}.
  History(const std::filesystem::path& file, std::size_t particles, std::uint64_t records);
  /// Throws Error{write_error}.
  void append(const StepFacts& step, double voltage, const ParticleRows& rows);
  /// Everything appended is on the disk when this returns.
  void sync();
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  std::filesystem::path path_;
  FilePtr file_;
  std::vector<double> buffer_;
  std::uint64_t records_;
};

std::uint64_t history_records(const std::filesystem::path& file, std::size_t particles);

/// Reads records in order, some at a time.
class HistoryReader {
 public:
  HistoryReader(const std::filesystem::path& file, std::size_t particles);
  /// Up to `count` records as rows of history_head + 4 particles doubles; empty at the end.
  std::vector<double> next(std::size_t count);

 private:
  std::filesystem::path path_;
  FilePtr file_;
  std::size_t width_;
};

/// Everything of a state, and the number of records that belong to it, in one file that is whole or absent.
void save_checkpoint(const std::filesystem::path& file, const std::string& key, const NetworkState& state,
                     std::uint64_t records);
struct Checkpoint {
  NetworkState state;
  std::uint64_t records = 0;
};
/// Empty where there is none, or it belongs to another key.
std::optional<Checkpoint> load_checkpoint(const std::filesystem::path& file, const std::string& key,
                                          const NetworkModel& model);

}  // namespace cathoscope::chemo
