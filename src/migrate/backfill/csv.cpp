#include "migrate/backfill/csv.hpp"

#include <algorithm>
#include <array>

#include "base/failure.hpp"

namespace socialsync::migrate {
namespace {

constexpr int end_of_file = std::char_traits<char>::eof();

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

// Calls `outside` with each character that is not within quotes.
template <class F>
void each_outside_quotes(std::string_view text, F outside) {
  bool in_quotes = false;
  for (const char c : text) {
    if (c == '"')
      in_quotes = !in_quotes;
    else if (!in_quotes)
      outside(c);
  }
}

}  // namespace

CsvReader::CsvReader(std::istream& input) : input_(input) { skip_byte_order_mark(); }

void CsvReader::skip_byte_order_mark() {
  const int first = input_.peek();
  if (first == 0xff || first == 0xfe)
    throw Failure(Exit::wrong_usage, "the file is in UTF-16: save it as UTF-8 (in Excel: 'CSV UTF-8')");
  if (first == 0xef) input_.ignore(3);
}

std::optional<CsvRecord> CsvReader::next() {
  while (input_.peek() != end_of_file) {
    CsvRecord record{.line = line_, .text = {}};
    record.is_closed = read_line(record);
    if (!is_blank(record.text)) return record;
  }
  return std::nullopt;
}

// Returns false when the file ends inside quotes.
bool CsvReader::read_line(CsvRecord& record) {
  std::streambuf& bytes = *input_.rdbuf();
  bool in_quotes = false;
  for (int c = bytes.sbumpc(); c != end_of_file; c = bytes.sbumpc()) {
    if (c == '"') in_quotes = !in_quotes;
    const bool ends_line = c == '\n' || (c == '\r' && bytes.sgetc() != '\n');
    if (ends_line) ++line_;
    if (!in_quotes && ends_line) return true;
    if (!in_quotes && c == '\r') continue;
    record.is_whole = record.text.size() < record_bytes_max;
    if (record.is_whole) record.text.push_back(static_cast<char>(c));
  }
  return !in_quotes;
}

char csv_delimiter(std::string_view header) {
  constexpr std::array<char, 3> delimiters{',', ';', '\t'};
  return *std::ranges::max_element(delimiters, {}, [header](char delimiter) {
    std::size_t count = 0;
    each_outside_quotes(header, [&](char c) { count += c == delimiter ? 1 : 0; });
    return count;
  });
}

std::vector<std::string> csv_fields(std::string_view record, char delimiter) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    const bool is_doubled = in_quotes && record.substr(i).starts_with("\"\"");
    if (record[i] == '"' && !is_doubled) {
      in_quotes = !in_quotes;
    } else if (record[i] == delimiter && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back().push_back(record[i]);
      if (is_doubled) ++i;
    }
  }
  return fields;
}

std::size_t count_csv_fields(std::string_view record, char delimiter) {
  std::size_t count = 1;
  each_outside_quotes(record, [&](char c) { count += c == delimiter ? 1 : 0; });
  return count;
}

std::string csv_quoted(std::string_view value) {
  std::string field = "\"";
  for (const char c : value) field.append(c == '"' ? 2 : 1, c);
  return field + '"';
}

}  // namespace socialsync::migrate
