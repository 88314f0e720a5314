// The size of the quarantine: the last count, plus this gateway's later writes.
#pragma once

#include <algorithm>
#include <cstdint>

namespace socialsync::ingest {

struct QuarantineSize {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // bytes of the bodies

  friend bool operator==(const QuarantineSize&, const QuarantineSize&) = default;
};

// One thread.
class QuarantineLevel {
 public:
  explicit QuarantineLevel(QuarantineSize cap) : cap_(cap) {}

  // Adds written rows. Duplicates count too, until the next count.
  void add(QuarantineSize written) {
    now_ = sum(now_, written);
    since_ = sum(since_, written);
  }

  // Later writes may be missing from the count that now begins.
  void begin_count() { since_ = {}; }
  void counted(QuarantineSize all) { now_ = sum(all, since_); }

  QuarantineSize now() const { return now_; }
  // Rows and bytes beyond the cap; 0 if within it.
  QuarantineSize excess() const {
    return {now_.rows - std::min(now_.rows, cap_.rows), now_.bytes - std::min(now_.bytes, cap_.bytes)};
  }
  // Over the cap: the oldest rows are to be removed.
  bool is_over() const { return excess() != QuarantineSize(); }
  // A tenth over the cap: writes outrun removal, so no more rows may be added.
  bool is_full() const {
    return is_tenth_over(now_.rows, cap_.rows) || is_tenth_over(now_.bytes, cap_.bytes);
  }

 private:
  static QuarantineSize sum(QuarantineSize left, QuarantineSize right) {
    return {left.rows + right.rows, left.bytes + right.bytes};
  }
  static bool is_tenth_over(std::uint64_t now, std::uint64_t cap) { return now > cap + cap / 10; }

  QuarantineSize cap_;
  QuarantineSize now_;
  QuarantineSize since_;  // written since the last count began
};

}  // namespace socialsync::ingest
