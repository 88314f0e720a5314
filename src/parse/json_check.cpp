#include "parse/json_check.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <span>

#include <simdjson.h>

#include "parse/json_text.hpp"
#include "parse/limits.hpp"

namespace socialsync::parse {
namespace {

static_assert(padding_bytes == simdjson::SIMDJSON_PADDING);

// Buffers above this size are released after the body: such bodies are rare.
constexpr std::size_t kept_bytes = std::size_t{1} << 20;
constexpr std::size_t first_bytes = std::size_t{64} << 10;

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Walks once over the token starts that simdjson's first stage has found, checks the grammar and makes the
// nodes. The first stage has checked UTF-8 and paired quotes, and nothing else.
class Walk {
 public:
  Walk(Document& document, std::span<const std::uint32_t> starts, std::size_t depth_max)
      : document_(document),
        starts_(starts),
        depth_max_(depth_max),
        has_escapes_(document.text.find('\\') != std::string_view::npos) {}

  std::optional<JsonError> run() {
    for (at_ = 0; at_ < starts_.size(); ++at_) {
      if (!step(document_.text[starts_[at_]])) return error_;
    }
    if (expected_ != Expected::end) return JsonError::not_json;
    return std::nullopt;
  }

 private:
  enum class Expected : std::uint8_t { value, value_or_close, key, key_or_close, colon, comma_or_close, end };

  bool step(char c) {
    switch (expected_) {
      case Expected::value: return value(c);
      case Expected::value_or_close: return c == ']' ? close() : value(c);
      case Expected::key: return key(c);
      case Expected::key_or_close: return c == '}' ? close() : key(c);
      case Expected::colon: return expect(c == ':', Expected::value);
      case Expected::comma_or_close: return comma_or_close(c);
      case Expected::end: return false;
    }
    return false;
  }

  bool expect(bool good, Expected next) {
    expected_ = next;
    return good;
  }

  bool value(char c) {
    switch (c) {
      case '{': return open(Kind::object, Expected::key_or_close);
      case '[': return open(Kind::array, Expected::value_or_close);
      case '"': return string() && after_value();
      case 't': return literal(Kind::boolean, "true");
      case 'f': return literal(Kind::boolean, "false");
      case 'n': return literal(Kind::null, "null");
      default: return number();
    }
  }

  bool after_value() { return expect(true, open_.empty() ? Expected::end : Expected::comma_or_close); }

  bool key(char c) { return c == '"' && string() && expect(true, Expected::colon); }

  bool comma_or_close(char c) {
    const bool in_object = document_.nodes[open_.back()].kind == Kind::object;
    if (c == ',') return expect(true, in_object ? Expected::key : Expected::value);
    return c == (in_object ? '}' : ']') && close();
  }

  bool open(Kind kind, Expected next) {
    if (open_.size() == depth_max_) {
      error_ = JsonError::too_deep;
      return false;
    }
    open_.push_back(static_cast<std::uint32_t>(document_.nodes.size()));
    add(kind, {});
    return expect(true, next);
  }

  bool close() {
    Node& container = document_.nodes[open_.back()];
    container.end = starts_[at_] + 1;
    container.next = static_cast<std::uint32_t>(document_.nodes.size());
    open_.pop_back();
    return after_value();
  }

  bool literal(Kind kind, std::string_view expected) {
    const std::string_view text = token();
    add(kind, text);
    return text == expected && after_value();
  }

  bool number() {
    const std::string_view text = token();
    const Number number = read_number(text);
    document_.fit_for_jsonb &= number.fit_for_jsonb;
    add(Kind::number, text);
    return number.length > 0 && number.length == text.size() && after_value();
  }

  bool string() {
    const std::string_view text = token();
    if (text.size() < 2 || text.back() != '"') return false;
    const std::string_view content = text.substr(1, text.size() - 2);
    add(Kind::string, text);
    if (!has_escapes_ || content.find('\\') == std::string_view::npos) return true;
    document_.nodes.back().escaped = true;
    return escapes(content);
  }

  bool escapes(std::string_view content) {
    std::size_t at = content.find('\\');
    while (at != std::string_view::npos) {
      const Escape escape = read_escape(content.substr(at));
      if (!escape.valid()) return false;
      document_.fit_for_jsonb &= escape.fit_for_jsonb();
      at = content.find('\\', at + escape.length);
    }
    return true;
  }

  // Returns the text from this start to the next one, without trailing white space.
  std::string_view token() const {
    const std::string_view text = document_.text;
    const std::size_t begin = starts_[at_];
    std::size_t end = at_ + 1 < starts_.size() ? starts_[at_ + 1] : text.size();
    while (end > begin + 1 && is_space(text[end - 1])) --end;
    return text.substr(begin, end - begin);
  }

  void add(Kind kind, std::string_view token) {
    const auto begin = starts_[at_];
    const auto next = static_cast<std::uint32_t>(document_.nodes.size() + 1);
    document_.nodes.push_back({begin, begin + static_cast<std::uint32_t>(token.size()), next, kind, false});
  }

  Document& document_;
  std::span<const std::uint32_t> starts_;
  std::size_t depth_max_;
  bool has_escapes_;  // anywhere in the text; without any, no string is searched for escapes
  std::size_t at_ = 0;
  Expected expected_ = Expected::value;
  JsonError error_ = JsonError::not_json;
  std::vector<std::uint32_t> open_;
};

}  // namespace

struct JsonChecker::State {
  Document document;
  // simdjson's internal parser interface; only its first stage is used.
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
  std::size_t capacity = 0;

  // Reserves buffers for `size` bytes and drops the previous text.
  void prepare(std::size_t size) {
    if (capacity > kept_bytes && size <= kept_bytes) *this = State{};
    document.nodes.clear();
    document.fit_for_jsonb = true;
    if (size <= capacity && stages) return;
    capacity = std::max({size, std::min(2 * capacity, kept_bytes), first_bytes});
    const auto error =
        simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, stages);
    if (error) throw std::bad_alloc();
  }
};

JsonChecker::JsonChecker() : state_(std::make_unique<State>()) {}
JsonChecker::~JsonChecker() = default;
JsonChecker::JsonChecker(JsonChecker&&) noexcept = default;
JsonChecker& JsonChecker::operator=(JsonChecker&&) noexcept = default;

Result<Value, JsonError> JsonChecker::check(std::string& text, std::size_t depth_max) {
  if (text.capacity() - text.size() < padding_bytes) text.reserve(text.size() + padding_bytes);
  state_->prepare(text.size());
  auto& [document, stages, capacity] = *state_;
  document.text = text;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto error = stages->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  if (error) return JsonError::not_json;
  Walk walk(document, {stages->structural_indexes.get(), stages->n_structural_indexes}, depth_max);
  if (const auto failure = walk.run()) return *failure;
  return Value(document, 0);
}

bool JsonChecker::fit_for_jsonb() const { return state_->document.fit_for_jsonb; }

}  // namespace socialsync::parse
