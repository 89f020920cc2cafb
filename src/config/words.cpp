#include "words.hpp"

#include "parse.hpp"
#include "units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace cathoscope::configuring {

namespace {

std::string bounds_text(const Rule& rule) {
  const bool low = std::isfinite(rule.low);
  const bool high = std::isfinite(rule.high);
  if (low && high && !rule.low_open && !rule.high_open) {
    return fmt::format(" from {} to {}", text_of(rule.low), text_of(rule.high));
  }
  std::string text;
  if (low) text += fmt::format(" {} {}", rule.low_open ? "above" : "of at least", text_of(rule.low));
  if (low && high) text += " and";
  if (high) text += fmt::format(" {} {}", rule.high_open ? "below" : "of at most", text_of(rule.high));
  return text;
}

Rule with_type_range(const TypeInfo& type, Rule rule) {
  if (type.lowest == 0) rule.low = std::max(rule.low, 0.0);
  return rule;
}

std::string text_words(const Rule& rule) {
  if (!rule.choices.empty())
    return fmt::format("{}{}", rule.choices.size() > 1 ? "one of " : "", fmt::join(rule.choices, ", "));
  if (!rule.pattern.empty()) return "a text that matches " + rule.pattern;
  return "a text";
}

std::string list_words(const TypeInfo& type, const Rule& rule) {
  std::string text = type.length > 0 ? fmt::format("a list of {}", type.length) : "a list";
  if (rule.not_empty) text += " that is not empty";
  if (rule.unique) text += " without repetitions";
  return text + ", each " + allowed(type.element[0], rule);
}

std::string record_words(const TypeInfo& type) {
  std::vector<std::string> keys;
  for (const FieldInfo& field : type.fields) keys.push_back(field.key);
  const std::string map = fmt::format("a map with keys out of {}", fmt::join(keys, ", "));
  return type.shorthand.empty() ? map : map + fmt::format(" (or the value of {} alone)", type.shorthand);
}

std::string plain_words(const TypeInfo& type, const Rule& rule) {
  switch (type.kind) {
    case TypeInfo::Kind::boolean: return "true or false";
    case TypeInfo::Kind::integer: return "a whole number" + bounds_text(with_type_range(type, rule));
    case TypeInfo::Kind::number: return "a number" + bounds_text(rule);
    case TypeInfo::Kind::text: return text_words(rule);
    case TypeInfo::Kind::path: return "a path";
    case TypeInfo::Kind::voxel_size: return "a number" + bounds_text(rule) + ", or a list [z, y, x] of such numbers";
    case TypeInfo::Kind::list: return list_words(type, rule);
    case TypeInfo::Kind::record: return record_words(type);
  }
  return {};
}

/// `text` as a number once everything in `removed` is taken out.
std::optional<double> number_without(std::string_view text, std::string_view removed) {
  std::string rest;
  std::copy_if(text.begin(), text.end(), std::back_inserter(rest),
               [&](char c) { return removed.find(c) == std::string_view::npos; });
  return number_from(rest);
}

std::optional<double> with_point(std::string text) {
  const auto comma = text.find(',');
  if (comma == std::string::npos) return std::nullopt;
  text[comma] = '.';
  return number_from(text);
}

/// The number before a unit, and the unit: "5um", "5 um", "20%".
std::optional<Quantity> before_unit(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || !std::isfinite(value)) return std::nullopt;
  const std::string_view rest(result.ptr, static_cast<std::size_t>(text.data() + text.size() - result.ptr));
  const auto unit = rest.find_first_not_of(' ');
  if (unit == std::string_view::npos) return std::nullopt;
  const auto first = static_cast<unsigned char>(rest[unit]);
  const bool is_unit = std::isalpha(first) || first == '%' || first >= 0x80;
  return is_unit ? std::optional(Quantity{value, std::string(rest.substr(unit))}) : std::nullopt;
}

std::optional<double> hexadecimal(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0o")) return std::nullopt;
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data() + 2, text.data() + text.size(), value, text[1] == 'x' ? 16 : 8);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(value);
}

bool usable(std::optional<double> value, bool whole) {
  return value && std::isfinite(*value) && (!whole || (*value == std::trunc(*value) && std::abs(*value) < 0x1p53));
}

std::string written(double value, bool whole) {
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : text_of(value);
}

