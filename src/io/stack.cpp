/// Names of slices: natural order, one pattern, no gap, no double.

#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <map>

namespace cathoscope::readers {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A file name taken apart: "rec_0012_a7" has skeleton "rec_#_a#" and numbers "0012", "7".
struct SliceName {
  std::string skeleton;
  std::vector<std::string> numbers;
  std::filesystem::path path;
};

SliceName taken_apart(const std::filesystem::path& path) {
  SliceName name{{}, {}, path};
  const std::string stem = path.stem().string();
  for (std::size_t i = 0; i < stem.size();) {
    if (!is_digit(stem[i])) {
      name.skeleton += stem[i++];
      continue;
    }
    const std::size_t begin = i;
    while (i < stem.size() && is_digit(stem[i])) ++i;
    name.skeleton += '#';
    name.numbers.push_back(stem.substr(begin, i - begin));
  }
  return name;
}

std::uint64_t value_of(const SliceName& name, std::size_t column) {
  const std::string& digits = name.numbers[column];
  if (digits.size() > 18) fail(Exit::data, "{}: the slice number has more than 18 digits", name.path.string());
  std::uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

void require_one_pattern(const std::vector<SliceName>& names) {
  for (const SliceName& name : names)
    if (name.skeleton != names.front().skeleton || name.numbers.empty())
      fail(Exit::data, "{} and {} do not belong to one numbered stack; give a glob that matches the slices only",
           names.front().path.filename().string(),
           (&name == &names.front() ? names.back() : name).path.filename().string());
}

/// Columns of numbers that are not the same in all names.
std::vector<std::size_t> varying_columns(const std::vector<SliceName>& names) {
  std::vector<std::size_t> columns;
  for (std::size_t c = 0; c < names.front().numbers.size(); ++c)
    if (std::any_of(names.begin(), names.end(),
                    [&](const SliceName& n) { return n.numbers[c] != names.front().numbers[c]; }))
      columns.push_back(c);
  return columns;
}

struct Numbered {
  std::uint64_t number;
  const SliceName* name;
};

std::vector<Numbered> by_number(const std::vector<SliceName>& names, std::size_t column) {
  std::vector<Numbered> slices;
  for (const SliceName& n : names) slices.push_back({value_of(n, column), &n});
  std::sort(slices.begin(), slices.end(), [](const Numbered& a, const Numbered& b) {
    return a.number != b.number ? a.number < b.number : natural_less(a.name->path.string(), b.name->path.string());
  });
  return slices;
}

/// The commonest distance between neighbours; 1 where there are fewer than three files.
std::uint64_t step_of(const std::vector<Numbered>& slices) {
  std::map<std::uint64_t, std::size_t> counts;
  for (std::size_t i = 1; i < slices.size(); ++i) ++counts[slices[i].number - slices[i - 1].number];
  if (slices.size() < 3 || counts.empty()) return 1;
  return std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; })->first;
}

bool is_even(const std::vector<Numbered>& slices) {
  const std::uint64_t step = step_of(slices);
  for (std::size_t i = 1; i < slices.size(); ++i)
    if (slices[i].number - slices[i - 1].number != step) return false;
  return step > 0;
}

void require_even(const std::vector<Numbered>& slices) {
  const std::uint64_t step = std::max<std::uint64_t>(1, step_of(slices));
  for (std::size_t i = 1; i < slices.size(); ++i) {
    const auto before = slices[i - 1].name->path.filename().string();
    const auto after = slices[i].name->path.filename().string();
    const std::uint64_t distance = slices[i].number - slices[i - 1].number;
    if (distance == 0) fail(Exit::data, "two files have slice number {}: {} and {}", slices[i].number, before, after);
    if (distance == step) continue;
    if (distance % step != 0 || distance < step)
      fail(Exit::data, "slice numbers go up by {}, but not from {} to {}", step, before, after);
    std::vector<std::string> missing;
    for (std::uint64_t n = slices[i - 1].number + step; n < slices[i].number && missing.size() < 9; n += step)
      missing.push_back(std::to_string(n));
    fail(Exit::data, "slice {} {} missing: {} is followed by {}", distance / step == 2 ? "number" : "numbers",
         listed(missing) + (distance / step == 2 ? " is" : " are"), before, after);
  }
}

/// Which number of the name counts the slices: the only one that varies, or the only one that goes up evenly.
std::size_t counting_column(const std::vector<SliceName>& names) {
  const auto columns = varying_columns(names);
  if (columns.empty()) return names.front().numbers.size() - 1;
  if (columns.size() == 1) return columns.front();
  std::vector<std::size_t> even;
  for (const std::size_t c : columns)
    if (is_even(by_number(names, c))) even.push_back(c);
  if (even.size() != 1)
    fail(Exit::data,
         "{} ... {}: more than one number varies in the names, so the order of the slices is not certain; "
         "give a glob that fixes all but one",
         names.front().path.filename().string(), names.back().path.filename().string());
  return even.front();
}

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) text += ", ...";
  return text;
}

Paths ordered_slices(Paths files, std::vector<std::string>& notes) {
  if (files.size() < 2) return files;
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return natural_less(a.string(), b.string()); });
  std::vector<SliceName> names;
  for (const auto& f : files) names.push_back(taken_apart(f));
  require_one_pattern(names);
  const auto slices = by_number(names, counting_column(names));
  require_even(slices);
  Paths ordered;
  for (const Numbered& s : slices) ordered.push_back(s.name->path);
  const std::uint64_t step = slices[1].number - slices[0].number;
  notes.push_back(fmt::format("{} slices, from {} to {}{}", ordered.size(), ordered.front().filename().string(),
                              ordered.back().filename().string(),
                              step == 1 ? ", none missing" : fmt::format("; their numbers go up by {}", step)));
  return ordered;
}

}  // namespace cathoscope::readers
