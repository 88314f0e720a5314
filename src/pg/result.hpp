#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

struct pg_result;

namespace socialsync::pg {

// The rows a statement gave. Values live as long as the result.
class ResultSet {
 public:
  explicit ResultSet(pg_result* result) : result_(result) {}

  std::size_t rows() const;
  // How many rows the statement inserted, updated or deleted.
  std::size_t affected() const;

  bool is_null(std::size_t row, int column) const;
  // Empty when null. Text, or the bytes of a binary result.
  std::string_view text(std::size_t row, int column) const;
  // Of a binary result.
  Uuid uuid(std::size_t row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace socialsync::pg
