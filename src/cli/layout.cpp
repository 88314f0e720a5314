#include "cli/layout.hpp"

#include <algorithm>

namespace socialsync::cli {
namespace {

// Of the character or the colour that begins here; never 0.
std::size_t size_of_first(std::string_view text) {
  if (text.starts_with("\033[")) return std::min(text.find('m'), text.size() - 1) + 1;
  std::size_t size = 1;  // of UTF-8 the later bytes are 10xxxxxx
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

std::size_t columns_of_first(std::string_view text) { return text.starts_with("\033[") ? 0 : 1; }

// "  --option   text": where the text begins. Where there are no such columns, two more than the line is
// indented.
std::size_t hanging_indent(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", begin);
  const std::size_t second = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
  return second == std::string_view::npos ? begin + 2 : second;
}

// One line: the rest of it, after what is written already.
std::string wrapped_line(std::string_view line, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = 0;
  bool has_word = false;
  while (!line.empty()) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    const std::size_t size = columns_of(word);
    if (has_word && column + begin + size > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else {
      out += line.substr(0, begin);
      column += begin;
    }
    out += word;
    column += size;
    has_word = true;
    line.remove_prefix(end);
  }
  return out;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (; !text.empty(); text.remove_prefix(size_of_first(text))) columns += columns_of_first(text);
  return columns;
}

std::string_view first_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::string_view rest = text.substr(end);
    if (columns_of_first(rest) > columns) break;
    columns -= columns_of_first(rest);
    end += size_of_first(rest);
  }
  return text.substr(0, end);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::size_t margin = std::min(indent, width / 3);
  std::string out;
  bool is_first = true;
  for (;;) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out += wrapped_line(is_first ? std::string(line) : std::string(margin, ' ') + std::string(line), margin,
                        width);
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
    is_first = false;
  }
}

std::string wrapped_lines(std::string_view text, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    out += wrapped(line, hanging_indent(line), width);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace socialsync::cli
