#include "../../../src/pipeline/stage_journal.hpp"
#include "test_data.hpp"

#include <cathoscope/io/files.hpp>

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>

using namespace cathoscope;

namespace {

const std::vector<double> numbers{0.1, -0.0, 1e-310, std::numeric_limits<double>::infinity()};

}  // namespace

TEST_CASE("a journal gives back what an earlier run finished, to the bit", "[journal]") {
  const test::ScratchDir folder;
  const auto file = folder / ".regression.journal";
  {
    StageJournal journal(file, "key");
    CHECK(journal.found() == 0);
    journal.pieces().keep("half 1 a name with spaces", numbers);
    journal.pieces().keep("nothing", {});
  }
  StageJournal journal(file, "key");
  REQUIRE(journal.found() == 2);
  const auto back = journal.pieces().find("half 1 a name with spaces");
  REQUIRE(back);
  CHECK(*back == numbers);
  CHECK(std::signbit((*back)[1]));
  CHECK(journal.pieces().find("nothing")->empty());
  CHECK_FALSE(journal.pieces().find("half 2"));
}

TEST_CASE("a journal of another key is begun anew", "[journal]") {
  const test::ScratchDir folder;
  const auto file = folder / ".regression.journal";
  { StageJournal(file, "key").pieces().keep("a", numbers); }
  { CHECK(StageJournal(file, "other").found() == 0); }
  CHECK(StageJournal(file, "key").found() == 0);
}

TEST_CASE("lines of a journal that are torn or changed are left out", "[journal]") {
  const test::ScratchDir folder;
  const auto file = folder / ".regression.journal";
  {
    StageJournal journal(file, "key");
    for (const char* name : {"a", "b", "c"}) journal.pieces().keep(name, numbers);
  }
  const std::string whole = read_text(file);
  for (std::size_t cut = 0; cut <= whole.size(); cut += 7) {
    std::ofstream(file, std::ios::binary) << whole.substr(0, cut);
    StageJournal journal(file, "key");
    CHECK(journal.found() <= 3);
    for (const char* name : {"a", "b", "c"})
      if (const auto values = journal.pieces().find(name)) CHECK(*values == numbers);
    journal.pieces().keep("d", {1});  // what follows a torn line is not lost
    CHECK(StageJournal(file, "key").pieces().find("d"));
  }
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] ^= 4;
    std::ofstream(file, std::ios::binary) << damaged;
    const StageJournal journal(file, "key");
    for (const char* name : {"a", "b", "c"})
      if (const auto values = journal.pieces().find(name)) CHECK(*values == numbers);
  }
}

TEST_CASE("a journal that is a link is neither read nor written", "[journal]") {
  const test::ScratchDir folder;
  const auto elsewhere = folder / "elsewhere";
  { StageJournal(elsewhere, "key").pieces().keep("a", numbers); }
  const std::string before = read_text(elsewhere);
  std::filesystem::create_symlink(elsewhere, folder / ".journal");
  StageJournal journal(folder / ".journal", "key");
  CHECK(journal.found() == 0);
  journal.pieces().keep("b", numbers);
  CHECK(read_text(elsewhere) == before);
}

TEST_CASE("a piece is computed once, and again where its size is another", "[journal]") {
  const test::ScratchDir folder;
  const auto file = folder / ".regression.journal";
  StageJournal first(file, "key");
  int computed = 0;
  const auto compute = [&] {
    ++computed;
    return std::vector<double>{1, 2};
  };
  CHECK(finished_or(nullptr, "a", 2, compute) == std::vector<double>{1, 2});
  CHECK(finished_or(&first.pieces(), "a", 2, compute) == std::vector<double>{1, 2});
  StageJournal second(file, "key");
  CHECK(finished_or(&second.pieces(), "a", 2, compute) == std::vector<double>{1, 2});
  CHECK(computed == 2);
  CHECK(finished_or(&second.pieces(), "a", 3, compute).size() == 2);
  CHECK(computed == 3);
}
