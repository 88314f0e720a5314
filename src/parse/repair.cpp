#include "parse/repair.hpp"

#include "parse/json_text.hpp"

namespace socialsync::parse {
namespace {

// Copies the text up to what is unfit, writes its replacement, goes on.
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

std::optional<std::string> repaired(std::string_view json) { return Repair(json).run(); }

}  // namespace socialsync::parse
