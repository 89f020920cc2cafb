#pragma once
/// From a struct with `fields` to a list of descriptions, and values of it to and from trees. These are the only
/// templates of the module: reading, writing and documentation work on the descriptions.

#include <cathoscope/config/problems.hpp>
#include <cathoscope/config/value.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/text.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace cathoscope {

struct FieldInfo;

/// The type of a key.
struct TypeInfo {
  enum class Kind { boolean, integer, number, text, path, voxel_size, list, record };

  explicit TypeInfo(Kind kind);

  Kind kind;
  bool nullable = false;    ///< null is allowed
  bool automatic = false;   ///< `auto` is allowed
  std::int64_t lowest = 0;  ///< integers: the range of the type
  std::uint64_t highest = 0;
  std::size_t length = 0;         ///< lists: the number of elements, 0 = any
  std::vector<TypeInfo> element;  ///< lists: the one type of the elements
  std::vector<FieldInfo> fields;  ///< records
  std::string shorthand;          ///< records: the key that a bare scalar or list fills
};

struct FieldInfo {
  std::string key;
  std::string doc;
  Rule rule;
  TypeInfo type;
  ConfigValue default_value;
};

inline TypeInfo::TypeInfo(Kind of_kind) : kind(of_kind) {}

namespace describing {

template <class T, template <class...> class Of>
struct IsOf : std::false_type {};
template <template <class...> class Of, class... Args>
struct IsOf<Of<Args...>, Of> : std::true_type {};
template <class T>
concept Optional = IsOf<T, std::optional>::value;
template <class T>
concept Automatic = IsOf<T, Auto>::value;
template <class T>
concept Vector = IsOf<T, std::vector>::value;
template <class T>
struct IsArray : std::false_type {};
template <class T, std::size_t N>
struct IsArray<std::array<T, N>> : std::true_type {};
template <class T>
concept Array = IsArray<T>::value;
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

struct Probe {
  template <class... Args>
  void operator()(Args&&...) {}
};
template <class T>
concept Record = requires(Probe& probe, T& value) { fields(probe, value); };

template <class T>
TypeInfo type_of(const T& value);
template <class T>
ConfigValue tree_of(const T& value);
template <class T>
void assign(T& value, const ConfigValue& tree);
template <class T>
void check_all(Problems& problems, const T& value, const std::string& prefix);

struct Describer {
  TypeInfo& type;
  template <class T>
  void operator()(std::string_view key, T& member, std::string_view doc, Rule rule = {}) {
    type.fields.push_back({std::string(key), std::string(doc), std::move(rule), type_of(member), tree_of(member)});
  }
};

struct Writer {
  ConfigValue& tree;
  template <class T>
  void operator()(std::string_view key, T& member, std::string_view, const Rule& = {}) {
    tree.entries.emplace_back(ConfigKey{.text = std::string(key)}, tree_of(member));
  }
};

struct Assigner {
  const ConfigValue& tree;
  template <class T>
  void operator()(std::string_view key, T& member, std::string_view, const Rule& = {}) {
    if (const ConfigValue* given = tree.find(key)) assign(member, *given);
  }
};

struct Checker {
  Problems& problems;
  const std::string& prefix;
  template <class T>
  void operator()(std::string_view key, T& member, std::string_view, const Rule& = {}) {
    check_all(problems, member, joined(prefix, key));
  }
};

template <class T>
TypeInfo list_of(const T& element, std::size_t length) {
  TypeInfo type(TypeInfo::Kind::list);
  type.length = length;
  type.element.push_back(type_of(element));
  return type;
}

template <class T>
TypeInfo record_of(T value) {
  TypeInfo type(TypeInfo::Kind::record);
  Describer describer{type};
  fields(describer, value);
  if constexpr (requires { T::shorthand; }) type.shorthand = T::shorthand;
  return type;
}

template <class T>
TypeInfo type_of(const T& value) {
  using Kind = TypeInfo::Kind;
  if constexpr (Optional<T>) {
    TypeInfo type = type_of(typename T::value_type{});
    type.nullable = true;
    return type;
  } else if constexpr (Automatic<T>) {
    TypeInfo type = type_of(typename decltype(T::value)::value_type{});
    type.automatic = true;
    return type;
  } else if constexpr (std::same_as<T, bool>) {
    return TypeInfo(Kind::boolean);
  } else if constexpr (Integer<T>) {
    TypeInfo type(Kind::integer);
    type.lowest = std::numeric_limits<T>::min();
    type.highest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    return type;
  } else if constexpr (std::same_as<T, double>) {
    return TypeInfo(Kind::number);
  } else if constexpr (std::same_as<T, std::string>) {
    return TypeInfo(Kind::text);
  } else if constexpr (std::same_as<T, InputPath>) {
    return TypeInfo(Kind::path);
  } else if constexpr (std::same_as<T, VoxelSize>) {
    return TypeInfo(Kind::voxel_size);
  } else if constexpr (Vector<T>) {
    return list_of(typename T::value_type{}, 0);
  } else if constexpr (Array<T>) {
    return list_of(value.front(), value.size());
  } else {
    static_assert(Record<T>, "this member type has no description; see core/fields.hpp");
    return record_of(value);
  }
}

template <class T>
ConfigValue tree_of_items(const T& values) {
  std::vector<ConfigValue> items;
  items.reserve(values.size());
  for (const auto& value : values) items.push_back(tree_of(value));
  return ConfigValue::list(std::move(items));
}

template <class T>
ConfigValue tree_of_record(T value) {
  ConfigValue tree = ConfigValue::map({});
  Writer writer{tree};
  fields(writer, value);
  return tree;
}

template <class T>
ConfigValue tree_of(const T& value) {
  if constexpr (Optional<T>) {
    return value ? tree_of(*value) : ConfigValue{};
  } else if constexpr (Automatic<T>) {
    return value.value ? tree_of(*value.value) : ConfigValue::scalar("auto");
  } else if constexpr (std::same_as<T, bool>) {
    return ConfigValue::scalar(value ? "true" : "false");
  } else if constexpr (Integer<T>) {
    return ConfigValue::scalar(std::to_string(value));
  } else if constexpr (std::same_as<T, double>) {
    return ConfigValue::scalar(text_of(value));
  } else if constexpr (std::same_as<T, std::string>) {
    return ConfigValue::scalar(value, true);
  } else if constexpr (std::same_as<T, InputPath>) {
    ConfigValue tree = ConfigValue::scalar(value.text, true);
    tree.resolved = value.resolved;
    return tree;
  } else if constexpr (std::same_as<T, VoxelSize>) {
    const bool cubic = value.zyx[0] == value.zyx[1] && value.zyx[1] == value.zyx[2];
    return cubic ? tree_of(value.zyx[0]) : tree_of(value.zyx);
  } else if constexpr (Vector<T> || Array<T>) {
    return tree_of_items(value);
  } else {
    return tree_of_record(value);
  }
}

/// Trees reach assign() only after they were checked against the description; anything else is a bug of this module.
template <class T>
T number_of(const ConfigValue& tree) {
  T value{};
  const char* const end = tree.text.data() + tree.text.size();
  const auto result = std::from_chars(tree.text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) fail(Exit::internal, "unchecked number '{}'", tree.text);
  return value;
}

template <class T>
void assign(T& value, const ConfigValue& tree) {
  if constexpr (Optional<T>) {
    value.reset();
    if (!tree.is_null()) assign(value.emplace(), tree);
  } else if constexpr (Automatic<T>) {
    value.value.reset();
    if (tree.text != "auto") assign(value.value.emplace(), tree);
  } else if constexpr (std::same_as<T, bool>) {
    value = tree.text == "true";
  } else if constexpr (Integer<T> || std::same_as<T, double>) {
    value = number_of<T>(tree);
  } else if constexpr (std::same_as<T, std::string>) {
    value = tree.text;
  } else if constexpr (std::same_as<T, InputPath>) {
    value = {tree.text, tree.resolved};
  } else if constexpr (std::same_as<T, VoxelSize>) {
    if (tree.is_list())
      assign(value.zyx, tree);
    else
      value.zyx.fill(number_of<double>(tree));
  } else if constexpr (Vector<T>) {
    value.clear();
    for (const ConfigValue& item : tree.items) assign(value.emplace_back(), item);
  } else if constexpr (Array<T>) {
    for (std::size_t i = 0; i < value.size(); ++i) assign(value[i], tree.items.at(i));
  } else {
    Assigner assigner{tree};
    fields(assigner, value);
  }
}

template <class T>
void check_record(Problems& problems, T value, const std::string& prefix) {
  if constexpr (requires { check(problems, std::as_const(value)); }) {
    problems.enter(prefix);
    check(problems, std::as_const(value));
  }
  Checker checker{problems, prefix};
  fields(checker, value);
}

/// Runs every `check` of the value and of the structs inside it.
template <class T>
void check_all(Problems& problems, const T& value, const std::string& prefix) {
  if constexpr (Optional<T>) {
    if (value) check_all(problems, *value, prefix);
  } else if constexpr (Vector<T> || Array<T>) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if constexpr (!std::is_arithmetic_v<typename T::value_type>) {
        check_all(problems, value[i], prefix + '[' + std::to_string(i) + ']');
      }
    }
  } else if constexpr (Record<T>) {
    check_record(problems, value, prefix);
  }
}

}  // namespace describing
}  // namespace cathoscope
