#include "encode.hpp"
#include "sections.hpp"

#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace cathoscope::report {

namespace {

namespace fs = std::filesystem;

struct Figure {
  std::string name, title, caption;
  bool synthetic = false;
  std::vector<std::string> files;
  std::string svg;   ///< its content
  std::string data;  ///< how the page carries it; empty: it does not
  bool packed = false;
};

std::string text_of_key(const Json& j, const char* key) {
  return j.contains(key) && j.at(key).is_string() ? j.at(key).get<std::string>() : "";
}

Figure figure_of(const Json& j, const fs::path& folder) {
  Figure f{text_of_key(j, "name"),
           text_of_key(j, "title"),
           text_of_key(j, "caption"),
           j.contains("synthetic") && j.at("synthetic").is_boolean() && j.at("synthetic").get<bool>(),
           {},
           {},
           {}};
  if (j.contains("files") && j.at("files").is_array())
    for (const auto& file : j.at("files"))
      if (file.is_string() && stays_inside(file.get<std::string>())) f.files.push_back(file.get<std::string>());
  for (const auto& file : f.files)
    if (f.svg.empty() && fs::path(file).extension() == ".svg" && fs::exists(folder / file))
      f.svg = read_text(folder / file);
  return f;
}

/// Small figures lie in the page as they are, so that they show without a script; the others are packed, and those for
/// which no room is left are named only. Smallest first.
void place(std::vector<Figure>& figures, std::size_t bytes) {
  std::vector<std::size_t> order(figures.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return figures[a].svg.size() < figures[b].svg.size(); });
  std::size_t left = bytes;
  for (const std::size_t i : order) {
    Figure& f = figures[i];
    if (f.svg.empty()) continue;
    std::string plain = base64(f.svg);
    f.packed = plain.size() > bytes / 20;
    std::string data = f.packed ? base64(deflated(f.svg)) : std::move(plain);
    if (data.size() > left) continue;
    left -= data.size();
    f.data = std::move(data);
  }
}

/// The file to look at where the page does not carry the picture.
std::string picture_file(const Figure& f) {
  for (const char* ending : {".svg", ".pdf"})
    for (const auto& file : f.files)
      if (fs::path(file).extension() == ending) return file;
  return f.files.empty() ? f.name : f.files.front();
}

std::string image_html(const Figure& f) {
  const std::string alt = escaped(f.title.empty() ? f.name : f.title);
  const std::string file = "figures/" + escaped(picture_file(f));
  if (f.data.empty())
    return fmt::format("<p class=\"note\">{}: see {}.</p>",
                       f.svg.empty() ? "Not available as SVG" : "Too large for this page", file);
  if (f.packed)
    return fmt::format(
        "<img alt=\"{}\" data-packed=\"{}\"><noscript><p class=\"note\">This large figure needs "
        "JavaScript; it is also in {}.</p></noscript>",
        alt, f.data, file);
  return fmt::format("<img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">", alt, f.data);
}

/// The files called like the figure, and how many others belong to it.
std::string files_text(const Figure& f) {
  std::string text;
  std::size_t others = 0;
  for (const auto& file : f.files)
    if (fs::path(file).stem() == f.name)
      text += (text.empty() ? "" : ", ") + escaped(file);
    else
      ++others;
  if (others > 0) text += fmt::format("{}{} more", text.empty() ? "" : " and ", others);
  return text.empty() ? "" : "In figures/: " + text + ".";
}

std::string figure_html(const Figure& f) {
  return fmt::format(
      "<figure class=\"figure\" id=\"figure-{}\">{}<figcaption><b>{}</b>{} {} "
      "<small>{}</small></figcaption></figure>\n",
      escaped(f.name), image_html(f), escaped(f.title.empty() ? f.name : f.title),
      f.synthetic ? " <span class=\"tag\">synthetic</span>" : "", escaped(f.caption), files_text(f));
}

std::string missing_html(const Json& list) {
  std::string rows;
  if (list.is_array())
    for (const auto& m : list)
      rows +=
          row_html({escaped(text_of_key(m, "name")), escaped(text_of_key(m, "title")), escaped(text_of_key(m, "why"))});
  if (rows.empty()) return "";
  return "<h3>Figures that are not here, and why</h3><div class=\"scroll\"><table><thead><tr><th>name</th><th>what</th>"
         "<th>why not</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>";
}

}  // namespace

std::string figures_section(const fs::path& folder, std::size_t bytes) {
  const Json list = json_if_there(folder / "figures.json");
  if (!list.is_object())
    return "<p class=\"note\">No figures were drawn in this run: the stage figures did not run, or gnuplot is not "
           "installed.</p>";
  std::vector<Figure> figures;
  if (list.contains("figures") && list.at("figures").is_array())
    for (const auto& j : list.at("figures")) figures.push_back(figure_of(j, folder));
  place(figures, bytes);
  std::string out = "<div class=\"figures\">";
  for (const auto& f : figures) out += figure_html(f);
  return out + "</div>" + missing_html(list.value("missing", Json()));
}

}  // namespace cathoscope::report
