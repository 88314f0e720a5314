#include "cli/migrate/verify_output.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "base/text.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

using migrate::Finding;
using migrate::State;

constexpr std::size_t indent = 11;  // of "PASS  V01  "

Colour colour_of(State state) {
  switch (state) {
    case State::pass: return Colour::green;
    case State::fail: return Colour::red;
    case State::skip: return Colour::yellow;
  }
  return Colour::plain;
}

// Each line of the text behind a mark, in lines of its own.
std::string paragraph(std::string_view text, std::string_view mark, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = std::string(indent, ' ') + std::string(mark) + std::string(text.substr(0, end));
    out += wrapped(line, indent, width) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// XML 1.0 has no way at all to write most control characters.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::string junit_case(const Finding& finding) {
  std::string out = fmt::format("    <testcase classname=\"migrate.verify\" name=\"{} {}\">", finding.id,
                                xml(finding.title));
  if (finding.state == State::fail)
    out += fmt::format("<failure message=\"{}\">{}</failure>", xml(finding.found), xml(finding.todo));
  else if (finding.state == State::skip)
    out += fmt::format("<skipped message=\"{}\"/>", xml(finding.found));
  else
    out += fmt::format("<system-out>{}</system-out>", xml(finding.found));
  return out + "</testcase>\n";
}

// A line of TAP: "#" begins a directive, and a line break ends it all.
std::string tap(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '#' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

// A JSON string is a YAML string.
std::string yaml(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string tap_point(const Finding& finding, std::size_t number) {
  std::string out = fmt::format("{}ok {} - {} {}", finding.state == State::fail ? "not " : "", number,
                                finding.id, tap(finding.title));
  if (finding.state == State::skip) out += " # SKIP " + tap(finding.found);
  out += '\n';
  if (finding.state == State::fail)
    out += fmt::format("  ---\n  found: {}\n  todo: {}\n  ...\n", yaml(finding.found), yaml(finding.todo));
  return out;
}

}  // namespace

Tally tally_of(const std::vector<Finding>& findings) {
  Tally tally;
  for (const Finding& finding : findings) {
    tally.passed += finding.state == State::pass;
    tally.failed += finding.state == State::fail;
    tally.skipped += finding.state == State::skip;
  }
  return tally;
}

std::string findings_as_text(const std::vector<Finding>& findings, std::size_t width) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{}  {}  ", coloured(colour_of(finding.state), to_string(finding.state)), finding.id);
    out += paragraph(finding.title + ": " + finding.found, "", width).substr(indent);
    out += paragraph(finding.todo, "→ ", width);
  }
  const Tally tally = tally_of(findings);
  return out + fmt::format("{} passed, {} failed, {} skipped\n", tally.passed, tally.failed, tally.skipped);
}

std::string findings_as_json(const std::vector<Finding>& findings) {
  boost::json::array probes;
  for (const Finding& finding : findings)
    probes.push_back(boost::json::object{{"id", finding.id},
                                         {"title", finding.title},
                                         {"state", std::string(to_string(finding.state))},
                                         {"found", finding.found},
                                         {"todo", finding.todo}});
  const Tally tally = tally_of(findings);
  const boost::json::object document{{"v", 1},
                                     {"probes", std::move(probes)},
                                     {"passed", tally.passed},
                                     {"failed", tally.failed},
                                     {"skipped", tally.skipped}};
  return boost::json::serialize(document) + "\n";
}

std::string findings_as_junit(const std::vector<Finding>& findings) {
  const Tally tally = tally_of(findings);
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
                                         findings.size(), tally.failed, tally.skipped);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite name=\"migrate verify\" "
      "{0}>\n",
      counts);
  for (const Finding& finding : findings) out += junit_case(finding);
  return out + "  </testsuite>\n</testsuites>\n";
}

std::string findings_as_tap(const std::vector<Finding>& findings) {
  std::string out = fmt::format("TAP version 13\n1..{}\n", findings.size());
  std::size_t number = 0;
  for (const Finding& finding : findings) out += tap_point(finding, ++number);
  return out;
}

}  // namespace socialsync::cli::migration
