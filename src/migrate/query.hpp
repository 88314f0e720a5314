// Reads values from results of pg::Session.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pg/session.hpp"

namespace socialsync::migrate {

// The value in the first row and column; empty for NULL.
inline std::string first_value(const pg::ResultSet& rows) { return std::string(rows.text(0, 0)); }

inline bool is_true(const pg::ResultSet& rows) { return rows.text(0, 0) == "t"; }

// A count; 0 for NULL.
inline std::uint64_t number_in(const pg::ResultSet& rows, std::size_t row, int column) {
  const std::string_view text = rows.text(row, column);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

inline std::uint64_t first_number(const pg::ResultSet& rows) { return number_in(rows, 0, 0); }

// The first column of all rows.
inline std::vector<std::string> lines_of(const pg::ResultSet& rows) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < rows.rows(); ++row) lines.emplace_back(rows.text(row, 0));
  return lines;
}

}  // namespace socialsync::migrate
