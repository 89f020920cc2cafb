#include "test_data.hpp"

#include "../../../src/report/sections.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>
#include <cathoscope/report/report.hpp>

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <cmath>

using namespace cathoscope;
using namespace cathoscope::report;

namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A run folder by hand: two electrodes of 40 particles, every fourth flagged; damage 0.1 and 0.3 in turn in the first,
/// 0.35 and 0.45 in the second. One attribute clears its null floor.
struct HandMade {
  test::ScratchDir scratch;
  ReportInputs inputs;

  HandMade() {
    inputs.folder = scratch.path();
    inputs.run = "by-hand";
    inputs.program = "cathoscope test";
    inputs.seed = 1;
    inputs.exclude = {"touches_border"};
    inputs.config_yaml = "name: by-hand\n";
    add("first", 0.1, 0.3, 0.4);
    add("second", 0.35, 0.45, -0.2);
    for (const char* name : {"first", "second"})
      volumes(
          scratch / name, {8, 8, 8}, [](std::size_t) { return 1u; }, 2);
    inputs.stages.push_back({"", "figures", "", scratch / "absent.json", ""});
  }

  void add(const std::string& name, double low, double high, double r2) {
    const fs::path folder = scratch.path() / name;
    fs::create_directories(folder);
    std::string csv = "label,X,Y,Z,Volume,Damage,touches_border\n";
    for (int i = 0; i < 40; ++i)
      csv += fmt::format("{},{},2,3,{},{},{}\n", i + 1, i, 100 + i, i % 2 ? low : high, i % 4 == 0 ? 1 : 0);
    write(folder / "attributes.csv", csv);
    write(folder / "regression.json",
          fmt::format(R"({{"profile": "leak_free", "oob_r2": {}, "spatial_cv_r2": 0.3, "rows_used": 30,
                          "share_neighbour": {{"value": 0.25, "ci_low": 0.2, "ci_high": 0.3}}}})",
                      r2));
    write(folder / "contributions.csv",
          "attribute,group,mean_abs_shap,ci_low,ci_high,null_floor,q,direction\n"
          "Weak,structure,0.001,0,0.002,0.0015,0.6,0.1\nStrong,structure,0.02,0.015,0.025,0.002,0.01,0.9\n"
          "Lucky,structure,0.003,0.001,0.005,0.002,0.2,0.9\n");
    inputs.electrodes.push_back({name, "Damage", "", folder / "attributes.csv", ""});
    for (const char* stage : {"volume", "segmentation", "attributes"})
      inputs.stages.push_back({name, stage, "", folder / "absent.json", ""});
    inputs.stages.push_back({name, "regression", "contributions", folder / "absent.json", ""});
  }

  /// segmentation.h5 with labels by voxel and ids 1..n, and a grey volume.
  template <class F>
  static void volumes(const fs::path& folder, const Index3& shape, const F& label, std::size_t n) {
    std::vector<std::uint32_t> values(static_cast<std::size_t>(volume_of(shape)));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = label(i);
    auto file = H5File::create(folder / "segmentation.h5");
    file.create_grid<std::uint32_t>("/labels", shape, {1, 1, 1}, {0, 0, 0}, Storage::compressed)
        .write(whole(shape), values.data());
    std::vector<std::uint64_t> ids(n);
    for (std::size_t i = 0; i < n; ++i) ids[i] = i + 1;
    file.write_array("/label_ids", ids);
    file.close();
    auto volume = H5File::create(folder / "volume.h5");
    volume.create_grid<std::uint8_t>("/volume", shape, {1, 1, 1}, {0, 0, 0}, Storage::checked)
        .write(whole(shape), reinterpret_cast<const std::uint8_t*>(values.data()));
    volume.close();
  }

  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    write_atomically(path, text);
  }

  std::string page() const {
    Progress progress;
    const fs::path path = scratch / "page.html";
    write_report(inputs, path, Context{progress});
    return read_text(path);
  }
};

}  // namespace

