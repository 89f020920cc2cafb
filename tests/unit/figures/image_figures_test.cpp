#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/figures/figures.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <cmath>
#include <fstream>
#include <map>

using namespace cathoscope;

namespace {

FigureResult drawn(const std::string& name, const StudyResults& results) {
  for (const auto& d : drawers())
    if (d.name == name) return figure_of(d, results);
  FAIL("no figure is called " << name);
  return MissingFigure{};
}

constexpr double radius = 11, voxel = 0.5;  // voxels, um
const Index3 middle{16, 20, 24}, shape{32, 40, 60};

bool in_ball(std::int64_t z, std::int64_t y, std::int64_t x) {
  const auto square = [](std::int64_t a, std::int64_t b) { return static_cast<double>((a - b) * (a - b)); };
  return square(z, middle[0]) + square(y, middle[1]) + square(x, middle[2]) <= radius * radius;
}

/// An electrode of one ball, whose id is 907 and which has a hole in its middle, in a box that begins at x = 100 um.
StudyResults ball_run(const test::ScratchDir& folder, bool grey = true, bool flat = false) {
  const Index3 extent = flat ? Index3{1, shape[1], shape[2]} : shape;
  std::vector<std::uint32_t> labels;
  std::vector<std::uint8_t> cracks, values;
  for (std::int64_t z = flat ? middle[0] : 0; static_cast<std::int64_t>(labels.size()) < volume_of(extent); ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x) {
        labels.push_back(in_ball(z, y, x) ? 1 : 0);
        cracks.push_back(std::abs(z - middle[0]) < 3 && std::abs(y - middle[1]) < 3 && std::abs(x - middle[2]) < 3);
        values.push_back(labels.back() != 0 && cracks.back() == 0 ? 200 : 50);
      }
  const auto e = folder / "e1";
  std::filesystem::create_directories(e);
  const Vec3 size{voxel, voxel, voxel}, origin{0, 0, 100};
  auto segmentation = H5File::create(e / "segmentation.h5");
  segmentation.create_grid<std::uint32_t>("/labels", extent, size, origin, Storage::compressed)
      .write(whole(extent), labels.data());
  segmentation.create_grid<std::uint8_t>("/cracks", extent, size, origin, Storage::compressed)
      .write(whole(extent), cracks.data());
  segmentation.write_array("/label_ids", std::vector<std::uint64_t>{907});
  segmentation.close();
  if (grey) {
    auto volume = H5File::create(e / "volume.h5");
    volume.create_grid<std::uint8_t>("/volume", extent, size, origin, Storage::checked)
        .write(whole(extent), values.data());
    volume.set_attribute("/volume", "low_grey", std::vector<double>{50});
    volume.set_attribute("/volume", "high_grey", std::vector<double>{200});
    volume.close();
  }
  std::ofstream(e / "attributes.csv")
      << "label,X,Y,Z,Volume,area_um2,Damage,Elongation,touches_border\n907,112.25,10.25,8.25,"
      << 4.0 / 3 * M_PI * std::pow(radius * voxel, 3) << "," << M_PI * radius * radius * voxel * voxel
      << ",0.125,1,0\n";
  StudyResults results;
  results.folder = folder.path();
  ElectrodeResults electrode;
  electrode.name = "e1";
  electrode.folder = e;
  electrode.two_dimensional = flat;
  electrode.synthetic = "synthetic: a ball";
  results.electrodes.push_back(electrode);
  return results;
}

/// Area inside the closed lines of a plane, by the shoelace formula: rows of the CSV, blank lines between outlines.
std::map<std::string, double> areas(const std::string& csv) {
  std::map<std::string, double> area;
  std::istringstream text(csv);
  std::string line, plane;
  std::getline(text, line);
  double last_x = 0, last_y = 0;
  bool first = true;
  while (std::getline(text, line)) {
    if (line.empty()) {
      first = true;
      continue;
    }
    std::istringstream fields(line);
    std::string electrode, id, x, y;
    for (std::string* field : {&electrode, &plane, &id, &x, &y}) std::getline(fields, *field, ',');
    CHECK(id == "907");
    if (!first) area[plane] += 0.5 * (last_x * std::stod(y) - std::stod(x) * last_y);
    last_x = std::stod(x), last_y = std::stod(y);
    first = false;
  }
  return area;
}

}  // namespace

TEST_CASE("outlines enclose the section of a ball, in the frame of the file") {
  const test::ScratchDir folder;
  const auto result = drawn("segmentation", ball_run(folder));
  const auto& f = std::get<Figure>(result);
  CHECK(f.synthetic);
  const auto area = areas(f.csv);
  REQUIRE(area.size() == 3);
  // The yz slice in the middle of the volume is 6 voxels beside the ball's. Lines through the middles of pixel edges,
  // simplified to a third of a pixel: a ring of that width is 6 % of these discs.
  for (const auto& [plane, value] : area) {
    const double off = plane == "yz" ? 6 : 0;
    CHECK(std::abs(value) == Approx(M_PI * (radius * radius - off * off) * voxel * voxel).epsilon(0.07));
  }
  CHECK(f.csv.find("e1,xy,907,1") != std::string::npos);  // x from 100 um on
  CHECK(f.more.size() == 6);                              // grey and cracks of three planes
  for (const auto& file : f.more) CHECK(file.content.starts_with("\x89PNG"));
}

