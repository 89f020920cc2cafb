#pragma once
/// A file beside a stage's results in which its finished pieces are noted while it runs.

#include <cathoscope/core/finished_pieces.hpp>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace cathoscope {

/// One line a piece: a check sum, its numbers as hexadecimal bits, its name. Lines are written whole and at once, so they
/// outlive the process; one that a crash of the machine tore does not fit its check sum and is left out. A journal of another
/// key is begun anew. Pieces that cannot be written (a full disk) are only lost for the next run.
class StageJournal {
 public:
  StageJournal(const std::filesystem::path& file, const std::string& key);
  ~StageJournal();
  StageJournal(const StageJournal&) = delete;
  StageJournal& operator=(const StageJournal&) = delete;

  /// Valid as long as the journal.
  [[nodiscard]] const FinishedPieces& pieces() const { return pieces_; }
  /// Pieces of an earlier run.
  [[nodiscard]] std::size_t found() const { return found_.size(); }

 private:
  void read(const std::filesystem::path& file, const std::string& head);
  void append(const std::string& line);

  std::map<std::string, std::vector<double>> found_;
  FinishedPieces pieces_;
  std::mutex mutex_;
  int file_ = -1;
};

}  // namespace cathoscope
