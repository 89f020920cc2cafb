#pragma once
/// Where the texts of a drawn SVG stand, so that a test can say that none is cut off and none covers another.

#include <algorithm>
#include <array>
#include <cmath>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A text and the rectangle around it, in the picture's units from its upper left corner.
struct DrawnText {
  std::string text;
  double size = 0;  ///< of its letters
  double left = 0, right = 0, top = 0, bottom = 0;
};

struct DrawnPicture {
  double width = 0, height = 0;
  std::vector<DrawnText> texts;
};

/// Width in Arial over the size of the letters, to a few per cent: its digits are 0.556 wide, a full stop half of that.
inline double letters_width(std::string_view text) {
  double width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;
    if (std::string_view("fijlrt .,:;'|()-").find(c) != std::string_view::npos)
      width += 0.28;
    else if (std::string_view("mwMW").find(c) != std::string_view::npos)
      width += 0.8;
    else
      width += c >= 'A' && c <= 'Z' ? 0.67 : 0.55;
  }
  return width;
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// The letters of a <text>, without marks for super- and subscripts.
inline std::string letters_of(const std::string& element) {
  std::string text = std::regex_replace(element, std::regex("<[^>]*>"), "");
  for (const auto& [code, letter] : {std::pair{"&lt;", "<"}, std::pair{"&gt;", ">"}, std::pair{"&amp;", "&"}})
    text = replaced(text, code, letter);
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Texts of a picture of gnuplot's terminal svg.
inline DrawnPicture drawn_picture(const std::string& svg) {
  DrawnPicture picture;
  std::smatch box;
  if (std::regex_search(svg, box, std::regex(R"re(viewBox="0 0 ([0-9.]+) ([0-9.]+)")re"))) {
    picture.width = std::stod(box[1]);
    picture.height = std::stod(box[2]);
  }
  static const std::regex group(
      R"re(<g transform="translate\(([-0-9.]+),([-0-9.]+)\)(?: rotate\(([-0-9.]+)\))?"[^>]*font-size="([0-9.]+)" +text-anchor="([a-z]+)"[^>]*>\s*<text>(.*)</text>)re");
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), group); it != std::sregex_iterator(); ++it) {
    const std::smatch& m = *it;
    DrawnText text{letters_of(m[6]), std::stod(m[4])};
    if (text.text.empty()) continue;
    const double x = std::stod(m[1]), y = std::stod(m[2]), angle = m[3].matched ? std::stod(m[3]) * M_PI / 180 : 0;
    const double width = letters_width(text.text) * text.size;
    const double begin = m[5] == "start" ? 0 : (m[5] == "end" ? -width : -width / 2);
    std::array<double, 4> across{}, down{};
    std::size_t corner = 0;
    for (const double dx : {begin, begin + width})
      for (const double dy : {-0.72 * text.size, 0.2 * text.size}) {  // capitals above the line, tails below
        across[corner] = x + dx * std::cos(angle) - dy * std::sin(angle);
        down[corner++] = y + dx * std::sin(angle) + dy * std::cos(angle);
      }
    text.left = *std::min_element(across.begin(), across.end());
    text.right = *std::max_element(across.begin(), across.end());
    text.top = *std::min_element(down.begin(), down.end());
    text.bottom = *std::max_element(down.begin(), down.end());
    picture.texts.push_back(text);
  }
  return picture;
}

/// Half a unit, 0.13 mm, is what the widths of letters are known to.
inline constexpr double known_to = 0.5;

inline bool inside(const DrawnText& text, const DrawnPicture& picture) {
  return text.left > -known_to && text.top > -known_to && text.right < picture.width + known_to &&
         text.bottom < picture.height + known_to;
}

inline bool covers(const DrawnText& a, const DrawnText& b) {
  return std::min(a.right, b.right) - std::max(a.left, b.left) > known_to &&
         std::min(a.bottom, b.bottom) - std::max(a.top, b.top) > known_to;
}

}  // namespace test
