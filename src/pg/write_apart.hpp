// Halving a batch until the row that the database refuses is alone.
#pragma once

#include <cassert>
#include <cstddef>
#include <optional>
#include <vector>

namespace socialsync::pg {

// Decides which rows of a batch to write next; does no I/O. First all rows together, then, where the database
// refused them, each half, in order. Ask next(), write those rows in one transaction, and tell() the outcome;
// until told, next() returns the same range, which is how a range is written again after a lost connection.
class WriteApart {
 public:
  struct Range {
    std::size_t first = 0;
    std::size_t size = 0;
    bool operator==(const Range&) const = default;
  };
  enum class Outcome {
    written,
    refused,  // none was written: one of these rows is at fault
    skipped,  // none was written, and none will be
  };

  explicit WriteApart(std::size_t rows) {
    if (rows > 0) left_.push_back({0, rows});
  }

  // Returns the rows to write now; nothing when the whole batch is settled.
  std::optional<Range> next() const { return left_.empty() ? std::nullopt : std::optional(left_.back()); }

  // Returns true when the range that next() returned is one row alone that was refused: that row is settled,
  // and the caller decides what becomes of it.
  bool tell(Outcome outcome) {
    assert(!left_.empty());
    const Range range = left_.back();
    left_.pop_back();
    if (outcome != Outcome::refused) return false;
    if (range.size == 1) return true;
    const std::size_t half = range.size / 2;
    left_.push_back({range.first + half, range.size - half});
    left_.push_back({range.first, half});
    return false;
  }

  // Settles all rows of the range that next() returned but its first `size`.
  void shrink(std::size_t size) {
    assert(!left_.empty() && size <= left_.back().size);
    left_.back().size = size;
    if (size == 0) left_.pop_back();
  }

 private:
  std::vector<Range> left_;  // the next one is last
};

}  // namespace socialsync::pg
