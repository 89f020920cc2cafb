#pragma once
/// A file beside a stage's results in which its finished pieces are noted while it runs.

#include <cathoscope/core/finished_pieces.hpp>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace cathoscope {

/// One line a piece: a check sum, its numbers as hexadecimal bits, its name. Lines are written whole and at once, so they
/// outlive the process; one that a crash of the machine tore does not fit its check sum and is left out. A journal of another
/// key is begun anew. Pieces that cannot be written (a full disk) are only lost for the next run.
/// Each shard of a stage has a journal of its own; whoever comes after finds the pieces of all.
class StageJournal {
 public:
  StageJournal(const std::filesystem::path& file, const std::string& key) : StageJournal(file, key, {}, {}) {}
  /// `others`: journals that are read too, as they are now. Throws Error{interrupted} where another process writes the
  /// journal of this shard.
  StageJournal(const std::filesystem::path& file, const std::string& key,
               const std::vector<std::filesystem::path>& others, const Shard& shard);
  ~StageJournal();
  StageJournal(const StageJournal&) = delete;
  StageJournal& operator=(const StageJournal&) = delete;

  /// Valid as long as the journal.
  [[nodiscard]] const FinishedPieces& pieces() const { return pieces_; }
  /// Pieces that were there.
  [[nodiscard]] std::size_t found() const { return found_.size(); }
  /// Pieces that were added.
  [[nodiscard]] std::size_t kept() const { return kept_; }
  /// Journals among the others that are of another key, or no journals.
  [[nodiscard]] std::size_t not_used() const { return not_used_; }

 private:
  /// Whether it is a journal that begins with `head`.
  bool read(const std::filesystem::path& file, const std::string& head);
  void begin(const std::filesystem::path& file, const std::string& head, const Shard& shard);
  void append(const std::string& line, std::size_t pieces);

  std::map<std::string, std::vector<double>> found_;
  std::size_t kept_ = 0, not_used_ = 0;
  FinishedPieces pieces_;
  std::mutex mutex_;
  int file_ = -1;
};

/// `.contributions.journal` for the stem `contributions`, `.contributions.shard-2-of-8.journal` for a shard.
std::filesystem::path journal_file(const std::filesystem::path& folder, const std::string& stem,
                                   const Shard& shard = {});
/// Those of all shards and of the whole run that are there.
std::vector<std::filesystem::path> journal_files(const std::filesystem::path& folder, const std::string& stem);

}  // namespace cathoscope
