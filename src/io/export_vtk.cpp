#include "export_vtk.hpp"

#include "export_stream.hpp"

#include <cmath>
#include <set>

namespace cathoscope::exporting {

namespace {

/// Names are HDF5 links in one format and XML attributes in the other.
void check_name(const std::filesystem::path& path, const std::string& name, std::set<std::string>& seen) {
  if (name.empty() || name == "." || name.find('/') != std::string::npos)
    fail(Exit::data, "{}: '{}' cannot name an array; a name is not empty and has no slash", path.string(), name);
  if (!seen.insert(name).second) fail(Exit::data, "{}: the name '{}' occurs twice", path.string(), name);
}

Frame frame_of(const AnyGrid& any) {
  return std::visit([](const auto& g) { return Frame{g.shape, g.voxel_size_um, g.origin_um}; }, any);
}

const std::vector<double>& positions(const std::filesystem::path& path, const Table& table, const char* name) {
  const Column* column = table.find(name);
  if (column == nullptr || column->numbers.size() != table.rows())
    fail(Exit::data, "{}: the table has no column {} of numbers for the positions", path.string(), name);
  return column->numbers;
}

double position(const std::filesystem::path& path, const std::vector<double>& values, std::size_t row,
                const char* name) {
  if (!std::isfinite(values[row]))
    fail(Exit::data, "{}: row {} of the table has no {}, so the particle has no place", path.string(), row + 1, name);
  return values[row];
}

}  // namespace

Frame common_frame(const std::filesystem::path& path, const std::vector<NamedGrid>& grids) {
  if (grids.empty()) fail(Exit::data, "{}: there is no grid to export", path.string());
  const Frame frame = frame_of(grids.front().grid);
  check_not_empty(path, frame.shape);
  std::set<std::string> seen;
  for (const NamedGrid& g : grids) {
    check_name(path, g.name, seen);
    if (frame_of(g.grid) != frame)
      fail(Exit::data, "{}: {} and {} differ in shape, voxel size or origin; export them to two files", path.string(),
           grids.front().name, g.name);
  }
  return frame;
}

Points points_of(const std::filesystem::path& path, const Table& table) {
  const auto& x = positions(path, table, "X");
  const auto& y = positions(path, table, "Y");
  const auto& z = positions(path, table, "Z");
  Points points;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    points.xyz.push_back(position(path, x, row, "X"));
    points.xyz.push_back(position(path, y, row, "Y"));
    points.xyz.push_back(std::isfinite(z[row]) ? z[row] : 0);
  }
  std::set<std::string> seen;
  for (const Column& column : table.columns) {
    check_name(path, column.name, seen);
    if (column.size() != table.rows())
      fail(Exit::data, "{}: column {} has {} rows, the first column {}", path.string(), column.name, column.size(),
           table.rows());
    if (column.texts.empty())
      points.columns.push_back(&column);
    else
      points.left_out.push_back(column.name);
  }
  return points;
}

}  // namespace cathoscope::exporting
