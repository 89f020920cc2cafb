/// Fields of the finite elements at moments of a run: kept one file a moment while it goes on, then in the results, then
/// for ParaView.
#include "elements_frames.hpp"

#include "elements_step.hpp"
#include "protocol.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr std::int64_t block = 64;  ///< moments that are written at once: the length of a chunk

/// Damage at the nodes of the interface, by the areas of the points around; 0 elsewhere.
std::vector<double> damage_at_nodes(const fem::Mesh& mesh, const std::vector<double>& damage) {
  std::vector<double> sum(mesh.nodes.size(), 0.0), area(mesh.nodes.size(), 0.0);
  const std::size_t per_facet = fem::points_per_facet(mesh);
  const auto areas = fem::point_areas(mesh);
  for (std::size_t i = 0; i < damage.size(); ++i) {
    const auto& f = mesh.interface[i / per_facet];
    for (int a = 0; a < mesh.nodes_per_facet(); ++a)
      for (const auto node : {f.inner[at(a)], f.outer[at(a)]}) {
        sum[at(node)] += areas[i] * damage[i];
        area[at(node)] += areas[i];
      }
  }
  for (std::size_t n = 0; n < sum.size(); ++n)
    if (area[n] > 0) sum[n] /= area[n];
  return sum;
}

std::vector<double> hydrostatic_MPa(const ElementModel& model, const fem::ElectrochemicalSystem& chemistry,
                                    const ElementState& state) {
  const auto& mesh = model.mesh;
  const auto z = fem::unknowns_of(state);
  const auto eigenstrain = fem::eigenstrain_of(model, chemistry, z);
  const fem::Barycentric middle{0.25, 0.25, 0.25, 0.25};
  const auto lame = fem::materials_at(model, chemistry, z);
  std::vector<double> pressure;
  pressure.reserve(mesh.tets.size());
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto s = fem::stress_at(mesh, lame, state.displacement, t, middle, eigenstrain(t, middle));
    pressure.push_back((s[0] + s[1] + s[2]) / 3 * 1e-6);
  }
  return pressure;
}

/// A field of the results: its dataset, and how many values a node or cell has.
struct FrameField {
  const char* name;
  const char* unit;
  bool of_cells;
  int components;
};
constexpr FrameField frame_fields[] = {{"x", "c / c_max", false, 1},
                                       {"potential_V", "V", false, 1},
                                       {"damage", "1", false, 1},
                                       {"displacement_um", "um", false, 3},
                                       {"hydrostatic_MPa", "MPa", true, 1}};
constexpr const char* frame_facts[] = {"cycle", "half_cycle", "step", "time_s", "tau"};

std::int64_t width_of(const FrameField& f, std::int64_t nodes, std::int64_t cells) {
  return (f.of_cells ? cells : nodes) * f.components;
}

std::vector<fs::path> frames_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// One field of all moments, block by block.
void write_field(const std::vector<fs::path>& files, const FrameField& f, std::int64_t width, H5File& out) {
  const std::string name = std::string("/frames/") + f.name;
  const auto count = static_cast<std::int64_t>(files.size());
  auto sink = out.create_grid<float>(name, {1, count, width}, {1, 1, 1}, {0, 0, 0}, Storage::compressed);
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t last = std::min(count, first + block);
    std::vector<float> values;
    for (auto k = first; k < last; ++k) {
      const auto one = H5File::open(files[at(k)]).read_array<double>(std::string("/") + f.name);
      std::transform(one.begin(), one.end(), std::back_inserter(values),
                     [](double v) { return static_cast<float>(v); });
    }
    sink.write({{0, first, 0}, {1, last, width}}, values.data());
  }
}

void write_mesh(const fem::Mesh& mesh, H5File& out) {
  std::vector<double> nodes;
  for (const auto& p : mesh.nodes) nodes.insert(nodes.end(), {p.x * 1e6, p.y * 1e6, p.z * 1e6});
  std::vector<std::int32_t> tets;
  for (const auto& t : mesh.tets) tets.insert(tets.end(), t.begin(), t.begin() + mesh.nodes_per_tet());
  out.write_array("/mesh/nodes_um", nodes);
  out.write_array("/mesh/tetrahedra", tets);
  out.write_array("/mesh/domain", mesh.domain);
  out.write_array("/mesh/order", std::vector<std::int32_t>{mesh.order});
  out.set_attribute("/mesh/domain", "values", "-1 binder, particles from 0");
}

/// As much of the mesh as a drawing needs.
fem::Mesh read_mesh(const H5File& in) {
  fem::Mesh mesh;
  const auto nodes = in.read_array<double>("/mesh/nodes_um");
  const auto tets = in.read_array<std::int32_t>("/mesh/tetrahedra");
  mesh.domain = in.read_array<std::int32_t>("/mesh/domain");
  mesh.order = in.read_array<std::int32_t>("/mesh/order").at(0);
  const auto n = at(mesh.nodes_per_tet());
  if (nodes.size() % 3 != 0 || tets.size() != mesh.domain.size() * n)
    fail(Exit::data, "{}: the mesh is damaged", in.path().string());
  for (std::size_t i = 0; i < nodes.size(); i += 3)
    mesh.nodes.push_back({nodes[i] * 1e-6, nodes[i + 1] * 1e-6, nodes[i + 2] * 1e-6});
  mesh.tets.resize(mesh.domain.size());
  for (std::size_t t = 0; t < mesh.tets.size(); ++t)
    std::copy_n(tets.begin() + static_cast<std::ptrdiff_t>(t * n), n, mesh.tets[t].begin());
  return mesh;
}

}  // namespace

