/// VTK's XML files with raw appended data: a head that tells where each array begins, then the bytes of each array
/// after its size as a 64-bit number.

#include <cathoscope/core/text.hpp>
#include <cathoscope/io/export.hpp>

#include "export_stream.hpp"
#include "export_vtk.hpp"

namespace cathoscope {

namespace {

using exporting::ByteWriter;

template <class T>
std::string vtk_type() {
  return exporting::type_code<T>("UInt", "Int", "Float", 8 * sizeof(T));
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

/// The DataArray elements of a file, and how many appended bytes they announce.
struct ArrayList {
  std::uint64_t bytes = 0;

  template <class T>
  std::string element(const std::string& name, std::uint64_t values, int components = 1) {
    std::string e = fmt::format(
        "        <DataArray type=\"{}\" Name=\"{}\" NumberOfComponents=\"{}\" format=\"appended\" offset=\"{}\"/>\n",
        vtk_type<T>(), xml_text(name), components, bytes);
    bytes += sizeof(std::uint64_t) + values * sizeof(T);
    return e;
  }
};

std::string begin_file(const char* type) {
  return fmt::format(
      "<?xml version=\"1.0\"?>\n"
      "<VTKFile type=\"{}\" version=\"1.0\" byte_order=\"LittleEndian\" header_type=\"UInt64\">\n",
      type);
}

constexpr const char* begin_appended = "  <AppendedData encoding=\"raw\">\n_";
constexpr const char* end_file = "\n  </AppendedData>\n</VTKFile>\n";

std::string xyz_text(const Vec3& zyx) {
  return fmt::format("{} {} {}", text_of(zyx[2]), text_of(zyx[1]), text_of(zyx[0]));
}

template <class T>
void append(ByteWriter& out, const GridSource<T>& grid) {
  const auto bytes = static_cast<std::uint64_t>(volume_of(grid.shape)) * sizeof(T);
  out.write(&bytes, sizeof bytes);
  exporting::for_each_box(grid, [&](const Box& box, const T* values) {
    out.write(values, static_cast<std::size_t>(box.size()) * sizeof(T));
    return true;
  });
}

template <class T>
void append(ByteWriter& out, const std::vector<T>& values) {
  const std::uint64_t bytes = values.size() * sizeof(T);
  out.write(&bytes, sizeof bytes);
  if (bytes > 0) out.write(values.data(), bytes);
}

std::string image_head(const exporting::Frame& frame, const std::vector<NamedGrid>& grids) {
  const std::string extent = fmt::format("0 {} 0 {} 0 {}", frame.shape[2], frame.shape[1], frame.shape[0]);
  std::string head = begin_file("ImageData");
  head += fmt::format("  <ImageData WholeExtent=\"{}\" Origin=\"{}\" Spacing=\"{}\" Direction=\"1 0 0 0 1 0 0 0 1\">\n",
                      extent, xyz_text(frame.origin_um), xyz_text(frame.voxel_size_um));
  head +=
      fmt::format("    <Piece Extent=\"{}\">\n      <CellData Scalars=\"{}\">\n", extent, xml_text(grids.front().name));
  ArrayList arrays;
  const auto voxels = static_cast<std::uint64_t>(volume_of(frame.shape));
  for (const NamedGrid& g : grids)
    head += std::visit([&]<class T>(const GridSource<T>&) { return arrays.element<T>(g.name, voxels); }, g.grid);
  return head + "      </CellData>\n    </Piece>\n  </ImageData>\n" + begin_appended;
}

std::string points_head(const exporting::Points& points) {
  const std::uint64_t n = points.count();
  ArrayList arrays;
  std::string head = begin_file("PolyData");
  head += fmt::format("  <PolyData>\n    <Piece NumberOfPoints=\"{0}\" NumberOfVerts=\"{0}\">\n      <Points>\n", n);
  head += arrays.element<double>("Points", 3 * n, 3);
  head += "      </Points>\n      <Verts>\n";
  head += arrays.element<std::int64_t>("connectivity", n);
  head += arrays.element<std::int64_t>("offsets", n);
  head += "      </Verts>\n      <PointData>\n";
  for (const Column* c : points.columns)
    head += c->ids.empty() ? arrays.element<double>(c->name, n) : arrays.element<std::uint64_t>(c->name, n);
  return head + "      </PointData>\n    </Piece>\n  </PolyData>\n" + begin_appended;
}

}  // namespace

void write_vti(const std::filesystem::path& path, const std::vector<NamedGrid>& grids) {
  const exporting::Frame frame = exporting::common_frame(path, grids);
  ByteWriter out(path);
  out.write(image_head(frame, grids));
  for (const NamedGrid& g : grids) std::visit([&](const auto& grid) { append(out, grid); }, g.grid);
  out.write(end_file);
  out.finish();
}

std::vector<std::string> write_vtp(const std::filesystem::path& path, const Table& table) {
  const exporting::Points points = exporting::points_of(path, table);
  std::vector<std::int64_t> connectivity(points.count());
  std::vector<std::int64_t> offsets(points.count());
  for (std::size_t i = 0; i < points.count(); ++i) {
    connectivity[i] = static_cast<std::int64_t>(i);
    offsets[i] = static_cast<std::int64_t>(i) + 1;
  }
  ByteWriter out(path);
  out.write(points_head(points));
  append(out, points.xyz);
  append(out, connectivity);
  append(out, offsets);
  for (const Column* c : points.columns) {
    if (c->ids.empty())
      append(out, c->numbers);
    else
      append(out, c->ids);
  }
  out.write(end_file);
  out.finish();
  return points.left_out;
}

}  // namespace cathoscope
