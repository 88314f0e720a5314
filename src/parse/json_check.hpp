// The strict walk over a whole body: what comes out of it needs no further checking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

enum class JsonError : std::uint8_t { not_json, too_deep };

// Checks texts, one after another, keeping its buffers.
class JsonChecker {
 public:
  JsonChecker();
  ~JsonChecker();
  JsonChecker(JsonChecker&&) noexcept;
  JsonChecker& operator=(JsonChecker&&) noexcept;

  // The root of `text`, if that is one JSON value and nothing more: UTF-8, structure, escapes, numbers,
  // literals. Views are good until the next call, and while `text` is neither changed nor moved; here it may
  // be moved once, when it lacks `padding_bytes` of spare capacity.
  Result<Value, JsonError> check(std::string& text, std::size_t depth_max);

  // Whether all of the text last checked is fit for jsonb.
  bool fit_for_jsonb() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace socialsync::parse
