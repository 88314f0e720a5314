// Random numbers that are the same on every machine for the same seed.
#pragma once

#include <cstdint>

namespace socialsync::simulation {

// SplitMix64, https://prng.di.unimi.it/splitmix64.c
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return z ^ (z >> 31U);
  }
  // In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % (static_cast<std::uint64_t>(high - low) + 1));
  }
  std::size_t below(std::size_t end) { return next() % end; }
  // In [0, 1).
  double real() { return static_cast<double>(next() >> 11U) / static_cast<double>(1ULL << 53U); }
  bool chance(double probability) { return real() < probability; }

 private:
  std::uint64_t state_;
};

}  // namespace socialsync::simulation
