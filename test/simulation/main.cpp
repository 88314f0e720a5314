// simulation [--seconds N] [--seed S] [--corpus FILE]: plays histories of gateways, a database and receivers
// in virtual time, and checks invariants at each step. Ends with 1, and prints the seed, the invariant and
// the shortest history found, when one is broken.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "simulation/shrink.hpp"
#include "simulation/world.hpp"

namespace socialsync::simulation {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::chrono::seconds seconds{20};
  std::optional<std::uint64_t> seed;
  std::string corpus;
};

struct Totals {
  std::uint64_t histories = 0;
  std::uint64_t steps = 0;
  std::uint64_t sent = 0;
  std::uint64_t events = 0;
  std::chrono::duration<double, std::ratio<3600>> hours{0};
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(number) : std::nullopt;
}

[[noreturn]] void fail_usage() {
  std::fputs("usage: simulation [--seconds N | --seed S | --corpus FILE]\n", stderr);
  std::exit(2);
}

Options options_of(const std::vector<std::string_view>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) fail_usage();
    const auto number = number_of(words[i + 1]);
    if (words[i] == "--seconds" && number)
      options.seconds = std::chrono::seconds(*number);
    else if (words[i] == "--seed" && number)
      options.seed = *number;
    else if (words[i] == "--corpus")
      options.corpus = words[i + 1];
    else
      fail_usage();
  }
  return options;
}

// The first word of each line that is not a comment.
std::vector<std::uint64_t> seeds_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    std::exit(2);
  }
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);) {
    if (const auto seed = number_of(std::string_view(line).substr(0, line.find(' ')))) seeds.push_back(*seed);
  }
  return seeds;
}

void report(const Plan& plan, const History& history) {
  const std::chrono::duration<double> at = history.lasted;
  fmt::print("seed {}: broken after {:.3f} s of virtual time: {}\n  {}\n", plan.seed, at.count(),
             history.violation->invariant, history.violation->detail);
  std::fflush(stdout);
  const Shrunk shrunk = shrink(plan, *history.violation);
  const std::chrono::duration<double> then = shrunk.history.lasted;
  fmt::print(
      "the shortest history found, after {} replays; broken after {:.3f} s: {}\n{}replay: simulation --seed "
      "{}\n",
      shrunk.replays, then.count(), shrunk.history.violation->detail, describe(shrunk.plan), plan.seed);
}

std::uint64_t playing = 0;  // the seed, for on_abort()

// An assertion has failed, or the program crashed: it ends without shortening the history.
void on_abort(int) {
  fmt::print("seed {}: an assertion failed, or a crash\nreplay: simulation --seed {}\n", playing, playing);
  std::fflush(stdout);
  std::_Exit(1);
}

bool holds(std::uint64_t seed, Totals& totals) {
  playing = seed;
  const Plan plan = make_plan(seed);
  const History history = play(plan);
  ++totals.histories;
  totals.steps += history.steps;
  totals.sent += history.sent;
  totals.events += history.events;
  totals.hours += history.lasted;
  if (history.violation) report(plan, history);
  return !history.violation;
}

bool run(const Options& options, Totals& totals) {
  if (options.seed) return holds(*options.seed, totals);
  if (!options.corpus.empty()) {
    const std::vector<std::uint64_t> seeds = seeds_in(options.corpus);
    return std::ranges::all_of(seeds, [&](std::uint64_t seed) { return holds(seed, totals); });
  }
  std::random_device device;
  std::uint64_t seed = device();
  fmt::print("seeds from {} on\n", seed);
  const auto end = Clock::now() + options.seconds;
  for (; Clock::now() < end; ++seed)
    if (!holds(seed, totals)) return false;
  return true;
}

}  // namespace
}  // namespace socialsync::simulation

int main(int count, char** words) {
  using namespace socialsync;
  assertions::are_on = true;
  for (const int signal : {SIGABRT, SIGSEGV}) std::signal(signal, simulation::on_abort);
  simulation::Totals totals;
  const bool all_hold = simulation::run(simulation::options_of({words + 1, words + count}), totals);
  fmt::print("{} histories, {:.0f} virtual hours, {} events, {} deliveries sent, {} steps: {}\n",
             totals.histories, totals.hours.count(), totals.events, totals.sent, totals.steps,
             all_hold ? "passed" : "failed");
  return all_hold ? 0 : 1;
}
