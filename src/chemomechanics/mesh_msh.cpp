/// Gmsh's text format 4.1, as much of it as a mesh of linear tetrahedra needs.
#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

namespace cathoscope::fem {

namespace {

constexpr double micrometre = 1e-6;

/// Words of the text, with the line they stand on.
class Words {
 public:
  Words(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] std::size_t left() const { return text_.size() - at_; }

  template <class... Args>
  [[noreturn]] void wrong(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Exit::data, "{}:{}: {}", name_, line_, fmt::format(format, std::forward<Args>(args)...));
  }

  std::string_view word() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// Up to the closing quotation mark.
  std::string_view quoted() {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '"') wrong("expected a name in quotation marks");
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') ++at_;
    if (at_ >= text_.size() || text_[at_] != '"') wrong("a name has no closing quotation mark");
    return text_.substr(begin, at_++ - begin);
  }

  std::int64_t integer(const char* what, std::int64_t low, std::int64_t high) {
    const auto w = word();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), value);
    if (w.empty() || error != std::errc() || end != w.data() + w.size())
      wrong("expected {}, a whole number, not '{}'", what, w.substr(0, 40));
    if (value < low || value > high) wrong("{} is {}, allowed are {} to {}", what, value, low, high);
    return value;
  }

  double number(const char* what) {
    const auto w = word();
    const auto value = number_from(w);
    if (!value || !std::isfinite(*value)) wrong("expected {}, a number, not '{}'", what, w.substr(0, 40));
    return *value;
  }

  /// A count of things that each take at least `bytes` of the text that is left.
  std::int64_t count(const char* what, std::size_t bytes) {
    const auto n = integer(what, 0, std::int64_t{1} << 40);
    if (static_cast<std::size_t>(n) > left() / bytes)
      wrong("{} is {}, but only {} bytes follow: the file is cut short or damaged", what, n, left());
    return n;
  }

  void expect(std::string_view wanted) {
    const auto w = word();
    if (w != wanted) wrong("expected {}, not '{}'", wanted, w.substr(0, 40));
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) line_ += text_[at_++] == '\n' ? 1U : 0U;
  }

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

class MshReader {
 public:
  MshReader(std::string_view text, const std::string& name) : words_(text, name) {}

  Tetrahedra read() {
    for (auto w = words_.word(); !w.empty(); w = words_.word()) section(w);
    if (!format_) words_.wrong("there is no $MeshFormat: this is not a Gmsh mesh");
    if (result_.corners.empty()) words_.wrong("there is no tetrahedron of a physical volume");
    number_particles();
    drop_unused();
    return std::move(result_);
  }

 private:
  void section(std::string_view w) {
    if (w.empty() || w[0] != '$') words_.wrong("expected a section such as $Nodes, not '{}'", w.substr(0, 40));
    if (!format_ && w != "$MeshFormat") words_.wrong("expected $MeshFormat first: this is not a Gmsh mesh");
    if (w == "$MeshFormat") return mesh_format();
    if (w == "$PhysicalNames") return physical_names();
    if (w == "$Entities") return entities();
    if (w == "$Nodes") return nodes();
    if (w == "$Elements") return elements();
    const std::string end = "$End" + std::string(w.substr(1));
    for (auto skipped = words_.word(); skipped != end; skipped = words_.word())
      if (skipped.empty()) words_.wrong("{} has no {}", w, end);
  }

  void mesh_format() {
    const auto version = words_.word();
    if (version != "4.1")
      words_.wrong("version {} of the format; 4.1 is read: save with `gmsh -format msh41`", version);
    if (words_.integer("the file type", 0, 1) != 0) words_.wrong("a binary mesh; save it as text (without -bin)");
    words_.integer("the data size", 4, 8);
    words_.expect("$EndMeshFormat");
    format_ = true;
  }

