#include <cathoscope/figures/figures.hpp>

#include "gnuplot.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace cathoscope {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr double patience_seconds = 300;

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", path.string(), text.size());
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

struct Drawn {
  std::vector<std::string> files;
  std::string note;
};

/// The picture as gnuplot left it; a PDF with its date fixed.
void check_picture(const fs::path& path, const std::string& format) {
  std::error_code none;
  const auto size = fs::file_size(path, none);
  if (none || size == 0) {
    constexpr std::uintmax_t a_picture = 64 << 10;
    const bool full = fs::space(path.parent_path(), none).available < a_picture;
    fail(full ? Exit::write_error : Exit::internal, "{} is not there or empty, though gnuplot ended well{}",
         path.string(), full ? ": the disk is full" : "");
  }
  if (format != "pdf") return;
  std::string pdf = read_text(path);
  fix_pdf_date(pdf);
  write(path, pdf);
}

/// What gnuplot said, without what is meant: a series with nothing in it.
std::string remarkable(const std::string& said) {
  std::istringstream lines(said);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    if (line.find("Skipping data file with no valid points") == std::string::npos && !line.empty())
      result += (result.empty() ? "" : "; ") + line;
  return result;
}

Drawn drawn(const Figure& figure, const std::vector<std::string>& formats, const fs::path& folder,
            const Context& context) {
  Drawn result;
  const auto add = [&](const std::string& name, const std::string& content) {
    write(folder / name, content);
    result.files.push_back(name);
  };
  add(figure.name + ".csv", figure.csv);
  for (const auto& file : figure.more) add(file.name, file.content);
  add(figure.name + ".gp", script_text(figure, formats));
  result.note =
      remarkable(run_gnuplot(folder, figure.name + ".gp", patience_seconds, [&] { context.progress.check_stop(); }));
  for (const auto& format : formats) {
    check_picture(folder / (figure.name + "." + format), format);
    result.files.push_back(figure.name + "." + format);
  }
  return result;
}

Json json_of(const Figure& figure, const Drawn& drawn) {
  return {{"name", figure.name},           {"title", figure.title},       {"caption", figure.caption},
          {"synthetic", figure.synthetic}, {"width_mm", figure.width_mm}, {"height_mm", figure.height_mm},
          {"files", drawn.files}};
}

}  // namespace

FigureResult figure_of(const Drawer& drawer, const StudyResults& results) {
  try {
    FigureResult result = drawer.draw(results);
    std::visit(
        [&](auto& r) {
          r.name = drawer.name;
          r.title = drawer.title;
        },
        result);
    return result;
  } catch (const Error& error) {
    if (error.exit() != Exit::no_input) throw;
    return MissingFigure{drawer.name, drawer.title, error.what()};
  }
}

DrawnFigures draw_figures(const StudyResults& results, const fs::path& folder, const Context& context) {
  std::vector<Drawer> wanted;
  for (const auto& d : drawers())
    if (contains(results.settings.which, "all") || contains(results.settings.which, d.name)) wanted.push_back(d);
  context.progress.begin("figures", wanted.size());
  write(folder / "style.gp", style_text());
  std::vector<FigureResult> made(wanted.size());
  std::vector<Drawn> files(wanted.size());
  parallel_for(static_cast<std::int64_t>(wanted.size()), context.threads, [&](std::int64_t item) {
    const auto i = static_cast<std::size_t>(item);
    made[i] = figure_of(wanted[i], results);
    if (const auto* figure = std::get_if<Figure>(&made[i]))
      files[i] = drawn(*figure, results.settings.formats, folder, context);
    context.progress.advance();
  });
  DrawnFigures all{{"style.gp"}, {}, {}, {}};
  Json json{{"figures", Json::array()}, {"missing", Json::array()}};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (const auto* figure = std::get_if<Figure>(&made[i])) {
      json["figures"].push_back(json_of(*figure, files[i]));
      all.files.insert(all.files.end(), files[i].files.begin(), files[i].files.end());
      if (!files[i].note.empty()) all.notes.push_back(figure->name + ": " + files[i].note);
      continue;
    }
    const auto& missing = std::get<MissingFigure>(made[i]);
    json["missing"].push_back({{"name", missing.name}, {"title", missing.title}, {"why", missing.why}});
    all.missing.push_back(missing);
  }
  all.json = json.dump(2) + "\n";
  return all;
}

}  // namespace cathoscope
