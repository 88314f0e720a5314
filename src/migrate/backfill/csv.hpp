// Splits a CSV file into records with their line numbers: https://www.rfc-editor.org/rfc/rfc4180. PostgreSQL
// parses the fields.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::migrate {

struct CsvRecord {
  std::uint64_t line = 0;  // where the record begins; counted from 1
  std::string text;        // without its line end
  bool is_closed = true;   // false: the file ended inside quotes
  bool is_whole = true;    // false: truncated at record_bytes_max
};

class CsvReader {
 public:
  static constexpr std::size_t record_bytes_max = 1 << 20;

  // Skips the byte order mark of UTF-8. Throws Failure for that of UTF-16.
  explicit CsvReader(std::istream& input);

  // Returns the next record, nothing at the end. Skips blank lines; lines end in LF, CR LF or CR.
  std::optional<CsvRecord> next();

 private:
  bool read_line(CsvRecord& record);
  void skip_byte_order_mark();

  std::istream& input_;
  std::uint64_t line_ = 1;
};

// Returns the delimiter (comma, semicolon or tab) of this header.
char csv_delimiter(std::string_view header);

// Returns the fields of one record, without their quotes.
std::vector<std::string> csv_fields(std::string_view record, char delimiter);

std::size_t count_csv_fields(std::string_view record, char delimiter);

// Returns the value as a quoted field.
std::string csv_quoted(std::string_view value);

}  // namespace socialsync::migrate
