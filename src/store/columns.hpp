// A noun's columns in one table: SELECT, reader, JSON and text are made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/text.hpp"
#include "base/uuid.hpp"
#include "pg/statement.hpp"

namespace socialsync::store {

template <class Row>
struct Column {
  using Member = std::variant<Uuid Row::*, std::string Row::*, bool Row::*, std::uint64_t Row::*,
                              std::optional<std::uint64_t> Row::*, std::vector<std::string> Row::*,
                              std::optional<std::vector<std::string>> Row::*>;

  const char* name;  // of the JSON member
  Member member;
  const char* sql;              // lists: text with commas between
  const char* title = nullptr;  // in `show`; null: not shown there
  const char* if_absent = "-";  // shown for NULL, empty and false
  const char* if_true = "yes";  // shown for true
  const char* time_format = nullptr;
  bool is_bytes = false;  // bytea
};

// A column of a time, as text: ISO 8601, UTC, in seconds or in microseconds.
template <class Row>
constexpr Column<Row> utc(Column<Row> column, bool has_microseconds = false) {
  column.time_format =
      has_microseconds ? R"(YYYY-MM-DD"T"HH24:MI:SS.US"Z")" : R"(YYYY-MM-DD"T"HH24:MI:SS"Z")";
  return column;
}

// "SELECT a, b, …", for a statement with binary results: every column but bytea is cast to text.
template <class Row>
std::string select_list(std::span<const Column<Row>> columns) {
  std::string sql;
  for (const Column<Row>& column : columns) {
    std::string value = column.sql;
    if (column.time_format != nullptr)
      value = "to_char(" + value + " AT TIME ZONE 'UTC', '" + column.time_format + "')";
    else if (!column.is_bytes)
      value = "(" + value + ")::text";
    sql += (sql.empty() ? "SELECT " : ", ") + value;
  }
  return sql;
}

// Reads a row of such a statement; NULL leaves a member as it is.
template <class Row>
Row read_row(std::span<const Column<Row>> columns, const pg::ResultSet& rows, std::size_t at) {
  Row record;
  int number = 0;
  for (const Column<Row>& column : columns) {
    const int place = number++;
    if (rows.is_null(at, place)) continue;
    const std::string text(rows.text(at, place));
    const auto read = [&]<class T>(T Row::* member) {
      if constexpr (std::is_same_v<T, Uuid>)
        record.*member = parse_uuid(text).value_or(Uuid());
      else if constexpr (std::is_same_v<T, std::string>)
        record.*member = text;
      else if constexpr (std::is_same_v<T, bool>)
        record.*member = text == "true";
      else if constexpr (std::is_same_v<T, std::uint64_t> || std::is_same_v<T, std::optional<std::uint64_t>>)
        record.*member = std::stoull(text);
      else
        record.*member = split_list(text);
    };
    std::visit(read, column.member);
  }
  return record;
}

template <class Row>
std::vector<Row> read_rows(std::span<const Column<Row>> columns, const pg::ResultSet& rows) {
  std::vector<Row> records;
  for (std::size_t at = 0; at < rows.rows(); ++at) records.push_back(read_row(columns, rows, at));
  return records;
}

}  // namespace socialsync::store
