#include "pg/write_apart.hpp"

#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace socialsync::pg {
namespace {

using Outcome = WriteApart::Outcome;

// Writes `rows` rows of which the database refuses some. Returns those found alone; counts the attempts.
std::set<std::size_t> refused_alone(std::size_t rows, const std::set<std::size_t>& bad, int& attempts) {
  std::set<std::size_t> alone;
  std::size_t expected = 0;  // each row is settled once, in order
  WriteApart batch(rows);
  while (const auto range = batch.next()) {
    ++attempts;
    CHECK(range->first == expected);
    const auto first_bad = bad.lower_bound(range->first);
    const bool is_refused = first_bad != bad.end() && *first_bad < range->first + range->size;
    const bool is_alone = batch.tell(is_refused ? Outcome::refused : Outcome::written);
    if (is_alone) alone.insert(range->first);
    if (!is_refused || is_alone) expected += range->size;
  }
  CHECK(expected == rows);
  return alone;
}

TEST_CASE("write apart: a batch without fault is one attempt, an empty one none") {
  int attempts = 0;
  CHECK(refused_alone(1000, {}, attempts).empty());
  CHECK(attempts == 1);
  CHECK_FALSE(WriteApart(0).next());
}

TEST_CASE("write apart: every refused row is found alone and every other row is written") {
  for (std::size_t rows = 1; rows <= 9; ++rows) {
    for (unsigned mask = 0; mask < 1U << rows; ++mask) {
      std::set<std::size_t> bad;
      for (std::size_t row = 0; row < rows; ++row)
        if ((mask >> row & 1U) != 0) bad.insert(row);
      int attempts = 0;
      CHECK(refused_alone(rows, bad, attempts) == bad);
      CHECK(attempts <= 2 * static_cast<int>(rows) - 1);
    }
  }
}

TEST_CASE("write apart: one refused row of 1024 costs two attempts for each halving") {
  int attempts = 0;
  CHECK(refused_alone(1024, {700}, attempts) == std::set<std::size_t>{700});
  CHECK(attempts == 21);
}

TEST_CASE("write apart: the same range is returned until its outcome is told") {
  WriteApart batch(2);
  CHECK(batch.next() == WriteApart::Range{0, 2});
  CHECK(batch.next() == WriteApart::Range{0, 2});
  CHECK_FALSE(batch.tell(Outcome::refused));
  CHECK(batch.next() == WriteApart::Range{0, 1});
  CHECK_FALSE(batch.tell(Outcome::skipped));
  CHECK(batch.next() == WriteApart::Range{1, 1});
  CHECK(batch.tell(Outcome::refused));
  CHECK_FALSE(batch.next());
}

TEST_CASE("write apart: a shrunk range is settled beyond its new end") {
  WriteApart batch(8);
  batch.tell(Outcome::refused);
  batch.shrink(2);
  CHECK(batch.next() == WriteApart::Range{0, 2});
  batch.shrink(0);
  CHECK(batch.next() == WriteApart::Range{4, 4});
  batch.tell(Outcome::written);
  CHECK_FALSE(batch.next());
}

}  // namespace
}  // namespace socialsync::pg
