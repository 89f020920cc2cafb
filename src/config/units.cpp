#include "units.hpp"

#include <cathoscope/core/text.hpp>

#include <charconv>
#include <map>

namespace cathoscope::configuring {

namespace {

/// `factor` x 10^`exponent` of the base unit of what it measures, to a power: um3 is 10^-18 m^3. The power of ten is
/// apart because a decimal point moves without rounding.
struct Unit {
  char measures = 0;
  int power = 1;
  int exponent = 0;
  double factor = 1;
};

std::optional<Unit> plain_unit(const std::string& name) {
  static const std::map<std::string, Unit> known{
      {"pm", {'m', 1, -12}},        {"\xC3\x85", {'m', 1, -10}},  {"nm", {'m', 1, -9}},
      {"um", {'m', 1, -6}},         {"\xC2\xB5m", {'m', 1, -6}},  {"\xCE\xBCm", {'m', 1, -6}},
      {"micron", {'m', 1, -6}},     {"microns", {'m', 1, -6}},    {"mm", {'m', 1, -3}},
      {"cm", {'m', 1, -2}},         {"m", {'m', 1, 0}},           {"Pa", {'P', 1, 0}},
      {"kPa", {'P', 1, 3}},         {"MPa", {'P', 1, 6}},         {"GPa", {'P', 1, 9}},
      {"ms", {'s', 1, -3}},         {"s", {'s', 1, 0}},           {"min", {'s', 1, 0, 60}},
      {"h", {'s', 1, 0, 3600}},     {"d", {'s', 1, 0, 86400}},    {"KiB", {'B', 1, 0, 0x1p10}},
      {"MiB", {'B', 1, 0, 0x1p20}}, {"GiB", {'B', 1, 0, 0x1p30}}, {"gib", {'B', 1, 0, 0x1p30}},
      {"TiB", {'B', 1, 0, 0x1p40}}};
  const auto found = known.find(name);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// Cuts "2", "^2" or a raised 2 off the end, and says which power that is; 1 where there is none.
int take_power(std::string& name) {
  for (const auto& [ending, power] :
       {std::pair{"^2", 2}, {"^3", 3}, {"\xC2\xB2", 2}, {"\xC2\xB3", 3}, {"2", 2}, {"3", 3}})
    if (name.ends_with(ending)) {
      name.resize(name.size() - std::string(ending).size());
      return power;
    }
  return 1;
}

std::optional<Unit> unit_from(std::string name) {
  while (name.ends_with(' ')) name.pop_back();
  const int power = take_power(name);
  auto unit = plain_unit(name);
  if (!unit || (power > 1 && unit->measures != 'm')) return std::nullopt;
  unit->power = power;
  unit->exponent *= power;
  return unit;
}

/// value x 10^exponent, rounded once: 35 nm are 0.035 um, not 0.035000000000000003.
std::optional<double> shifted(double value, int exponent) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string text(buffer, end);
  const auto e = text.find('e');
  if (e == std::string::npos) return std::nullopt;
  return number_from(text.substr(0, e) + "e" + std::to_string(std::stoi(text.substr(e + 1)) + exponent));
}

}  // namespace

std::string unit_of_key(const std::string& path) {
  const std::string key = path.substr(0, path.ends_with(']') ? path.rfind('[') : std::string::npos);
  const auto underscore = key.rfind('_');
  if (underscore == std::string::npos || key.find('.', underscore) != std::string::npos) return {};
  const std::string unit = key.substr(underscore + 1);
  return unit_from(unit) ? unit : std::string();
}

std::optional<double> converted(const Quantity& quantity, const std::string& unit) {
  const auto from = unit_from(quantity.unit);
  const auto to = unit_from(unit);
  if (!from || !to || from->measures != to->measures || from->power != to->power) return std::nullopt;
  return shifted(quantity.value * from->factor / to->factor, from->exponent - to->exponent);
}

}  // namespace cathoscope::configuring
