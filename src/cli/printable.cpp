#include "cli/printable.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

#include "cli/layout.hpp"

namespace socialsync::cli {
namespace {

constexpr std::size_t depth_max = 256;

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

// The bytes of the character that begins there; 0 where none does.
// https://www.unicode.org/versions/Unicode15.0.0/ table 3-7.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = byte_at(text, at + 1);
  const bool is_wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return is_wrong ? 0 : size;
}

bool is_control(std::string_view character) {
  const std::uint8_t first = byte_at(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && byte_at(character, 1) < 0xa0;
}

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

}  // namespace

std::string printable(std::string_view text, bool keeps_lines) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_bytes(text, at);
    const std::string_view character = text.substr(at, std::max<std::size_t>(size, 1));
    const bool is_line_end = keeps_lines && character == "\n";
    if (size > 0 && (is_line_end || !is_control(character))) {
      out += character;
    } else {
      for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
    }
    at += character.size();
  }
  return out;
}

std::optional<std::string> indented_json(std::string_view text) { return Indenter(text).run(); }

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

}  // namespace socialsync::cli
