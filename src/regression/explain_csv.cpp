#include "csv_rows.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/regression.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
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

FeatureRows parsed_rows(const CsvRows& csv, const std::vector<std::size_t>& places, const CsvRecord* records,
                        std::size_t count) {
  FeatureRows rows{count, places.size(), {}};
  rows.values.reserve(count * places.size());
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < count; ++i) {
    csv.split(records[i], fields);
    for (const std::size_t place : places) rows.values.push_back(csv.value(records[i], fields, place));
  }
  return rows;
}

FeatureRows all_rows(const std::filesystem::path& path, const std::vector<std::string>& features) {
  CsvRows csv(path);
  const auto places = places_of(features, csv);
  FeatureRows all{0, features.size(), {}};
  for (CsvBlock block; csv.next(block);) {
    const FeatureRows rows = parsed_rows(csv, places, block.records.data(), block.records.size());
    all.values.insert(all.values.end(), rows.values.begin(), rows.values.end());
    all.rows += rows.rows;
  }
  return all;
}

/// One piece of a block: explained and written out as text.
struct Piece {
  std::string values;
  std::string pairs;
};

Piece explained_piece(const Explainer& explainer, const FeatureRows& rows, std::size_t first_row, bool with_pairs) {
  const std::size_t m = rows.features;
  Piece piece;
  std::vector<double> phi(rows.rows * m), prediction(rows.rows);
  explainer.explain(rows.values.data(), rows.rows, phi.data(), prediction.data());
  const std::string expected = text_of(explainer.expected_value());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    piece.values += std::to_string(first_row + i);
    for (std::size_t f = 0; f < m; ++f) append_number(piece.values += ',', phi[i * m + f]);
    append_number(piece.values.append(",").append(expected) += ',', prediction[i]);
    piece.values += '\n';
  }
  if (!with_pairs) return piece;
  std::vector<double> upper(rows.rows * explainer.pairs());
  explainer.interactions(rows.values.data(), rows.rows, upper.data());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    piece.pairs += std::to_string(first_row + i);
    for (std::size_t k = 0; k < explainer.pairs(); ++k)
      append_number(piece.pairs += ',', upper[i * explainer.pairs() + k]);
    piece.pairs += '\n';
  }
  return piece;
}

constexpr std::size_t rows_a_piece = 512;

}  // namespace

ExplainReport explain_csv(const ExplainFiles& files, const Context& context) {
  const Forest forest = forest_from_json(read_text(files.forest));
  std::optional<FeatureRows> background;
  if (files.background) background = all_rows(*files.background, forest.feature_names);
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
  ExplainReport report{0, explainer.expected_value(), explainer.trees_in_tables()};
  for (CsvBlock block; csv.next(block); report.rows += block.records.size()) {
    std::vector<Piece> pieces((block.records.size() + rows_a_piece - 1) / rows_a_piece);
    parallel_for(static_cast<std::int64_t>(pieces.size()), context.threads, [&](std::int64_t p) {
      const std::size_t first = static_cast<std::size_t>(p) * rows_a_piece;
      const std::size_t count = std::min(rows_a_piece, block.records.size() - first);
      const FeatureRows rows = parsed_rows(csv, places, block.records.data() + first, count);
      pieces[static_cast<std::size_t>(p)] = explained_piece(explainer, rows, report.rows + first, pairs.has_value());
    });
    for (const Piece& piece : pieces) {
      values.append(piece.values);
      if (pairs) pairs->append(piece.pairs);
    }
    context.progress.advance(block.text.size());
  }
  values.finish();
  if (pairs) pairs->finish();
  return report;
}

}  // namespace cathoscope