TEST_CASE("the summary's numbers are those of the tables") {
  const HandMade run;
  const Findings f = findings_of(run.inputs);
  REQUIRE(f.electrodes.size() == 2);
  const auto& first = f.electrodes[0];
  // Flagged are particles 0, 4, 8, ...: 10 of the 20 even ones, which have the high damage. Left: 10 high, 20 low.
  CHECK(first.particles == 40);
  CHECK(first.flagged == 10);
  CHECK(first.used() == 30);
  CHECK(first.mean.value == Approx((10 * 0.3 + 20 * 0.1) / 30));
  CHECK(first.median == Approx(0.1));
  // Variance with 29 degrees of freedom of 10 times 0.3 and 20 times 0.1.
  const double mean = 5.0 / 30, sd = std::sqrt((10 * std::pow(0.3 - mean, 2) + 20 * std::pow(0.1 - mean, 2)) / 29);
  CHECK(first.variation.value == Approx(sd / mean));
  CHECK(first.worst_tenth == Approx(3 * 0.3 / 5.0));
  // The interval of a mean of 30: about 1.96 sd / sqrt(30) to each side; 2000 resamplings give that to a tenth or so.
  CHECK(first.mean.high - first.mean.low == Approx(2 * 1.96 * sd / std::sqrt(30)).epsilon(0.15));
  REQUIRE(first.forest);
  CHECK(first.forest->oob_r2 == Approx(0.4));
  CHECK(first.forest->contributions[0].attribute == "Strong");
  CHECK(first.forest->contributions[0].clear());
  CHECK_FALSE(first.forest->contributions[1].clear());  // Lucky: above its floor, but one of many
  CHECK_FALSE(first.forest->contributions[2].clear());
  REQUIRE(f.comparisons.size() == 1);
  CHECK(f.comparisons[0].mean_difference.value == Approx((10 * 0.45 + 20 * 0.35) / 30 - mean));
  CHECK(f.comparisons[0].variation_difference.high < 0);  // the first is more uneven
}

TEST_CASE("the summary says what the numbers allow") {
  const HandMade run;
  const std::string text = summary_section(findings_of(run.inputs), run.inputs);
  CHECK(has(text, "more uneven <b>first</b>, in first"));
  CHECK(has(text, "1 of 3 attributes clear their null floor, first <b>Strong</b>"));
  CHECK(has(text, "In <b>second</b> the attributes <b>do not predict damage</b>"));
  CHECK(has(text, "10 (touches_border)"));
  CHECK_FALSE(has(text, "Synthetic"));
  CHECK(has(text, "makes up <b>25 % [20, 30]</b> in first."));  // the second predicts nothing: it has no say
}

TEST_CASE("equal electrodes are not told apart, and one electrode is not compared") {
  HandMade run;
  run.inputs.electrodes[1].particles = run.inputs.electrodes[0].particles;
  const std::string same = summary_section(findings_of(run.inputs), run.inputs);
  CHECK(has(same, "cannot be told apart"));
  CHECK(has(same, "<b>do not tell</b>"));
  run.inputs.electrodes.pop_back();
  CHECK(has(summary_section(findings_of(run.inputs), run.inputs), "There is no second electrode to compare with"));
}

TEST_CASE("synthetic input is called synthetic in the summary and beside the title", "[slow]") {
  HandMade run;
  HandMade::write(run.scratch / "second/summary.json", R"({"synthetic": "synthetic: a preset"})");
  const std::string page = run.page();
  CHECK(has(page, "<strong>Synthetic data.</strong>"));
  CHECK(has(page, "<span class=\"tag\">synthetic data</span>"));
}

TEST_CASE("hostile names and texts stay text", "[slow]") {
  HandMade run;
  const std::string hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
  run.inputs.run = hostile;
  run.inputs.config_yaml = "name: " + hostile;
  run.inputs.electrodes[0].target = "Damage";
  run.inputs.electrodes[0].synthetic = hostile;
  run.inputs.stages.push_back({"first", hostile, "", run.scratch / "record.json", ""});
  run.inputs.stages.push_back({"", "latent", "", "", hostile});
  HandMade::write(run.scratch / "record.json",
                  Json{{"run", {{"warnings", {hostile}}, {"host", hostile}}}, {"config", hostile}}.dump());
  HandMade::write(run.scratch / "log.txt", hostile + "\n");
  HandMade::write(run.scratch / "first/contributions.csv",
                  "attribute,group,mean_abs_shap,null_floor,q\n" + hostile + ",a,1,0,0\n");
  HandMade::write(run.scratch / "figures/a.svg",
                  "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(3)</script></svg>");
  HandMade::write(run.scratch / "figures/figures.json",
                  Json{{"figures",
                        {{{"name", hostile}, {"title", hostile}, {"caption", hostile}, {"files", {"a.svg"}}},
                         {{"name", "up"}, {"files", {"../first/attributes.csv", "/etc/passwd"}}}}},
                       {"missing", {{{"name", hostile}, {"why", hostile}}}}}
                      .dump());
  const std::string page = run.page();
  CHECK_FALSE(has(page, "<script>alert"));
  CHECK_FALSE(has(page, "<img src=x"));
  CHECK_FALSE(has(page, "passwd"));
  // Every script of the page: its data as JSON and text, three.js, and our own.
  std::size_t scripts = 0;
  for (std::size_t at = page.find("<script"); at != std::string::npos; at = page.find("<script", at + 1)) ++scripts;
  CHECK(scripts == 3 + 2 * 3);  // and particles, labels and grey values of each electrode
}

TEST_CASE("every script runs by its hash and nothing is fetched", "[slow]") {
  const HandMade run;
  const std::string page = run.page();
  CHECK(has(page, "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-"));
  CHECK_FALSE(has(page, "src=\"http"));
  CHECK_FALSE(has(page, "href=\"http"));
  CHECK_FALSE(has(page, "@import"));
}

