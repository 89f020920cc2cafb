#pragma once
/// The figures of a study: each from files of the run folder to a table, a gnuplot script and the pictures it draws.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/figures/config.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace cathoscope {

/// A file that goes beside a figure.
struct FigureFile {
  std::string name;
  std::string content;
};

/// A figure that can be drawn.
struct Figure {
  std::string name;     ///< fig4c: stem of its files
  std::string title;    ///< a few words
  std::string caption;  ///< plain words: what is drawn, n, what intervals are, where the numbers come from
  double width_mm = 85;
  double height_mm = 60;
  std::string csv;  ///< text of NAME.csv, full precision; what the figure draws and no more
  /// gnuplot commands that read NAME.csv. They run inside `set multiplot` (place panels with margins `at screen`; do not
  /// set it again) with the styles of style.gp; terminal and output are the runner's. Texts that a user can choose
  /// must have passed plot_text() (figures/script.hpp).
  std::string script;
  bool synthetic = false;             ///< drawn with a watermark
  std::vector<FigureFile> more = {};  ///< further data that the script reads
};

/// A figure that cannot be drawn, and why.
struct MissingFigure {
  std::string name;
  std::string title;
  std::string why;
};

using FigureResult = std::variant<Figure, MissingFigure>;

/// An electrode as the figures see it.
struct ElectrodeResults {
  std::string name;
  std::filesystem::path folder;  ///< OUT/<name>
  std::string synthetic;         ///< how it was made; empty where it was measured
  bool two_dimensional = false;
  bool is_table = false;  ///< given as a table: there is no volume
  std::string target = "Damage";
  std::filesystem::path table;  ///< CSV of its particles by the profile of inference
};

/// The results of a run, on disk.
struct StudyResults {
  std::filesystem::path folder;
  std::vector<ElectrodeResults> electrodes;  ///< the first is what others are compared with
  /// Stages whose results are not there, or are of other settings, and why: stage, or electrode/stage.
  std::map<std::string, std::string> unusable;
  FiguresConfig settings;

  [[nodiscard]] bool synthetic() const {
    for (const auto& e : electrodes)
      if (!e.synthetic.empty()) return true;
    return false;
  }
};

/// One row of the list of figures. `draw` throws Error{no_input} where something that it needs is not there.
struct Drawer {
  std::string name;
  std::string title;
  FigureResult (*draw)(const StudyResults&);
};

/// Every figure, in the order of figure_names().
const std::vector<Drawer>& drawers();

/// The figure, or why it is missing. Other errors than absent inputs pass through.
FigureResult figure_of(const Drawer& drawer, const StudyResults& results);

/// What was drawn.
struct DrawnFigures {
  std::vector<std::string> files;  ///< names in `folder`; figures.json is not among them
  std::vector<MissingFigure> missing;
  std::vector<std::string> notes;  ///< what gnuplot said
  std::string json;                ///< text of figures.json
};

/// Draws the figures that results.settings names into `folder`, which is there and empty: NAME.csv, NAME.gp and NAME.svg
/// and NAME.pdf of each, and style.gp, which all of them load. Equal results give equal bytes.
/// Throws Error{unavailable} where gnuplot is not installed, Error{internal} with its message where it fails,
/// Error{write_error} where the disk is full.
DrawnFigures draw_figures(const StudyResults& results, const std::filesystem::path& folder, const Context& context);

}  // namespace cathoscope
