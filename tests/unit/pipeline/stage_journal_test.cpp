#include "../../../src/pipeline/stage_journal.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
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

TEST_CASE("the journals of all shards are found together, those of another key are not", "[journal]") {
  const test::ScratchDir folder;
  for (const int i : {1, 2, 3}) {
    const Shard shard{i, 3};
    StageJournal journal(journal_file(folder.path(), "forests", shard), i == 3 ? "other" : "key", {}, shard);
    journal.pieces().keep("piece " + std::to_string(i), {1.0 * i});
    CHECK(journal.pieces().shard.index == i);
    CHECK(journal.kept() == 1);
  }
  { StageJournal(journal_file(folder.path(), "forests"), "key").pieces().keep("own", numbers); }
  { StageJournal(journal_file(folder.path(), "trees"), "key").pieces().keep("of something else", numbers); }
  CHECK(journal_file(folder.path(), "forests", {2, 3}).filename() == ".forests.shard-2-of-3.journal");
  const auto files = journal_files(folder.path(), "forests");
  REQUIRE(files.size() == 4);
  const StageJournal all(journal_file(folder.path(), "forests"), "key", files, {});
  CHECK(all.found() == 3);
  CHECK(all.not_used() == 1);
  CHECK(all.pieces().find("piece 2") == std::vector<double>{2});
  CHECK(all.pieces().find("own") == numbers);
  CHECK_FALSE(all.pieces().find("piece 3"));
}

TEST_CASE("a journal of another key is begun anew beside good ones of others", "[journal]") {
  const test::ScratchDir folder;
  const auto other = journal_file(folder.path(), "forests", {1, 2});
  { StageJournal(other, "key", {}, {1, 2}).pieces().keep("a", numbers); }
  const auto mine = journal_file(folder.path(), "forests", {2, 2});
  { StageJournal(mine, "before", {}, {2, 2}).pieces().keep("b", numbers); }
  { StageJournal(mine, "key", {other}, {2, 2}).pieces().keep("c", numbers); }
  const StageJournal again(mine, "key");
  CHECK(again.found() == 1);
  CHECK(again.pieces().find("c") == numbers);
}

TEST_CASE("two processes do not write the journal of one shard", "[journal]") {
  const test::ScratchDir folder;
  const auto file = journal_file(folder.path(), "forests", {1, 2});
  StageJournal first(file, "key", {}, {1, 2});
  first.pieces().keep("a", numbers);
  CHECK_THROWS_AS(StageJournal(file, "key", {}, {1, 2}), Error);
  CHECK_NOTHROW(StageJournal(file, "key", {}, {}));  // reading on behalf of a run, which has the folder for itself
  first.pieces().keep("b", numbers);
  CHECK(StageJournal(file, "key").found() == 2);
}

TEST_CASE("every piece is of one shard, whatever their number; lists do not all begin with the first", "[journal]") {
  for (const int n : {1, 2, 3, 7, 64}) {
    std::vector<int> first(static_cast<std::size_t>(n));
    for (int list = 0; list < 200; ++list) {
      const std::string name = "list " + std::to_string(list);
      std::vector<int> pieces(static_cast<std::size_t>(n));
      for (std::uint64_t number = 0; number < 130; ++number) {
        int owners = 0;
        for (int i = 1; i <= n; ++i) {
          if (!is_of({i, n}, name, number)) continue;
          ++owners;
          ++pieces[static_cast<std::size_t>(i - 1)];
          if (number == 0) ++first[static_cast<std::size_t>(i - 1)];
        }
        CHECK(owners == 1);
      }
      const auto [least, most] = std::minmax_element(pieces.begin(), pieces.end());
      CHECK(*most - *least <= 1);
    }
    // 200 lists begin anywhere: a shard has 200/n of them, give or take five standard deviations
    const double mean = 200.0 / n;
    for (const int count : first) CHECK(std::abs(count - mean) <= 5 * std::sqrt(mean));
  }
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
