#include "pg/result.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <libpq-fe.h>

namespace socialsync::pg {

void ResultSet::Clear::operator()(pg_result* result) const { PQclear(result); }

std::size_t ResultSet::rows() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t ResultSet::affected() const {
  const std::string_view count = PQcmdTuples(result_.get());
  std::size_t value = 0;
  std::from_chars(count.data(), count.data() + count.size(), value);
  return value;
}

bool ResultSet::is_null(std::size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) == 1;
}

std::string_view ResultSet::text(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

Uuid ResultSet::uuid(std::size_t row, int column) const {
  const std::string_view bytes = text(row, column);
  Uuid id;
  assert(bytes.size() == id.bytes.size());
  std::copy_n(bytes.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

}  // namespace socialsync::pg
