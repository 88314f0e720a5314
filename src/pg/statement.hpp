#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.hpp"

struct pg_result;

namespace socialsync::pg {

// The element types of arrays sent to PostgreSQL, with their OIDs: pg_type.dat.
enum class Type : std::uint32_t {
  bytea = 17,
  bigint = 20,
  text = 25,
  timestamptz = 1184,
  uuid = 2950,
  jsonb = 3802
};

// Builds a one-dimensional array in PostgreSQL's binary format: array_recv() in
// src/backend/utils/adt/arrayfuncs.c. Each value is copied once.
class Array {
 public:
  explicit Array(Type element);

  void add(std::string_view bytes);
  void add(const Uuid& id);
  void add(std::int64_t number);
  // Text that jsonb_in would accept; sent with jsonb's version byte.
  void add_jsonb(std::string_view text);
  void add_timestamp(std::int64_t unix_ms);
  void add_null();
  // NULL for an empty text.
  void add_or_null(std::string_view text) { text.empty() ? add_null() : add(text); }

  std::string encoded() && { return std::move(buffer_); }

 private:
  void begin_element();
  void append_length(std::size_t bytes);
  void add_eight_bytes(std::uint64_t value);

  std::string buffer_;
  std::uint32_t size_ = 0;
};

// A prepared statement with its parameters. Equal names must mean equal SQL; both are string literals.
struct Statement {
  struct Parameter {
    std::optional<std::string> value;  // nothing: NULL
    bool binary = false;
  };

  const char* name = "";
  const char* sql = "";
  std::vector<Parameter> parameters{};
  bool binary_results = false;

  Statement& with(std::string text);
  Statement& with_null();
  Statement& with(Array&& array);
};

// The rows that a statement returned. Views of values live as long as the result.
class ResultSet {
 public:
  explicit ResultSet(pg_result* result) : result_(result) {}

  std::size_t rows() const;
  // Returns the number of rows that the statement inserted, updated or deleted.
  std::size_t affected() const;

  bool is_null(std::size_t row, int column) const;
  // Returns the text, or the bytes of a binary result; empty for NULL.
  std::string_view text(std::size_t row, int column) const;
  // For a text result that holds a number of at least zero.
  std::uint64_t number(std::size_t row, int column) const {
    return std::stoull(std::string(text(row, column)));
  }
  // For a binary result.
  Uuid uuid(std::size_t row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace socialsync::pg
