// How full the quarantine is: what was last counted, and what this gateway has written since.
#pragma once

#include <algorithm>
#include <cstdint>

namespace socialsync::ingest {

struct QuarantineSize {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of the bodies

  friend bool operator==(const QuarantineSize&, const QuarantineSize&) = default;
};

// One thread.
class QuarantineLevel {
 public:
  explicit QuarantineLevel(QuarantineSize cap) : cap_(cap) {}

  // Something was written. What was there before counts too, until it is counted again.
  void add(QuarantineSize written) {
    now_ = sum(now_, written);
    since_ = sum(since_, written);
  }

  // What is written from here on may not be in the count that now begins.
  void begin_count() { since_ = {}; }
  void counted(QuarantineSize all) { now_ = sum(all, since_); }

  QuarantineSize now() const { return now_; }
  // What is there beyond the cap; in each part 0 when there is room.
  QuarantineSize excess() const {
    return {now_.rows - std::min(now_.rows, cap_.rows), now_.bytes - std::min(now_.bytes, cap_.bytes)};
  }
  // Over the cap: the oldest rows are to go.
  bool is_over() const { return excess() != QuarantineSize(); }
  // A tenth over the cap: writing outruns that. Nothing more may be added.
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
  QuarantineSize since_;  // the last count began
};

}  // namespace socialsync::ingest
