// Rows as JSON and as text, from their table of columns.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "base/text.hpp"
#include "cli/text/json.hpp"
#include "store/columns.hpp"

namespace socialsync::cli {

template <class Row>
boost::json::object json_of(std::span<const store::Column<Row>> columns, const Row& row) {
  boost::json::object object;
  for (const store::Column<Row>& column : columns) {
    const auto value = [&row, &column]<class T>(T Row::* member) -> boost::json::value {
      const T& content = row.*member;
      if constexpr (std::is_same_v<T, Uuid>)
        return boost::json::value(to_string(content));
      else if constexpr (std::is_same_v<T, std::string>)
        return or_null(column.is_bytes ? printable(content, true) : content);
      else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::uint64_t>)
        return content;
      else if constexpr (std::is_same_v<T, std::optional<std::uint64_t>>)
        return content ? boost::json::value(*content) : nullptr;
      else if constexpr (std::is_same_v<T, std::vector<std::string>>)
        return array_of(content);
      else
        return content ? boost::json::value(array_of(*content)) : nullptr;
    };
    object[column.name] = std::visit(value, column.member);
  }
  return object;
}

// The value as `show` prints it, not escaped; Column::if_absent where it is absent.
template <class Row>
std::string text_of(const store::Column<Row>& column, const Row& row) {
  const auto joined = [](const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
    return text;
  };
  const auto text = [&]<class T>(T Row::* member) -> std::string {
    const T& content = row.*member;
    if constexpr (std::is_same_v<T, Uuid>)
      return to_string(content);
    else if constexpr (std::is_same_v<T, std::string>)
      return content;
    else if constexpr (std::is_same_v<T, bool>)
      return content ? column.if_true : "";
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      return std::to_string(content);
    else if constexpr (std::is_same_v<T, std::optional<std::uint64_t>>)
      return content ? std::to_string(*content) : "";
    else if constexpr (std::is_same_v<T, std::vector<std::string>>)
      return joined(content);
    else
      return content ? joined(*content) : "";
  };
  const std::string value = std::visit(text, column.member);
  return value.empty() ? column.if_absent : value;
}

}  // namespace socialsync::cli
