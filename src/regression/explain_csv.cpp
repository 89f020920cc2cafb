#include "csv_rows.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/regression.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>

namespace cathoscope {

namespace {

/// A file that is written piece by piece and appears under its name only when it is whole.
class GrowingFile {
 public:
  explicit GrowingFile(std::filesystem::path path)
      : path_(std::move(path)), out_(partial_name(path_), std::ios::binary | std::ios::trunc) {
    if (!out_) fail(Exit::cannot_create, "{}: cannot be created: {}", path_.string(), std::strerror(errno));
  }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile() {
    std::error_code ignored;
    if (!done_) std::filesystem::remove(partial_name(path_), ignored);
  }
  void append(const std::string& text) {
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!out_) fail(Exit::write_error, "{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }
  void finish() {
    out_.close();
    if (!out_) fail(Exit::write_error, "{}: cannot be closed: {}", path_.string(), std::strerror(errno));
    publish(path_);
    done_ = true;
  }

 private:
  std::filesystem::path path_;
  std::ofstream out_;
  bool done_ = false;
};

void append_number(std::string& out, double value) {
  char buffer[40];
  const auto r = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, r.ptr);
}

std::string quoted(const std::string& name) {
  Table one;
  one.columns.emplace_back();
  one.columns.front().name = name;
  std::string text = csv_text(one);
  text.pop_back();
  return text;
}

std::string values_header(const std::vector<std::string>& names) {
  std::string text = "row";
  for (const std::string& name : names) text.append(",").append(quoted(name));
  return text + ",expected_value,prediction\n";
}

std::string pairs_header(const std::vector<std::string>& names) {
  std::string text = "row";
  for (std::size_t a = 0; a < names.size(); ++a)
    for (std::size_t b = a; b < names.size(); ++b)
      text.append(",").append(quoted(fmt::format("{}:{}", names[a], names[b])));
  return text + "\n";
}

/// Places of the forest's features among the columns, by name, then by the other spellings.
std::vector<std::size_t> places_of(const std::vector<std::string>& features, const CsvRows& csv) {
  const auto& header = csv.header();
  std::vector<std::size_t> places;
  for (const std::string& feature : features) {
    auto found = std::find(header.begin(), header.end(), feature);
    if (found == header.end())
      found = std::find_if(header.begin(), header.end(), [&](const std::string& name) {
        return canonical_attribute_name(name) == canonical_attribute_name(feature);
      });
    if (found == header.end()) {
      const auto near = nearest_name(feature, header);
      fail(Exit::data, "{}: no column '{}', which the forest needs{}", csv.file(), feature,
           near ? fmt::format("; the nearest is '{}'", *near) : "");
    }
    places.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return places;
}

/// Rows of a piece of the file. Those with a gap that the forest cannot fill are not explained.
struct ParsedRows {
  FeatureRows complete;
  std::vector<bool> has_gap;  ///< [record]
  std::size_t gaps = 0;
  std::size_t filled = 0;
  std::size_t first_gap_line = 0;
};

ParsedRows parsed_rows(const CsvRows& csv, const std::vector<std::size_t>& places, const std::vector<double>& fill,
                       const CsvRecord* records, std::size_t count) {
  ParsedRows rows{{0, places.size(), {}}, {}, 0, 0, 0};
  rows.complete.values.reserve(count * places.size());
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < count; ++i) {
    csv.split(records[i], fields);
    const std::size_t before = rows.complete.values.size();
    bool missing = false;
    for (std::size_t f = 0; f < places.size(); ++f) {
      float value = csv.value(records[i], fields, places[f]);
      missing = missing || std::isnan(value);
      if (std::isnan(value) && !fill.empty()) value = static_cast<float>(fill[f]);
      rows.complete.values.push_back(value);
    }
    const bool gap = missing && fill.empty();
    rows.filled += missing && !gap ? 1 : 0;
    rows.has_gap.push_back(gap);
    if (gap) rows.complete.values.resize(before);
    if (gap && rows.gaps++ == 0) rows.first_gap_line = records[i].line;
  }
  rows.complete.rows = count - rows.gaps;
  return rows;
}

FeatureRows all_rows(const std::filesystem::path& path, const Forest& forest) {
  CsvRows csv(path);
  const auto places = places_of(forest.feature_names, csv);
  FeatureRows all{0, forest.feature_names.size(), {}};
  for (CsvBlock block; csv.next(block);) {
    const ParsedRows rows = parsed_rows(csv, places, forest.gap_fill, block.records.data(), block.records.size());
    if (rows.gaps > 0)
      fail(Exit::data, "{}:{}: a value is missing; a background row needs all that the forest uses", csv.file(),
           rows.first_gap_line);
    all.values.insert(all.values.end(), rows.complete.values.begin(), rows.complete.values.end());
    all.rows += rows.complete.rows;
  }
  return all;
}

/// One piece of a block: explained and written out as text.
struct Piece {
  std::string values;
  std::string pairs;
  std::size_t gaps = 0;
  std::size_t filled = 0;
  std::size_t first_gap_line = 0;
};

/// A row number and the row's numbers; where the row has a gap, as many empty fields.
void append_row(std::string& out, std::size_t row, const double* numbers, std::size_t count) {
  out += std::to_string(row);
  for (std::size_t k = 0; k < count; ++k) {
    out += ',';
    if (numbers != nullptr) append_number(out, numbers[k]);
  }
  out += '\n';
}

Piece explained_piece(const Explainer& explainer, const ParsedRows& rows, std::size_t first_row, bool with_pairs) {
  const std::size_t m = rows.complete.features, n = rows.complete.rows, width = m + 2;
  Piece piece{{}, {}, rows.gaps, rows.filled, rows.first_gap_line};
  std::vector<double> phi(n * m), prediction(n), line(width), upper(with_pairs ? n * explainer.pairs() : 0);
  explainer.explain(rows.complete.values.data(), n, phi.data(), prediction.data());
  if (with_pairs) explainer.interactions(rows.complete.values.data(), n, upper.data());
  std::size_t i = 0;
  for (std::size_t record = 0; record < rows.has_gap.size(); ++record) {
    const bool gap = rows.has_gap[record];
    if (!gap) {
      std::copy_n(phi.begin() + static_cast<std::ptrdiff_t>(i * m), m, line.begin());
      line[m] = explainer.expected_value();
      line[m + 1] = prediction[i];
    }
    append_row(piece.values, first_row + record, gap ? nullptr : line.data(), width);
    if (with_pairs)
      append_row(piece.pairs, first_row + record, gap ? nullptr : upper.data() + i * explainer.pairs(),
                 explainer.pairs());
    i += gap ? 0 : 1;
  }
  return piece;
}

constexpr std::size_t rows_a_piece = 512;

}  // namespace

ExplainReport explain_csv(const ExplainFiles& files, const Context& context) {
  const Forest forest = forest_from_json(read_text(files.forest));
  std::optional<FeatureRows> background;
  if (files.background) background = all_rows(*files.background, forest);
  ShapOptions options;
  options.interactions = files.interactions.has_value();
  options.background = background ? &*background : nullptr;
  const Explainer explainer(forest, options, context.threads);

  CsvRows csv(files.table);
  const auto places = places_of(forest.feature_names, csv);
  GrowingFile values(files.output);
  std::optional<GrowingFile> pairs;
  if (files.interactions) pairs.emplace(*files.interactions);
  values.append(values_header(forest.feature_names));
  if (pairs) pairs->append(pairs_header(forest.feature_names));

  context.progress.begin("explain", std::filesystem::file_size(files.table));
  ExplainReport report;
  report.expected_value = explainer.expected_value();
  report.trees_in_tables = explainer.trees_in_tables();
  for (CsvBlock block; csv.next(block); report.rows += block.records.size()) {
    std::vector<Piece> pieces((block.records.size() + rows_a_piece - 1) / rows_a_piece);
    parallel_for(static_cast<std::int64_t>(pieces.size()), context.threads, [&](std::int64_t p) {
      const std::size_t first = static_cast<std::size_t>(p) * rows_a_piece;
      const std::size_t count = std::min(rows_a_piece, block.records.size() - first);
      const ParsedRows rows = parsed_rows(csv, places, forest.gap_fill, block.records.data() + first, count);
      pieces[static_cast<std::size_t>(p)] = explained_piece(explainer, rows, report.rows + first, pairs.has_value());
    });
    for (const Piece& piece : pieces) {
      if (report.rows_with_gaps == 0) report.first_gap_line = piece.first_gap_line;
      report.rows_with_gaps += piece.gaps;
      report.rows_filled += piece.filled;
      values.append(piece.values);
      if (pairs) pairs->append(piece.pairs);
    }
    context.progress.advance(block.text.size());
  }
  values.finish();
  if (pairs) pairs->finish();
  if (report.rows_with_gaps > 0)
    context.progress.warn(
        fmt::format("{}: {} of {} rows lack a value that the forest needs, the first in line {}; their "
                    "fields are left empty",
                    csv.file(), report.rows_with_gaps, report.rows, report.first_gap_line));
  return report;
}

}  // namespace cathoscope