  void physical_names() {
    const auto n = words_.count("the number of physical names", 4);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto dimension = words_.integer("a dimension", 0, 3);
      const auto tag = words_.integer("a physical tag", -2147483647, 2147483647);
      const auto name = words_.quoted();
      if (dimension == 3) names_[tag] = name;
    }
    words_.expect("$EndPhysicalNames");
  }

  void entities() {
    std::array<std::int64_t, 4> counts{};
    for (auto& c : counts) c = words_.count("the number of entities", 4);
    for (std::size_t d = 0; d < 4; ++d)
      for (std::int64_t i = 0; i < counts[d]; ++i) entity(d);
    words_.expect("$EndEntities");
  }

  void entity(std::size_t dimension) {
    const auto tag = words_.integer("the tag of an entity", -2147483647, 2147483647);
    for (int k = 0; k < (dimension == 0 ? 3 : 6); ++k) words_.number("a bound of an entity");
    const auto physical = words_.count("the number of physical tags", 2);
    for (std::int64_t k = 0; k < physical; ++k) {
      const auto p = words_.integer("a physical tag", -2147483647, 2147483647);
      if (dimension == 3 && k == 0) physical_of_[tag] = p;
    }
    if (dimension == 0) return;
    const auto bounding = words_.count("the number of bounding entities", 2);
    for (std::int64_t k = 0; k < bounding; ++k) words_.integer("a bounding entity", -2147483647, 2147483647);
  }

  void nodes() {
    const auto blocks = words_.count("the number of blocks", 8);
    const auto total = words_.count("the number of nodes", 6);
    words_.integer("the least node", 0, std::int64_t{1} << 40);
    words_.integer("the largest node", 0, std::int64_t{1} << 40);
    if (total > 300'000'000) words_.wrong("{} nodes; at most 3e8 are read", total);
    for (std::int64_t b = 0; b < blocks; ++b) {
      words_.integer("the dimension of a block", 0, 3);
      words_.integer("the entity of a block", -2147483647, 2147483647);
      if (words_.integer("parametric", 0, 1) != 0) words_.wrong("parametric nodes; save without them");
      const auto n = words_.count("the number of nodes of a block", 6);
      std::vector<std::int64_t> tags(static_cast<std::size_t>(n));
      for (auto& t : tags) t = words_.integer("the tag of a node", 0, std::int64_t{1} << 40);
      for (const auto t : tags) {
        if (!node_of_.emplace(t, static_cast<std::int32_t>(result_.vertices.size())).second)
          words_.wrong("node {} occurs twice", t);
        const double x = words_.number("x"), y = words_.number("y"), z = words_.number("z");
        result_.vertices.push_back({x * micrometre, y * micrometre, z * micrometre});
      }
    }
    if (static_cast<std::int64_t>(result_.vertices.size()) != total)
      words_.wrong("{} nodes were announced, {} are there", total, result_.vertices.size());
    words_.expect("$EndNodes");
  }

  void elements() {
    const auto blocks = words_.count("the number of blocks", 8);
    words_.count("the number of elements", 4);
    words_.integer("the least element", 0, std::int64_t{1} << 40);
    words_.integer("the largest element", 0, std::int64_t{1} << 40);
    for (std::int64_t b = 0; b < blocks; ++b) element_block();
    words_.expect("$EndElements");
  }

  void element_block() {
    const auto dimension = words_.integer("the dimension of a block", 0, 3);
    const auto entity = words_.integer("the entity of a block", -2147483647, 2147483647);
    const auto type = words_.integer("the type of element", 1, 200);
    const auto n = words_.count("the number of elements of a block", 4);
    static const std::map<std::int64_t, int> flat{{15, 1}, {1, 2}, {2, 3}, {3, 4}, {8, 3}, {9, 6}, {10, 9}, {16, 8}};
    if (dimension == 3 && type != 4)
      words_.wrong("volume elements of type {}; linear tetrahedra (type 4) are read: mesh with order 1", type);
    if (dimension < 3 && !flat.contains(type)) words_.wrong("elements of type {} are not known", type);
    const int nodes = dimension == 3 ? 4 : flat.at(type);
    for (std::int64_t i = 0; i < n; ++i) {
      words_.integer("the tag of an element", 0, std::int64_t{1} << 40);
      std::array<std::int32_t, 4> tet{};
      for (int k = 0; k < nodes; ++k) {
        const auto tag = words_.integer("a node of an element", 0, std::int64_t{1} << 40);
        if (dimension == 3) tet[static_cast<std::size_t>(k)] = node(tag);
      }
      if (dimension == 3) add(tet, entity);
    }
  }

  std::int32_t node(std::int64_t tag) const {
    const auto found = node_of_.find(tag);
    if (found == node_of_.end()) words_.wrong("an element names node {}, which is not among the nodes", tag);
    return found->second;
  }

  void add(std::array<std::int32_t, 4> tet, std::int64_t entity) {
    const auto physical = physical_of_.find(entity);
    if (physical == physical_of_.end())
      words_.wrong("volume {} has no physical group; name each volume `binder` or `particle...`", entity);
    const auto name = names_.find(physical->second);
    if (name == names_.end())
      words_.wrong("physical group {} has no name; name it `binder` or `particle...`", physical->second);
    if (name->second != "binder" && !name->second.starts_with("particle"))
      words_.wrong("physical group '{}'; volumes are `binder` or `particle...`", name->second);
    const auto p = [&](std::size_t k) { return result_.vertices[static_cast<std::size_t>(tet[k])]; };
    if (dot(p(1) - p(0), cross(p(2) - p(0), p(3) - p(0))) < 0) std::swap(tet[2], tet[3]);
    result_.corners.push_back(tet);
    group_.push_back(name->second == "binder" ? std::nullopt : std::optional(physical->second));
  }

  void number_particles() {
    std::map<std::int64_t, std::int32_t> number;
    for (const auto& g : group_)
      if (g) number[*g] = 0;
    std::int32_t next = 0;
    for (auto& [tag, n] : number) n = next++;
    for (const auto& g : group_) result_.domain.push_back(g ? number[*g] : binder);
  }

  /// Nodes of curves and surfaces that no tetrahedron has.
  void drop_unused() {
    std::vector<std::int32_t> fresh(result_.vertices.size(), -1);
    std::vector<Point> kept;
    for (auto& tet : result_.corners)
      for (auto& v : tet) {
        auto& f = fresh[static_cast<std::size_t>(v)];
        if (f < 0) {
          f = static_cast<std::int32_t>(kept.size());
          kept.push_back(result_.vertices[static_cast<std::size_t>(v)]);
        }
        v = f;
      }
    result_.vertices = std::move(kept);
  }

  Words words_;
  bool format_ = false;
  Tetrahedra result_;
  std::map<std::int64_t, std::string> names_;
  std::map<std::int64_t, std::int64_t> physical_of_;
  std::unordered_map<std::int64_t, std::int32_t> node_of_;
  std::vector<std::optional<std::int64_t>> group_;
};

}  // namespace

