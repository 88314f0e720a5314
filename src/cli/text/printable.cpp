#include "cli/text/printable.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

namespace socialsync::cli {
namespace {

constexpr std::size_t depth_max = 256;

// One past the string that begins there; npos where it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

class Indenter {
 public:
  explicit Indenter(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t next = text_[at] == '"' ? end_of_string(text_, at) : at + 1;
      if (next == std::string_view::npos) return std::nullopt;
      if (!is_blank(text_[at]) && !take(text_.substr(at, next - at))) return std::nullopt;
      at = next;
    }
    if (!open_.empty() || !has_container_) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool take(std::string_view token) {
    const char first = token.front();
    if (first == '}' || first == ']') return close(first);
    if (is_after_open_) new_line();
    is_after_open_ = false;
    out_ += token;
    if (first == ':') out_ += ' ';
    if (first == ',') new_line();
    if (first != '{' && first != '[') return true;
    open_ += first == '{' ? '}' : ']';
    is_after_open_ = has_container_ = true;
    return open_.size() <= depth_max;
  }

  bool close(char bracket) {
    if (open_.empty() || open_.back() != bracket) return false;
    open_.pop_back();
    if (!is_after_open_) new_line();
    is_after_open_ = false;
    out_ += bracket;
    return true;
  }

  void new_line() { out_.append(1, '\n').append(2 * open_.size(), ' '); }

  std::string_view text_;
  std::string out_;
  std::string open_;  // the brackets that close what is open
  bool is_after_open_ = false;
  bool has_container_ = false;
};

// Returns the bytes of the character or colour at the start of `text`; never 0.
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

std::optional<std::string> indented_json(std::string_view text) { return Indenter(text).run(); }

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

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string shown_url(const std::string& url) {
  if (url.empty()) return "(pull)";
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return printable(url.substr(begin, url.find('?') - begin));
}

}  // namespace socialsync::cli
