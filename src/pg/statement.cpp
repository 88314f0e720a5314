#include "pg/statement.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

#include <libpq-fe.h>

namespace socialsync::pg {
namespace {

constexpr std::size_t dimension_count_at = 0;
constexpr std::size_t null_flag_at = 4;
constexpr std::size_t size_at = 12;
constexpr std::int64_t unix_ms_of_postgres_epoch = 946'684'800'000;  // 2000-01-01T00:00:00Z

void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 255));
}

void write_big_endian(std::string& out, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    out[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i) & 255);
}

}  // namespace

Array::Array(Type element) {
  append_big_endian(buffer_, 0);  // dimensions: 0 until the first element
  append_big_endian(buffer_, 0);  // 1 if it has nulls
  append_big_endian(buffer_, static_cast<std::uint32_t>(element));
}

void Array::begin_element() {
  if (size_ == 0) {
    write_big_endian(buffer_, dimension_count_at, 1);
    append_big_endian(buffer_, 0);  // size
    append_big_endian(buffer_, 1);  // lower bound
  }
  write_big_endian(buffer_, size_at, ++size_);
}

void Array::append_length(std::size_t bytes) {
  append_big_endian(buffer_, static_cast<std::uint32_t>(bytes));
}

void Array::add(std::string_view bytes) {
  begin_element();
  append_length(bytes.size());
  buffer_.append(bytes);
}

void Array::add(const Uuid& id) {
  add(std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
}

void Array::add_jsonb(std::string_view text) {
  begin_element();
  append_length(text.size() + 1);
  buffer_.push_back('\1');
  buffer_.append(text);
}

void Array::add_timestamp(std::int64_t unix_ms) {
  add_eight_bytes(static_cast<std::uint64_t>((unix_ms - unix_ms_of_postgres_epoch) * 1000));
}

void Array::add(std::int64_t number) { add_eight_bytes(static_cast<std::uint64_t>(number)); }

void Array::add_eight_bytes(std::uint64_t value) {
  begin_element();
  append_length(8);
  append_big_endian(buffer_, static_cast<std::uint32_t>(value >> 32));
  append_big_endian(buffer_, static_cast<std::uint32_t>(value));
}

void Array::add_null() {
  begin_element();
  write_big_endian(buffer_, null_flag_at, 1);
  append_big_endian(buffer_, 0xffffffff);
}

Statement& Statement::with(std::string text) {
  parameters.push_back({.value = std::move(text)});
  return *this;
}

Statement& Statement::with_null() {
  parameters.emplace_back();
  return *this;
}

Statement& Statement::with(Array&& array) {
  parameters.push_back({.value = std::move(array).encoded(), .binary = true});
  return *this;
}

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
