#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <bit>

namespace cathoscope::fem {

namespace {

static_assert(std::endian::native == std::endian::little);

/// Arrays one after the other, each after its size, as raw appended data has them.
struct Appended {
  std::string header;
  std::string data;

  template <class T>
  void add(const std::string& type, const std::string& name, const std::vector<T>& values, int components) {
    header += fmt::format(
        "<DataArray type=\"{}\" Name=\"{}\" NumberOfComponents=\"{}\" format=\"appended\" offset=\"{}\"/>\n", type,
        name, components, data.size());
    const std::uint64_t bytes = values.size() * sizeof(T);
    data.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
    data.append(reinterpret_cast<const char*>(values.data()), bytes);
  }
};

std::vector<double> coordinates(const Mesh& mesh) {
  std::vector<double> um;
  for (const auto& p : mesh.nodes) um.insert(um.end(), {p.x * 1e6, p.y * 1e6, p.z * 1e6});
  return um;
}

void add_cells(Appended& a, const Mesh& mesh) {
  std::vector<std::int32_t> nodes;
  std::vector<std::int64_t> ends;
  const auto n = static_cast<std::size_t>(mesh.nodes_per_tet());
  for (const auto& tet : mesh.tets) {
    nodes.insert(nodes.end(), tet.begin(), tet.begin() + static_cast<std::ptrdiff_t>(n));
    ends.push_back(static_cast<std::int64_t>(nodes.size()));
  }
  a.add("Int32", "connectivity", nodes, 1);
  a.add("Int64", "offsets", ends, 1);
  a.add("UInt8", "types", std::vector<std::uint8_t>(mesh.tets.size(), mesh.order == 2 ? 24 : 10), 1);
}

}  // namespace

void write_vtu(const std::filesystem::path& path, const Mesh& mesh, const std::vector<NamedField>& node_fields,
               const std::vector<NamedField>& cell_fields) {
  Appended a;
  a.header = fmt::format(
      "<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\" version=\"1.0\" byte_order=\"LittleEndian\" "
      "header_type=\"UInt64\">\n<UnstructuredGrid>\n<Piece NumberOfPoints=\"{}\" NumberOfCells=\"{}\">\n<Points>\n",
      mesh.nodes.size(), mesh.tets.size());
  a.add("Float64", "Points", coordinates(mesh), 3);
  a.header += "</Points>\n<Cells>\n";
  add_cells(a, mesh);
  a.header += "</Cells>\n<PointData>\n";
  for (const auto& f : node_fields) a.add("Float64", f.name, f.values, f.components);
  a.header += "</PointData>\n<CellData>\n";
  a.add("Int32", "domain", mesh.domain, 1);
  for (const auto& f : cell_fields) a.add("Float64", f.name, f.values, f.components);
  a.header += "</CellData>\n</Piece>\n</UnstructuredGrid>\n<AppendedData encoding=\"raw\">\n_";
  write_atomically(path, a.header + a.data + "\n</AppendedData>\n</VTKFile>\n");
}

}  // namespace cathoscope::fem