/// What to write for "50 nm": 0.05 for a key that ends in _um. No number where it could be a wrong one.
std::string unit_hint(const Quantity& quantity, bool whole, const std::string& path) {
  const std::string unit = unit_of_key(path);
  if (unit.empty()) return "; write a number without a unit";
  const auto value = converted(quantity, unit);
  if (!usable(value, whole))
    return fmt::format("; the unit is part of the key's name: write the number alone, in {}", unit);
  return "; the unit is part of the key's name: write " + written(*value, whole);
}

bool looks_plain(const std::string& text) {
  static constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
  static constexpr std::string_view further = "0123456789.-";
  if (text.empty() || first.find(text[0]) == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return first.find(c) != std::string_view::npos || further.find(c) != std::string_view::npos;
  });
}

/// Words that some YAML reader takes for something else than text.
bool is_special(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  static constexpr std::array<std::string_view, 12> words{"null", "true", "false", "yes", "no",  "on",
                                                          "off",  "y",    "n",     "nan", "inf", "infinity"};
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string in_quotes(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (byte < 0x20 || byte == 0x7F)
      result += fmt::format("\\x{:02X}", byte);
    else
      result += c;
  }
  return result + '"';
}

/// Some YAML readers take 1e-05 for text, but not 1.0e-05.
std::string with_fraction(const std::string& number) {
  const auto exponent = number.find('e');
  const bool is_number = number.find_first_of("0123456789") <= 1;
  if (!is_number || exponent == std::string::npos || number.find('.') != std::string::npos) return number;
  return number.substr(0, exponent) + ".0" + number.substr(exponent);
}

}  // namespace

std::string allowed(const TypeInfo& type, const Rule& rule) {
  std::string text = plain_words(type, rule);
  if (type.automatic) text += ", or auto";
  if (type.nullable) text += ", or null";
  return text;
}

std::string what_is(const ConfigValue& value) {
  switch (value.kind) {
    case ConfigValue::Kind::null: return "empty (null)";
    case ConfigValue::Kind::scalar: return fmt::format("'{}'", shown(value.text));
    case ConfigValue::Kind::list: return fmt::format("a list of {}", value.items.size());
    case ConfigValue::Kind::map: return "a map";
  }
  return {};
}

std::string number_hint(const ConfigValue& value, bool whole, const std::string& path) {
  if (!value.is_scalar()) return {};
  const std::string& text = value.text;
  const auto itself = number_from(text);
  if (itself && !std::isfinite(*itself)) return "; it must be finite";
  if (text == ".nan" || text == ".NaN" || text == ".NAN" || text.ends_with(".inf")) return "; it must be finite";
  if (value.quoted && usable(itself, whole)) return "; remove the quotes";
  if (usable(itself, whole)) return fmt::format("; write {}", written(*itself, whole));
  if (const auto number = with_point(text); usable(number, whole))
    return "; write " + text_of(*number) + ", with a point";
  if (const auto number = hexadecimal(text); usable(number, whole))
    return fmt::format("; write {}", written(*number, whole));
  if (const auto quantity = before_unit(text)) return unit_hint(*quantity, whole, path);
  if (const auto number = number_without(text, "_' "); usable(number, whole))
    return fmt::format("; write {}", written(*number, whole));
  return {};
}

std::string boolean_hint(const ConfigValue& value) {
  if (!value.is_scalar()) return {};
  std::string text = value.text;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (text == "true" || text == "yes" || text == "on" || text == "y" || text == "1") return "; write true";
  if (text == "false" || text == "no" || text == "off" || text == "n" || text == "0") return "; write false";
  return {};
}

std::string scalar_text(const ConfigValue& value) {
  if (!value.quoted) return with_fraction(value.text);
  if (looks_plain(value.text) && !is_special(value.text)) return value.text;
  return in_quotes(value.text);
}

std::string flow_text(const ConfigValue& value) {
  if (value.is_null()) return "null";
  if (value.is_scalar()) return scalar_text(value);
  std::vector<std::string> parts;
  for (const auto& item : value.items) parts.push_back(flow_text(item));
  for (const auto& [key, entry] : value.entries) parts.push_back(key.text + ": " + flow_text(entry));
  return fmt::format("{}{}{}", value.is_map() ? '{' : '[', fmt::join(parts, ", "), value.is_map() ? '}' : ']');
}

}  // namespace cathoscope::configuring
