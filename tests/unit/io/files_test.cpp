#include <cathoscope/io/files.hpp>

#include "volume_inputs.hpp"

#include <sys/resource.h>

#include <cmath>
#include <csignal>

using namespace cathoscope;
using test::outcome_of;

TEST_CASE("SHA-256 has the published values") {
  // FIPS 180-2, appendix B
  CHECK(sha256_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const test::ScratchDir dir;
  const std::string million(1000000, 'a');
  test::write_bytes(dir / "a", million);
  CHECK(sha256_of_file(dir / "a") == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(outcome_of([&] { (void)sha256_of_file(dir / "none"); }).exit == Exit::no_input);
  CHECK(outcome_of([&] { (void)read_text(dir.path()); }).exit == Exit::no_input);
}

TEST_CASE("an atomic write leaves the new file, or the old one and nothing else") {
  const test::ScratchDir dir;
  write_atomically(dir / "a.txt", "one");
  write_atomically(dir / "a.txt", "two");
  CHECK(read_text(dir / "a.txt") == "two");
  const std::string long_name(255, 'n');
  write_atomically(dir / long_name, "x");
  CHECK(read_text(dir / long_name) == "x");
  CHECK(outcome_of([&] { write_atomically(dir.path() / "missing" / "a", "x"); }).exit == Exit::cannot_create);
  // A file size limit stands for a full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const auto o = outcome_of([&] { write_atomically(dir / "a.txt", std::string(5000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  CHECK(o.exit == Exit::write_error);
  CHECK((o.says("a.txt") && o.says("1000 of 5000 bytes")));
  CHECK(read_text(dir / "a.txt") == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 2);
}

TEST_CASE("a table survives CSV, and cells are safe in a spreadsheet") {
  Table t;
  t.columns.resize(4);
  t.columns[0].name = "label";
  t.columns[0].ids = {1, 1ULL << 63, 3};
  t.columns[1].name = "Volume";
  t.columns[1].numbers = {0.1, -1.0 / 3, NAN};
  t.columns[2].name = "source, quoted";
  t.columns[2].texts = {"=1+1", "say \"a\", b", "two\nlines"};
  t.columns[3].name = "plain";
  t.columns[3].texts = {"-x", "'quoted'", ""};
  const std::string text = csv_text(t);
  CHECK(text.starts_with(
      "label,Volume,\"source, quoted\",plain\n1,0.1,'=1+1,'-x\n9223372036854775808,-0.3333333333333333,"));
  const test::ScratchDir dir;
  write_atomically(dir / "t.csv", text);
  const Table back = read_csv(dir / "t.csv");
  REQUIRE(back.columns.size() == 4);
  CHECK(back.columns[0].ids == t.columns[0].ids);
  CHECK(back.columns[1].numbers[1] == t.columns[1].numbers[1]);
  CHECK(std::isnan(back.columns[1].numbers[2]));
  CHECK(back.columns[2].texts == t.columns[2].texts);
  CHECK(back.columns[3].texts == t.columns[3].texts);
}

TEST_CASE("a table has no negative zero") {
  Table t;
  t.columns.resize(1);
  t.columns[0].name = "Angle";
  t.columns[0].numbers = {-0.0, 0.0, -1e-300};
  CHECK(csv_text(t) == "Angle\n0\n0\n-1e-300\n");
}

TEST_CASE("tables of others: separators, line ends, and mistakes with their place") {
  const test::ScratchDir dir;
  const auto read = [&](const std::string& text) {
    test::write_bytes(dir / "t.csv", text);
    return outcome_of([&] { (void)read_csv(dir / "t.csv"); });
  };
  test::write_bytes(dir / "w.csv",
                    "\xEF\xBB\xBF"
                    "a\tb\r\n1\t2\r\n\r\n3\t\r\n");
  const Table t = read_csv(dir / "w.csv");
  CHECK(t.columns[0].name == "a");
  CHECK(t.columns[0].numbers == std::vector<double>{1, 3});
  CHECK(std::isnan(t.columns[1].numbers[1]));
  auto o = read("a,b\n1,2\n1,2,3\n");
  CHECK(o.exit == Exit::data);
  CHECK(o.says(":3:"));
  CHECK(read("a,a\n1,2\n").says("two columns are called 'a'"));
  CHECK(read("1,2\n3,4\n").says("header"));
  CHECK(read("").says("empty"));
  CHECK(read("a;b\n0,5;1\n").says("';'"));
  CHECK(read("a\tb\n0,5\t1\n").says("decimal comma"));
  CHECK(read("a,b\n\"0,5\",1\n").says("decimal comma"));
  CHECK(read("a,b\n\"x,1\n").says("never closed"));
  CHECK(read(std::string("a,b\n\0,1\n", 8)).exit == Exit::data);
  CHECK(read("a,b\n").exit == Exit::ok);
  CHECK(outcome_of([&] { (void)read_csv(dir / "none.csv"); }).exit == Exit::no_input);
}

TEST_CASE("real: tables of measured kernels") {
  const Table seeds = read_csv(test::data_file("particle_tables/seeds_dataset.tsv"));
  CHECK(seeds.columns.size() == 8);
  CHECK(seeds.rows() == 210);
  CHECK(seeds.numbers("Area")[0] == 15.26);
  const Table beans = read_csv(test::data_file("particle_tables/Dry_Bean_Dataset.csv"));
  CHECK(beans.columns.size() == 17);
  CHECK(beans.rows() == 13611);
}

TEST_CASE("CSV: what stands in quotes in the header separates nothing") {
  const test::ScratchDir dir;
  std::ofstream(dir / "a.csv") << "\"a\tb\",c\n1,2\n";
  const Table table = read_csv(dir / "a.csv");
  REQUIRE(table.columns.size() == 2);
  CHECK(table.columns.front().name == "a\tb");
  CHECK(table.numbers("c") == std::vector<double>{2});
}