Tetrahedra read_msh(std::string_view text, const std::string& name) { return MshReader(text, name).read(); }
Tetrahedra read_msh(const std::filesystem::path& path) { return read_msh(read_text(path), path.string()); }

std::string msh_text(const Tetrahedra& t) {
  const std::int32_t particles = *std::max_element(t.domain.begin(), t.domain.end()) + 1;
  const int groups = particles + 1;
  std::string s =
      "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$PhysicalNames\n" + std::to_string(groups) + "\n3 1 \"binder\"\n";
  for (int p = 0; p < particles; ++p) s += fmt::format("3 {} \"particle_{}\"\n", p + 2, p + 1);
  s += fmt::format("$EndPhysicalNames\n$Entities\n0 0 0 {}\n", groups);
  for (int g = 1; g <= groups; ++g) s += fmt::format("{} 0 0 0 0 0 0 1 {} 0\n", g, g);
  s += fmt::format("$EndEntities\n$Nodes\n1 {0} 1 {0}\n3 1 0 {0}\n", t.vertices.size());
  for (std::size_t i = 0; i < t.vertices.size(); ++i) s += std::to_string(i + 1) + "\n";
  for (const auto& p : t.vertices)
    s += text_of(p.x / micrometre) + " " + text_of(p.y / micrometre) + " " + text_of(p.z / micrometre) + "\n";
  s += fmt::format("$EndNodes\n$Elements\n{} {} 1 {}\n", groups, t.corners.size(), t.corners.size());
  std::size_t tag = 0;
  for (int g = 0; g < groups; ++g) {
    s += fmt::format("3 {} 4 {}\n", g + 1, std::count(t.domain.begin(), t.domain.end(), g - 1));
    for (std::size_t i = 0; i < t.corners.size(); ++i)
      if (t.domain[i] == g - 1)
        s += fmt::format("{} {} {} {} {}\n", ++tag, t.corners[i][0] + 1, t.corners[i][1] + 1, t.corners[i][2] + 1,
                         t.corners[i][3] + 1);
  }
  return s + "$EndElements\n";
}

}  // namespace cathoscope::fem