FrameClock::FrameClock(const ElementModel& model, const ElementState& state) : model_(model) {
  tenths_ = tenths_at(state.progress.half, state.progress.half_start_content,
                      chemo::tau_of(model.laws.protocol, state.progress));
}

std::int64_t FrameClock::tenths_at(HalfCycle half, double start_content, double tau) const {
  const double planned = start_content - model_.laws.protocol.x_end;
  return half == HalfCycle::charge && planned > 0 ? static_cast<std::int64_t>(std::floor(10 * tau / planned + 1e-9))
                                                  : 0;
}

bool FrameClock::due(const StepFacts& step, double start_content) {
  const std::int64_t now = tenths_at(step.half, start_content, step.tau);
  const bool passed = now > tenths_ && (step.cycle == 1 || step.cycle == model_.laws.protocol.cycles);
  tenths_ = step.last_of_half ? 0 : now;
  return step.last_of_half || passed;
}

void save_frame(const fs::path& folder, const ElementModel& model, const ElementState& state, const StepFacts& step) {
  const auto& mesh = model.mesh;
  const fem::ElectrochemicalSystem chemistry(mesh, {});
  const auto z = fem::unknowns_of(state);
  std::vector<double> x(mesh.nodes.size(), 0.0), potential(mesh.nodes.size(), 0.0);
  for (std::size_t n = 0; n < mesh.nodes.size(); ++n) {
    const auto node = static_cast<std::int32_t>(n);
    if (mesh.domain_of_node[n] == fem::binder)
      potential[n] = chemistry.potential(z, node);
    else
      x[n] = z[chemistry.unknown_of(node)];
  }
  std::vector<double> u(state.displacement.size(), std::nan("")), pressure(mesh.tets.size(), std::nan(""));
  if (state.mechanics_known) {
    std::transform(state.displacement.begin(), state.displacement.end(), u.begin(), [](double v) { return v * 1e6; });
    pressure = hydrostatic_MPa(model, chemistry, state);
  }
  const auto name = fmt::format("{:06}_{}_{:06}.h5", step.cycle, static_cast<int>(step.half),
                                step.last_of_half ? 999'999 : step.step);
  auto out = H5File::create(partial_name(folder / name));
  out.write_array("/facts", std::vector<double>{static_cast<double>(step.cycle), static_cast<double>(step.half),
                                                static_cast<double>(step.step), step.time_s, step.tau});
  out.write_array("/x", x);
  out.write_array("/potential_V", potential);
  out.write_array("/damage", damage_at_nodes(mesh, state.damage));
  out.write_array("/displacement_um", u);
  out.write_array("/hydrostatic_MPa", pressure);
  out.close();
  publish(folder / name);
}

void write_element_results(const fs::path& folder, const ElementModel& model, H5File& out) {
  write_mesh(model.mesh, out);
  const auto files = frames_in(folder);
  std::array<std::vector<double>, std::size(frame_facts)> facts;
  for (const auto& file : files) {
    const auto one = H5File::open(file).read_array<double>("/facts");
    for (std::size_t k = 0; k < facts.size(); ++k) facts[k].push_back(one.at(k));
  }
  for (std::size_t k = 0; k < facts.size(); ++k) out.write_array(std::string("/frames/") + frame_facts[k], facts[k]);
  const auto nodes = static_cast<std::int64_t>(model.mesh.nodes.size()),
             cells = static_cast<std::int64_t>(model.mesh.tets.size());
  for (const auto& f : frame_fields) {
    write_field(files, f, width_of(f, nodes, cells), out);
    out.set_attribute(std::string("/frames/") + f.name, "unit", f.unit);
  }
}

std::size_t write_frames_vtk(const fs::path& h5, const fs::path& folder, Progress& progress) {
  const auto in = H5File::open(h5);
  if (!in.contains("/frames/x"))
    fail(Exit::no_input, "{}: there is no mesh in a run with model: network; `--format csv` copies its tables",
         h5.string());
  const fem::Mesh mesh = read_mesh(in);
  const auto times = in.read_array<double>("/frames/time_s");
  progress.begin("export fields", times.size());
  std::string list =
      "<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"0.1\" "
      "byte_order=\"LittleEndian\">\n<Collection>\n";
  for (std::size_t k = 0; k < times.size(); ++k) {
    std::vector<fem::NamedField> nodes, cells;
    for (const auto& f : frame_fields) {
      const auto width =
          width_of(f, static_cast<std::int64_t>(mesh.nodes.size()), static_cast<std::int64_t>(mesh.tets.size()));
      const auto source = in.grid<double>(std::string("/frames/") + f.name);
      if (source.shape[1] != static_cast<std::int64_t>(times.size()) || source.shape[2] != width)
        fail(Exit::data, "{}: /frames/{} does not fit the mesh", h5.string(), f.name);
      std::vector<double> values(at(width));
      const auto row = static_cast<std::int64_t>(k);
      source.read({{0, row, 0}, {1, row + 1, width}}, values.data());
      if (std::isnan(values.front())) continue;  // a moment at which displacement was not needed
      (f.of_cells ? cells : nodes).push_back({f.name, std::move(values), f.components});
    }
    const auto name = fmt::format("chemomechanics_{:04}.vtu", k);
    fem::write_vtu(folder / name, mesh, nodes, cells);
    list += fmt::format("<DataSet timestep=\"{}\" part=\"0\" file=\"{}\"/>\n", times[k], name);
    progress.advance(1);
    progress.check_stop();
  }
  write_atomically(folder / "chemomechanics.pvd", list + "</Collection>\n</VTKFile>\n");
  return times.size();
}

}  // namespace cathoscope