TEST_CASE("slices need no grey volume, and a 2-D image has one plane") {
  const test::ScratchDir labels_only, flat;
  CHECK(std::get<Figure>(drawn("segmentation", ball_run(labels_only, false))).more.size() == 6);
  const auto results = ball_run(flat, true, true);
  const auto f = std::get<Figure>(drawn("segmentation", results));
  CHECK(f.more.size() == 2);
  CHECK(areas(f.csv).size() == 1);
  CHECK(std::holds_alternative<Figure>(drawn("particles", results)));
  CHECK(std::holds_alternative<MissingFigure>(drawn("fig1a", results)));
}

TEST_CASE("a table has no pictures, and the reason is said") {
  StudyResults results;
  ElectrodeResults electrode;
  electrode.name = "beans";
  electrode.is_table = true;
  results.electrodes.push_back(electrode);
  for (const char* name : {"segmentation", "particles", "fig1a"}) {
    const auto result = drawn(name, results);
    REQUIRE(std::holds_alternative<MissingFigure>(result));
    CHECK(std::get<MissingFigure>(result).why.find("beans") != std::string::npos);
  }
}

TEST_CASE("the panel of particles shows the table's values at the particle's place") {
  const test::ScratchDir folder;
  const auto f = std::get<Figure>(drawn("particles", ball_run(folder)));
  write_atomically(folder / "p.csv", f.csv);
  const Table t = read_csv(folder / "p.csv");
  REQUIRE(t.rows() == 1);
  CHECK(t.find("label")->ids == std::vector<std::uint64_t>{907});
  CHECK(t.numbers("damage")[0] == 0.125);
  CHECK(t.numbers("x_um")[0] == 112.25);
}

TEST_CASE("the picture of the electrode holds every particle's damage and some of its pixels", "[slow]") {
  const test::ScratchDir folder;
  const auto results = ball_run(folder);
  const auto f = std::get<Figure>(drawn("fig1a", results));
  CHECK(f.csv == "electrode,label,damage\ne1,907,0.125\n");
  REQUIRE(f.more.size() == 1);
  CHECK(f.more[0].content.size() > 2000);  // a blank picture of this size is smaller
  CHECK(std::get<Figure>(drawn("fig1a", results)).more[0].content == f.more[0].content);
}

TEST_CASE("schematics need no data; three figures are unknown and say so") {
  const StudyResults nothing;
  for (const char* name : {"figs1", "figs2", "figs5", "figs6", "figs8"}) {
    const auto result = drawn(name, nothing);
    REQUIRE(std::holds_alternative<Figure>(result));
    CHECK(std::get<Figure>(result).csv == std::get<Figure>(drawn(name, nothing)).csv);
  }
  for (const char* name : {"figs3", "figs9", "figs10"})
    CHECK(std::get<MissingFigure>(drawn(name, nothing)).why.find("nobody") != std::string::npos);
}

TEST_CASE("a run without results has a drawing or a reason for every figure") {
  const StudyResults nothing;
  for (const auto& d : drawers()) {
    const auto result = figure_of(d, nothing);
    const auto* missing = std::get_if<MissingFigure>(&result);
    CHECK((missing == nullptr ? std::get<Figure>(result).name : missing->name) == d.name);
    if (missing != nullptr) CHECK(!missing->why.empty());
  }
}

TEST_CASE("the planes of figure S1 pass through the middle of the cube and stay in it") {
  const auto f = std::get<Figure>(drawn("figs1", {}));
  const test::ScratchDir folder;
  write_atomically(folder / "s1.csv", f.csv);
  const Table t = read_csv(folder / "s1.csv");
  std::map<std::string, std::vector<std::size_t>> planes;
  for (std::size_t r = 0; r < t.rows(); ++r)
    if (t.find("part")->texts[r] == "plane") planes[t.find("family")->texts[r]].push_back(r);
  REQUIRE(planes.size() == 9);
  for (const auto& [family, rows] : planes) {
    REQUIRE(rows.size() == 5);  // a rectangle, closed
    double u = 0, v = 0;
    for (std::size_t k = 0; k < 4; ++k) u += t.numbers("u")[rows[k]], v += t.numbers("v")[rows[k]];
    CHECK(std::abs(u) < 1e-12);  // parallel projection keeps the middle
    CHECK(std::abs(v) < 1e-12);
  }
}
