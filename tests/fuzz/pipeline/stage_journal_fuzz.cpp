#include "../../../src/pipeline/stage_journal.hpp"
#include "../io/fuzz_input.hpp"

#include <cathoscope/io/files.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace cathoscope;

namespace {

const std::string key = "key";

/// The text with a head and check sums that fit, so that what stands behind them is read.
std::string mended(std::string_view text) {
  std::string journal = "cathoscope finished pieces of " + key + "\n";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view rest = text.substr(begin, end - begin);
    journal += sha256_of_text(rest).substr(0, 16) + " " + std::string(rest) + "\n";
    begin = end + 1;
  }
  return journal;
}

std::filesystem::path written(const std::string& name, const std::string& text) {
  return fuzz::write(name, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

/// Any bytes as the journal of a stage's finished pieces: no error, and pieces that are found stay, whatever is added, be it
/// the journal of this process or of another shard. An input that begins with '!' gets a head and check sums that fit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string text = input.starts_with('!') ? mended(input.substr(1)) : std::string(input);
  const auto file = written("stage.journal", text), shard = written("stage.shard-1-of-2.journal", text);
  const auto fresh = fuzz::folder() / "fresh.journal";
  std::filesystem::remove(fresh);
  const StageJournal with_shard(fresh, key, {fresh, shard}, {2, 2});
  std::size_t found = 0, known = 0;
  {
    const StageJournal first(file, key);
    found = first.found();
    known = first.pieces().find("added") ? 1 : 0;
    if (with_shard.found() != found || with_shard.not_used() > (found > 0 ? 0U : 1U)) std::abort();
    first.pieces().keep("added", {1, -0.0});
    first.pieces().keep("no\npiece", {1});
  }
  const StageJournal again(file, key);
  const auto added = again.pieces().find("added");
  if (again.found() != found + 1 - known || !added || added->size() != 2) std::abort();
  return 0;
}
