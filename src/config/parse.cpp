#include "parse.hpp"

#include "characters.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

namespace cathoscope::configuring {

namespace {

constexpr std::size_t most_values = 100'000;  ///< after aliases are followed
constexpr std::size_t deepest = 64;

/// Ends the parse: what follows could not be trusted.
struct Stop {
  Location location;
  std::string message;
};

std::size_t count_of(const ConfigValue& value) {
  std::size_t count = 1;
  for (const auto& item : value.items) count += count_of(item);
  for (const auto& entry : value.entries) count += count_of(entry.second);
  return count;
}

std::size_t depth_of(const ConfigValue& value) {
  std::size_t depth = 0;
  for (const auto& item : value.items) depth = std::max(depth, depth_of(item));
  for (const auto& entry : value.entries) depth = std::max(depth, depth_of(entry.second));
  return depth + 1;
}

/// Builds the tree from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(const SourceText& text, int source, Problems& problems) : text_(text), source_(source), problems_(problems) {}

  ConfigValue root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) stop(mark, "a second document starts here: a configuration is one document, without '---'");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    ConfigValue value = placed(mark);
    // The parser marks the next token for an empty value; the key is where a person would look.
    if (!frames_.empty() && frames_.back().key) {
      value.line = frames_.back().key->line;
      value.column = frames_.back().key->column;
    }
    finish(std::move(value), anchor, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) stop(mark, "this alias stands inside the value that it repeats");
    if (frames_.size() + found->second.depth > deepest) stop(mark, too_deep);
    count(mark, found->second.count);
    finish(found->second.value, 0, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_tag(mark, tag);
    ConfigValue value = placed(mark);
    value.kind = ConfigValue::Kind::scalar;
    value.quoted = tag == "!";
    value.text = text;
    if (value.quoted) check_quotation(mark);
    finish(std::move(value), anchor, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(ConfigValue::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(ConfigValue::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

  /// Where the innermost list or map that is still open starts.
  [[nodiscard]] std::optional<Location> open_container() const {
    if (frames_.empty()) return std::nullopt;
    const ConfigValue& value = frames_.back().value;
    return Location{text_.name(), value.line, value.column};
  }

 private:
  struct Frame {
    ConfigValue value;
    YAML::anchor_t anchor = 0;
    YAML::Mark mark;
    std::optional<ConfigKey> key;
    std::unordered_map<std::string, int> lines;  ///< of the keys so far
  };
  struct Anchored {
    ConfigValue value;
    std::size_t count = 0;
    std::size_t depth = 0;
  };
  static constexpr const char* too_deep = "more than 64 levels of lists and maps";

  [[noreturn]] void stop(const YAML::Mark& mark, const std::string& message) const {
    throw Stop{text_.at(mark.line, mark.column), message};
  }

  ConfigValue placed(const YAML::Mark& mark) const {
    const Location at = text_.at(mark.line, mark.column);
    ConfigValue value;
    value.source = source_;
    value.line = at.line;
    value.column = at.column;
    return value;
  }

  void count(const YAML::Mark& mark, std::size_t n) {
    values_ += n;
    if (values_ > most_values) stop(mark, "more than 100000 values (aliases count as what they repeat)");
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.add_at(text_.at(mark.line, mark.column), "",
                     "YAML tags have no meaning here: remove '" + shown(tag) + "'");
  }

  /// The parser takes the end of the file for the end of a quotation, and folds lines into one.
  void check_quotation(const YAML::Mark& mark) const {
    const std::string_view line = text_.line(mark.line);
    auto i = static_cast<std::size_t>(std::max(mark.column, 0));
    if (i >= line.size() || (line[i] != '"' && line[i] != '\'')) return;
    const char quote = line[i];
    for (++i; i < line.size(); ++i) {
      if (quote == '"' && line[i] == '\\')
        ++i;
      else if (line[i] == quote)
        return;
    }
    stop(mark, std::string("the quotation that starts here is not closed on its line with ") + quote);
  }

  void start(ConfigValue::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    if (frames_.size() >= deepest) stop(mark, too_deep);
    ConfigValue value = placed(mark);
    value.kind = kind;
    frames_.push_back({std::move(value), anchor, mark, std::nullopt, {}});
  }

  void end() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    finish(std::move(frame.value), frame.anchor, frame.mark);
  }

  void finish(ConfigValue value, YAML::anchor_t anchor, const YAML::Mark& mark) {
    count(mark, 1);
    if (anchor != 0) anchored_[anchor] = {value, count_of(value), depth_of(value)};
    if (frames_.empty()) {
      root = std::move(value);
    } else if (frames_.back().value.is_list()) {
      frames_.back().value.items.push_back(std::move(value));
    } else if (!frames_.back().key) {
      take_key(value, mark);
    } else {
      add_entry(std::move(value));
    }
  }

  void take_key(const ConfigValue& value, const YAML::Mark& mark) {
    if (!value.is_scalar()) stop(mark, "a key must be a name");
    const Location at = text_.at(mark.line, mark.column);
    frames_.back().key = ConfigKey{value.text, source_, at.line, at.column};
  }

  void add_entry(ConfigValue value) {
    Frame& frame = frames_.back();
    const ConfigKey key = *std::exchange(frame.key, std::nullopt);
    const Location at{text_.name(), key.line, key.column};
    const auto [first, is_new] = frame.lines.emplace(key.text, key.line);
    if (key.text == "<<" && !value.quoted) {
      problems_.add_at(at, "",
                       "merge keys (<<) are not supported: write the keys out, or repeat a whole value by an alias");
    } else if (is_new) {
      frame.value.entries.emplace_back(key, std::move(value));
    } else {
      problems_.add_at(at, "",
                       fmt::format("duplicate key '{}': the first is in line {}", shown(key.text), first->second));
    }
  }

  const SourceText& text_;
  int source_;
  Problems& problems_;
  int documents_ = 0;
  std::size_t values_ = 0;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchored_;
};

/// The parser's words in ours.
std::string translated(const std::string& message) {
  static const std::map<std::string, std::string> words{
      {YAML::ErrorMsg::MAP_VALUE,
       "a ':' that is not expected here: is the indentation right, or does a text need quotes?"},
      {YAML::ErrorMsg::MAP_KEY, "a key that is not expected here: is the indentation right?"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "a '-' that is not expected here: is the indentation right?"},
      {YAML::ErrorMsg::END_OF_MAP, "expected 'key: value' with the indentation of the keys above"},
      {YAML::ErrorMsg::END_OF_SEQ, "expected '- ' with the indentation of the entries above"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "the list that starts here is not closed with ]"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "the map that starts here is not closed with }"},
      {YAML::ErrorMsg::FLOW_END, "a closing bracket that no opening one matches"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab indents this line: YAML wants spaces"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "this character cannot start a value: put the text in quotes"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "the quotation is not closed"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "an alias of nothing; a text that starts with * needs quotes"},
      {YAML::ErrorMsg::ALIAS_NOT_FOUND, "a text that starts with * needs quotes"},
      {YAML::ErrorMsg::CHAR_IN_ALIAS, "a text that starts with * needs quotes"},
      {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "a text that starts with & needs quotes"},
      {YAML::ErrorMsg::CHAR_IN_ANCHOR, "a text that starts with & needs quotes"},
      {YAML::ErrorMsg::BAD_FILE, "too many levels of lists and maps"},
  };
  const auto found = words.find(message);
  return found == words.end() ? "not YAML: " + message : found->second;
}

void parse_all(const SourceText& text, Builder& builder) {
  std::istringstream stream(text.text());
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
  }
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(i)), 1);
    if (result.size() + length > 60) return result + "...";
    const bool printable = static_cast<unsigned char>(text[i]) >= 0x20 && text[i] != 0x7F;
    result += printable ? text.substr(i, length) : " ";
    i += length;
  }
  return result;
}

std::optional<ConfigValue> parse_yaml(std::string_view bytes, const std::string& name, int source, Problems& problems) {
  const SourceText text(bytes, name);
  if (!text.check(problems)) return std::nullopt;
  Builder builder(text, source, problems);
  try {
    parse_all(text, builder);
    return std::move(builder.root);
  } catch (const Stop& stop) {
    problems.add_at(stop.location, "", stop.message);
  } catch (const YAML::Exception& error) {
    const bool unclosed = error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW;
    const auto open = unclosed ? builder.open_container() : std::nullopt;
    problems.add_at(open.value_or(text.at(error.mark.line, error.mark.column)), "", translated(error.msg));
  }
  return std::nullopt;
}

}  // namespace cathoscope::configuring
