#pragma once
/// `about`: what a run's folder says of itself to archives and readers. Nothing of it changes a result.

#include <cathoscope/core/fields.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `about.authors[]`
struct AuthorConfig {
  std::string name;
  std::optional<std::string> orcid;
  std::optional<std::string> affiliation;

  static constexpr std::string_view shorthand = "name";
};

template <class V>
void fields(V& v, AuthorConfig& c) {
  v("name", c.name, "name of a person", required(any_value(), "Ada Lovelace"));
  v("orcid", c.orcid, "ORCID, as in 0000-0002-1825-0097", matching("[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]"));
  v("affiliation", c.affiliation, "where the person works");
}

struct AboutConfig {
  std::optional<std::string> description;
  std::optional<std::string> licence;
  std::vector<AuthorConfig> authors;
};

template <class V>
void fields(V& v, AboutConfig& c) {
  v("description", c.description, "what was studied, in a sentence or two");
  v("licence", c.licence, "of the results: an SPDX name as CC-BY-4.0, or a URL");
  v("authors", c.authors, "who answers for the results");
}

}  // namespace cathoscope
