#include "commands.hpp"

#include <citation.hpp>

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/fields.hpp>

#include <fmt/format.h>

#include <cctype>

namespace cathoscope::app {

namespace {

/// The part of the Citation File Format 1.2.0 that CITATION.cff uses.
struct Author {
  std::optional<std::string> name;
  std::optional<std::string> family;
  std::optional<std::string> given;
};

template <class V>
void fields(V& v, Author& a) {
  v("name", a.name, "of a group");
  v("family-names", a.family, "of a person");
  v("given-names", a.given, "of a person");
}

struct Work {
  std::string type;
  std::string title;
  std::optional<std::string> journal;
  std::int64_t year = 0;
  std::optional<std::string> doi;
  std::vector<Author> authors;
};

template <class V>
void fields(V& v, Work& w) {
  v("type", w.type, "article", required(any_value()));
  v("title", w.title, "title", required(any_value()));
  v("journal", w.journal, "journal");
  v("year", w.year, "year", required(between(1000, 9999)));
  v("doi", w.doi, "DOI");
  v("authors", w.authors, "authors", not_empty(any_value()));
}

struct Citation {
  std::string cff_version, message, title, abstract, type, version, license;
  std::vector<Author> authors;
  std::vector<Work> references;
};

template <class V>
void fields(V& v, Citation& c) {
  v("cff-version", c.cff_version, "version of the format", required(any_value()));
  v("message", c.message, "what to do", required(any_value()));
  v("title", c.title, "name of the program", required(any_value()));
  v("abstract", c.abstract, "what it is");
  v("type", c.type, "software", required(one_of({"software"})));
  v("version", c.version, "of the program", required(any_value()));
  v("license", c.license, "SPDX identifier");
  v("authors", c.authors, "of the program", not_empty(any_value()));
  v("references", c.references, "what else to cite");
}

std::string names(const std::vector<Author>& authors, bool bibtex) {
  std::string text;
  for (const auto& a : authors) {
    const std::string group = a.name.value_or("");
    const std::string one = !group.empty() ? (bibtex ? "{" + group + "}" : group)
                            : bibtex       ? a.family.value_or("") + ", " + a.given.value_or("")
                                           : a.given.value_or("") + " " + a.family.value_or("");
    text += (text.empty() ? "" : bibtex ? " and " : ", ") + one;
  }
  return text;
}

std::string bibtex(const Citation& c) {
  std::string text =
      fmt::format("@software{{cathoscope,\n  title = {{{}}},\n  author = {{{}}},\n  version = {{{}}}\n}}\n", c.title,
                  names(c.authors, true), c.version);
  for (const auto& w : c.references) {
    std::string key = w.authors.front().family.value_or("work") + std::to_string(w.year);
    for (char& letter : key) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    text +=
        fmt::format("@{}{{{},\n  title = {{{}}},\n  author = {{{}}},\n", w.type, key, w.title, names(w.authors, true));
    if (w.journal) text += fmt::format("  journal = {{{}}},\n", *w.journal);
    if (w.doi) text += fmt::format("  doi = {{{}}},\n", *w.doi);
    text += fmt::format("  year = {{{}}}\n}}\n", w.year);
  }
  return text;
}

std::string plain(const Citation& c) {
  std::string text = fmt::format("{}\n\n{}. {}, version {}.\n", c.message, names(c.authors, false), c.title, c.version);
  for (const auto& w : c.references)
    text += fmt::format("\n{}. {}. {} ({}).{}\n", names(w.authors, false), w.title, w.journal.value_or(""), w.year,
                        w.doi ? " https://doi.org/" + *w.doi : "");
  return text;
}

}  // namespace

Exit cite(const CiteCommand& c, Console&) {
  if (c.format == "cff") {
    fmt::print("{}", citation_file);
    return Exit::ok;
  }
  if (c.format != "text" && c.format != "bibtex")
    fail(Exit::usage, "cite --format {}: allowed are text, bibtex and cff", c.format);
  const Citation citation = read_config_text<Citation>(citation_file, "CITATION.cff", "/").value;
  fmt::print("{}", c.format == "text" ? plain(citation) : bibtex(citation));
  return Exit::ok;
}

}  // namespace cathoscope::app
