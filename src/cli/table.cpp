#include "cli/table.hpp"

#include <algorithm>

#include "cli/layout.hpp"
#include "cli/terminal.hpp"

namespace socialsync::cli {
namespace {

constexpr std::size_t gap = 2;

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  return widths;
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - columns_of(row[i]) + gap, ' ');
    }
    text += coloured(&row == &rows.front() ? Colour::bold : Colour::plain, line) + "\n";
  }
  return text;
}

}  // namespace socialsync::cli