TEST_CASE("the same results give the same bytes but for the block of provenance", "[slow]") {
  HandMade run;
  HandMade::write(run.scratch / "log.txt", "one\n");
  const auto outside = [](const std::string& page) {
    const auto from = page.find("<!-- provenance -->"), to = page.find("<!-- end of provenance -->");
    REQUIRE(to != std::string::npos);
    return page.substr(0, from) + page.substr(to);
  };
  const std::string before = run.page();
  HandMade::write(run.scratch / "log.txt", "another host, another time\n");
  HandMade::write(run.scratch / "provenance.json", R"({"host": {"host": "elsewhere"}})");
  const std::string after = run.page();
  CHECK(before != after);
  CHECK(outside(before) == outside(after));
}

TEST_CASE("figures lie in the page, those without room are named, missing ones say why") {
  const HandMade run;
  const fs::path folder = run.scratch / "figures";
  HandMade::write(folder / "small.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"small\"/>");
  std::string noise;
  for (unsigned i = 0, h = 1; i < 200'000; ++i)
    noise += static_cast<char>('a' + ((h = h * 1664525u + 1013904223u) >> 24) % 26);
  HandMade::write(folder / "large.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><!--" + noise + "--></svg>");
  HandMade::write(
      folder / "figures.json",
      R"({"figures": [{"name": "small", "title": "Small", "caption": "c", "synthetic": true, "files": ["small.svg", "small.pdf"]},
                                  {"name": "large", "title": "Large", "caption": "", "synthetic": false, "files": ["large.svg"]}],
                      "missing": [{"name": "fig9", "title": "Ninth", "why": "no data"}]})");
  const std::string tight = figures_section(folder, 50'000);
  CHECK(tight.size() < 60'000);
  CHECK(has(tight, "data:image/svg+xml;base64,PHN2Zy"));
  CHECK(has(tight, "Too large for this page: see figures/large.svg"));
  CHECK(has(tight, "<td>no data</td>"));
  CHECK(has(tight, "<span class=\"tag\">synthetic</span>"));
  const std::string roomy = figures_section(folder, 400'000);
  CHECK(has(roomy, "data-packed=\""));  // large: packed
  CHECK(has(figures_section(run.scratch / "nowhere", 1000), "No figures were drawn"));
}

TEST_CASE("a large study fits the budget", "[slow]") {
  HandMade run;
  // 30,000 particles with attributes of random digits, and labels that hardly compress.
  std::string csv = "label,X,Y,Z,Yaw,Pitch,Roll,EDensity,Homogeneity,SurfInner,SurfOuter,Volume,Damage,Elongation\n";
  unsigned h = 1;
  const auto digits = [&] { return fmt::format("0.{:09}", (h = h * 1664525u + 1013904223u) % 1000000000u); };
  for (int i = 0; i < 30000; ++i) {
    csv += std::to_string(i + 1);
    for (int c = 0; c < 13; ++c) csv += fmt::format(",{}", digits());
    csv += "\n";
  }
  for (const char* name : {"first", "second"}) {
    HandMade::write(run.scratch / name / "attributes.csv", csv);
    HandMade::volumes(
        run.scratch / name, {96, 128, 128}, [&](std::size_t) { return (h = h * 1664525u + 1013904223u) % 30001u; },
        30000);
  }
  const std::string page = run.page();
  CHECK(page.size() <= report_bytes_at_most);
  CHECK(page.size() > 2'500'000);  // the room is used
  CHECK(has(page, "\"total\":30000"));
}

TEST_CASE("labels without an id are refused") {
  HandMade run;
  HandMade::volumes(
      run.scratch / "first", {4, 4, 4}, [](std::size_t) { return 9u; }, 2);
  CHECK_THROWS_WITH(run.page(), Catch::Contains("/labels holds 9, but /label_ids has 2 entries"));
}

TEST_CASE("files of a stage that does not count are not looked at") {
  HandMade run;
  std::erase_if(run.inputs.stages,
                [](const ReportStage& s) { return s.name == "regression" || s.name == "segmentation"; });
  const std::string page = run.page();
  CHECK(has(page, "No regression in this run"));
  CHECK_FALSE(has(page, "Contributions of the attributes in"));
  CHECK(has(page, "no segmentation in this run"));
}

TEST_CASE("a run without electrodes or results has a page that says so") {
  test::ScratchDir scratch;
  ReportInputs inputs;
  inputs.folder = scratch.path();
  inputs.run = "empty";
  inputs.stages = {{"", "latent", "", "", "was not selected"}};
  Progress progress;
  write_report(inputs, scratch / "page.html", Context{progress});
  const std::string page = read_text(scratch / "page.html");
  CHECK(has(page, "nothing to summarise"));
  CHECK(has(page, "was not selected"));
  CHECK_THROWS_AS(write_report(inputs, scratch / "absent/page.html", Context{progress}), Error);
}
