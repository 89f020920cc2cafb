#include "../../../src/figures/gnuplot.hpp"
#include "exits.hpp"
#include "small_study.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/figures/script.hpp>

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

using namespace cathoscope;

namespace {}  // namespace

TEST_CASE("Texts reach gnuplot in single quotes with their signs escaped") {
  CHECK(plot_text("10-cycled") == "'10-cycled'");
  CHECK(plot_text("it's") == "'it''s'");
  CHECK(plot_text("a_b^{c}@&~\\") == R"('a\_b\^\{c\}\@\&\~\\')");
  CHECK(plot_text("two\nlines\t\x7f") == "'two lines  '");
  CHECK(plot_text("`touch x`") == "'`touch x`'");  // nothing is run between single quotes
  CHECK(plot_text("X'' and ```") == R"(('X'."''".' and ```'))");
  CHECK(plot_text("").size() == 2);
  CHECK(verbatim("a_b'c") == "'a_b''c'");
  CHECK(verbatim("a\\nb") == R"(('a'."\n".'b'))");          // as gnuplot reads it in a file
  CHECK(verbatim("\\101`x`\\`") == R"(("\101".'`x`\`'))");  // no backtick between double quotes
}

TEST_CASE("Numbers of labels") {
  CHECK(short_number(0.19299, 2) == "0.19");
  CHECK(short_number(0.00123, 2) == "0.0012");
  CHECK(short_number(75.66, 3) == "75.7");
  CHECK(short_number(1234.5, 3) == "1234");
  CHECK(short_number(0, 2) == "0.00");
  CHECK(short_number(2.5e-7, 2) == "2.5e-07");
  CHECK(short_number(std::nan(""), 2) == "n/a");
}

TEST_CASE("Colours of electrodes are those of style.gp") {
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(style_text().find(fmt::format("\n{} = ", electrode_colour(i))) != std::string::npos);
  CHECK(electrode_colour(0) != electrode_colour(1));
}

TEST_CASE("gnuplot's failure, silence and time-out are told") {
  const test::ScratchDir folder;
  const auto run = [&](const std::string& script, double seconds) {
    test::write_file(folder / "a.gp", script);
    return run_gnuplot(folder.path(), "a.gp", seconds, [] {});
  };
  CHECK(run("print 'hello'\n", 60) == "hello");
  CHECK(test::exit_of([&] { run("plot nonsense(\n", 60); }) == Exit::internal);
  CHECK(test::exit_of([&] { run("pause 60\n", 0.3); }) == Exit::internal);
  CHECK_THROWS_WITH(run_gnuplot(folder.path(), "a.gp", 60, [] { fail(Exit::interrupted, "stop"); }), "stop");
}

TEST_CASE("Without gnuplot the message says what to install") {
  const test::ScratchDir folder;
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  std::string said;
  Exit exit = Exit::ok;
  try {
    run_gnuplot(folder.path(), "a.gp", 60, [] {});
  } catch (const Error& e) {
    exit = e.exit();
    said = e.what();
  }
  setenv("PATH", path.c_str(), 1);
  CHECK(exit == Exit::unavailable);
  CHECK(said.find("gnuplot-nox") != std::string::npos);
}

TEST_CASE("A PDF's date is overwritten in place") {
  std::string pdf = "... /CreationDate (D:20261122210811+01'00)\n   /Other 7";
  const std::size_t size = pdf.size();
  fix_pdf_date(pdf);
  CHECK(pdf == "... /CreationDate (D:20000101000000+00'00)\n   /Other 7");
  CHECK(pdf.size() == size);
  std::string none = "no date";
  CHECK(test::exit_of([&] { fix_pdf_date(none); }) == Exit::internal);
}
