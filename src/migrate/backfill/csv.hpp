// A CSV file as it comes out of a spreadsheet, record by record. What is in a record is PostgreSQL's to read;
// here is only where it begins and ends, and on which line: https://www.rfc-editor.org/rfc/rfc4180
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::migrate {

struct CsvRecord {
  std::uint64_t line = 0;  // of the file, where it begins; from 1
  std::string text;        // without its end
  bool is_closed = true;   // false: the file ended inside quotes
  bool is_whole = true;    // false: longer than record_bytes_max, and cut there
};

class CsvReader {
 public:
  static constexpr std::size_t record_bytes_max = 1 << 20;

  // Skips a byte order mark. Throws Failure when it is that of UTF-16.
  explicit CsvReader(std::istream& input);

  // Blank lines are left out. Lines end in LF, CR LF or CR.
  std::optional<CsvRecord> next();

 private:
  bool read_line(CsvRecord& record);
  void skip_byte_order_mark();

  std::istream& input_;
  std::uint64_t line_ = 1;
};

// The comma, semicolon or tabulator that separates the names of this header.
char csv_delimiter(std::string_view header);

// The fields of one record, without their quotes.
std::vector<std::string> csv_fields(std::string_view record, char delimiter);

std::size_t count_csv_fields(std::string_view record, char delimiter);

// The value as a field, in quotes.
std::string csv_quoted(std::string_view value);

}  // namespace socialsync::migrate
