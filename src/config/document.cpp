#include "words.hpp"

#include <cathoscope/config/config.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace cathoscope::configuring {

namespace {

using Kind = TypeInfo::Kind;

constexpr std::size_t comment_width = 100;

/// Lines that start with `start`, broken at spaces.
std::string wrapped(const std::string& text, const std::string& start) {
  std::string lines;
  std::string line;
  const auto flush = [&] { lines += start + std::exchange(line, {}) + '\n'; };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find(' ', i), text.size());
    const std::string word = text.substr(i, end - i);
    if (!line.empty() && start.size() + line.size() + 1 + word.size() > comment_width) flush();
    line += (line.empty() ? "" : " ") + word;
    i = end + 1;
  }
  flush();
  return lines;
}

const TypeInfo* record_inside(const TypeInfo& type) {
  if (type.kind == Kind::record) return &type;
  return type.kind == Kind::list ? record_inside(type.element[0]) : nullptr;
}

bool has_required(const TypeInfo& record) {
  return std::any_of(record.fields.begin(), record.fields.end(), [](auto& field) { return field.rule.required; });
}

/// A list of structs without an entry shows one in the template, if an entry needs anything.
bool shows_entry(const FieldInfo& field) {
  return field.type.kind == Kind::list && field.default_value.items.empty() &&
         field.type.element[0].kind == Kind::record && has_required(field.type.element[0]);
}

bool is_plain_record(const FieldInfo& field) { return field.type.kind == Kind::record && !field.type.nullable; }

bool is_spelled_out(const FieldInfo& field) {
  return field.type.kind == Kind::record && (!field.type.nullable || field.rule.spelled_out);
}

/// What stands for a value that only the user knows.
ConfigValue placeholder(const FieldInfo& field) {
  if (!field.rule.example.empty())
    return ConfigValue::scalar(field.rule.example, field.type.kind != Kind::number && field.type.kind != Kind::integer);
  if (!field.rule.choices.empty()) return ConfigValue::scalar(field.rule.choices[0], true);
  if (field.type.kind == Kind::path) return ConfigValue::scalar("path/to/file", true);
  if (field.type.kind == Kind::text) return ConfigValue::scalar("change-me", true);
  return field.default_value;
}

std::string comment_of(const FieldInfo& field) {
  if (is_spelled_out(field) || shows_entry(field)) return field.doc;
  const std::string default_text = field.rule.required ? "required" : "default " + flow_text(field.default_value);
  return fmt::format("{} ({}; {})", field.doc, allowed(field.type, field.rule), default_text);
}

std::string template_lines(const TypeInfo& record, const std::string& indent, bool in_list = false) {
  std::string text;
  std::string dash = in_list ? indent.substr(0, indent.size() - 2) : indent;
  for (const FieldInfo& field : record.fields) {
    if (indent.empty() && !text.empty()) text += '\n';
    // The comment of an entry's first key stands before the dash.
    const std::string start = std::exchange(dash, indent);
    text += wrapped(comment_of(field), start + "# ") + start + (start == indent ? "" : "- ") + field.key + ':';
    if (is_spelled_out(field)) {
      text += '\n' + template_lines(field.type, indent + "  ");
    } else if (shows_entry(field)) {
      text += '\n' + template_lines(field.type.element[0], indent + "    ", true);
    } else {
      text += ' ' + flow_text(field.rule.required ? placeholder(field) : field.default_value) + '\n';
    }
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (c == '|' || c == '*' || c == '`' || c == '\\')
      result += {'\\', c};
    else
      result += c;
  }
  return result;
}

/// Inline code in a table: a bar would end the cell.
std::string code(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return '`' + result + '`';
}

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c >= 'A' && c <= 'Z')
      anchor += static_cast<char>(c + 32);
    else if (c == ' ')
      anchor += '-';
    else if (c == '_' || c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      anchor += c;
  }
  return anchor;
}

std::string path_of(const std::string& path, const FieldInfo& field) {
  return joined(path, field.key) + (field.type.kind == Kind::list ? "[]" : "");
}

std::string type_cell(const FieldInfo& field, const std::string& path) {
  if (record_inside(field.type) == nullptr) return escaped(allowed(field.type, field.rule));
  const std::string section = path_of(path, field);
  const std::string what = field.type.kind == Kind::list ? "a list of maps" : "a map";
  return fmt::format("{}, see [{}](#{}){}", what, section, anchor_of(section), field.type.nullable ? ", or null" : "");
}

std::string default_cell(const FieldInfo& field) {
  if (field.rule.required) return "required";
  return is_plain_record(field) ? "" : code(flow_text(field.default_value));
}

std::string section(const TypeInfo& record, const std::string& path) {
  std::string text = fmt::format("## {}\n\n", path.empty() ? "Top level" : path);
  if (!record.shorthand.empty()) {
    text += fmt::format("The value of `{}` may also stand alone in place of the map.\n\n", record.shorthand);
  }
  text += "| key | type and allowed values | default | meaning |\n|---|---|---|---|\n";
  for (const FieldInfo& field : record.fields) {
    text += fmt::format("| {} | {} | {} | {} |\n", code(field.key), type_cell(field, path), default_cell(field),
                        escaped(field.doc));
  }
  for (const FieldInfo& field : record.fields) {
    if (const TypeInfo* inner = record_inside(field.type)) text += '\n' + section(*inner, path_of(path, field));
  }
  return text;
}

}  // namespace

std::string template_text(const TypeInfo& type, std::string_view title) {
  return wrapped(std::string(title), "# ") + '\n' + template_lines(type, "");
}

std::string markdown_text(const TypeInfo& type) { return section(type, ""); }

}  // namespace cathoscope::configuring
