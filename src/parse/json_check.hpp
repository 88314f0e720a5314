// The strict check of a whole body. Its result needs no further checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

enum class JsonError : std::uint8_t { not_json, too_deep };

// Checks texts one after another and reuses its buffers.
class JsonChecker {
 public:
  JsonChecker();
  ~JsonChecker();
  JsonChecker(JsonChecker&&) noexcept;
  JsonChecker& operator=(JsonChecker&&) noexcept;

  // Returns the root of `text`, which must be exactly one JSON value: UTF-8, structure, escapes, numbers and
  // literals are checked. Views are valid until the next call and while `text` is unchanged. `text` is
  // reallocated when it lacks `padding_bytes` of spare capacity.
  Result<Value, JsonError> check(std::string& text, std::size_t depth_max);

  // True when jsonb takes the whole text last checked as it is.
  bool fit_for_jsonb() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace socialsync::parse
