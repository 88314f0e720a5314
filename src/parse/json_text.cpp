#include "parse/json_text.hpp"

#include <charconv>
#include <optional>

namespace socialsync::parse {
namespace {

constexpr char32_t replacement_character = 0xFFFD;

constexpr bool is_high_surrogate(char32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low_surrogate(char32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Reads the `\uXXXX` that `text` starts with; nothing when it starts with anything else.
std::optional<char32_t> read_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  std::uint16_t unit = 0;
  const char* end = text.data() + 6;
  const auto parsed = std::from_chars(text.data() + 2, end, unit, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return unit;
}

Escape read_unicode_escape(std::string_view text) {
  const auto first = read_unit(text);
  if (!first) return {};
  if (is_high_surrogate(*first)) {
    const auto second = read_unit(text.substr(6));
    if (second && is_low_surrogate(*second)) {
      return {12, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00)};
    }
  }
  return {6, *first};
}

void append_utf8(std::string& out, char32_t character) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto put_tail = [&](int shift) { put(0x80 | ((character >> shift) & 0x3F)); };
  if (character < 0x80) return put(character);
  if (character < 0x800) {
    put(0xC0 | (character >> 6));
  } else if (character < 0x10000) {
    put(0xE0 | (character >> 12));
    put_tail(6);
  } else {
    put(0xF0 | (character >> 18));
    put_tail(12);
    put_tail(6);
  }
  put_tail(0);
}

// Counts the digits of `text` from `at` on.
std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && text[at + count] >= '0' && text[at + count] <= '9') ++count;
  return count;
}

char at_or_nul(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }

// False also for an exponent that overflows an int.
bool is_small_exponent(std::string_view digits) {
  int exponent = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  return parsed.ec == std::errc{} && exponent <= number_exponent_max;
}

// Copies a JSON text and replaces the parts that jsonb refuses.
class Repair {
 public:
  explicit Repair(std::string_view json) : json_(json) {}

  std::optional<std::string> run() {
    while (at_ < json_.size()) {
      const char c = json_[at_];
      if (c == '"') {
        string();
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        number();
      } else {
        ++at_;
      }
    }
    if (copied_ == 0) return std::nullopt;
    out_.append(json_.substr(copied_));
    return std::move(out_);
  }

 private:
  void string() {
    for (++at_; json_[at_] != '"';) {
      if (json_[at_] != '\\') {
        ++at_;
        continue;
      }
      const Escape escape = read_escape(json_.substr(at_));
      if (escape.fit_for_jsonb()) {
        at_ += escape.length;
      } else {
        replace(escape.length, R"(\ufffd)");
      }
    }
    ++at_;
  }

  void number() {
    const Number number = read_number(json_.substr(at_));
    if (number.fit_for_jsonb) {
      at_ += number.length;
    } else {
      replace(number.length, '"' + std::string(json_.substr(at_, number.length)) + '"');
    }
  }

  void replace(std::size_t length, std::string_view replacement) {
    out_.append(json_.substr(copied_, at_ - copied_)).append(replacement);
    at_ += length;
    copied_ = at_;
  }

  std::string_view json_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  std::string out_;
};

}  // namespace

Escape read_escape(std::string_view text) {
  switch (at_or_nul(text, 1)) {
    case '"': return {2, U'"'};
    case '\\': return {2, U'\\'};
    case '/': return {2, U'/'};
    case 'b': return {2, U'\b'};
    case 'f': return {2, U'\f'};
    case 'n': return {2, U'\n'};
    case 'r': return {2, U'\r'};
    case 't': return {2, U'\t'};
    case 'u': return read_unicode_escape(text);
    default: return {};
  }
}

Number read_number(std::string_view text) {
  std::size_t at = at_or_nul(text, 0) == '-' ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return {};
  at += whole;
  std::size_t fraction = 0;
  if (at_or_nul(text, at) == '.') {
    fraction = digits_at(text, at + 1);
    if (fraction == 0) return {};
    at += 1 + fraction;
  }
  bool fit = whole + fraction <= number_digits_max;
  if (at_or_nul(text, at) == 'e' || at_or_nul(text, at) == 'E') {
    ++at;
    if (at_or_nul(text, at) == '+' || at_or_nul(text, at) == '-') ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return {};
    fit = fit && is_small_exponent(text.substr(at, exponent));
    at += exponent;
  }
  return {at, fit};
}

std::string unescaped(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  std::size_t at = 0;
  while (at < content.size()) {
    const std::size_t backslash = std::min(content.find('\\', at), content.size());
    out.append(content, at, backslash - at);
    at = backslash;
    if (at == content.size()) break;
    const Escape escape = read_escape(content.substr(at));
    append_utf8(out, escape.fit_for_jsonb() ? escape.character : replacement_character);
    at += escape.length;
  }
  return out;
}

bool fits_text(std::string_view content) {
  std::size_t at = content.find('\\');
  while (at != std::string_view::npos) {
    const Escape escape = read_escape(content.substr(at));
    if (!escape.fit_for_jsonb()) return false;
    at = content.find('\\', at + escape.length);
  }
  return true;
}

std::optional<std::string> repaired(std::string_view json) { return Repair(json).run(); }

}  // namespace socialsync::parse
