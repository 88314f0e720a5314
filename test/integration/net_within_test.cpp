#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "net/within.hpp"

namespace socialsync::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> pause(std::chrono::milliseconds duration) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<std::string> word_after(std::chrono::milliseconds duration) {
  co_await pause(duration);
  co_return "word";
}

asio::awaitable<void> fail_after(std::chrono::milliseconds duration) {
  co_await pause(duration);
  throw std::runtime_error("its own reason");
}

template <class T>
T run(asio::awaitable<T> work) {
  asio::io_context context(1);
  auto result = asio::co_spawn(context, std::move(work), asio::use_future);
  context.run();
  return result.get();
}

boost::system::error_code error_of(asio::awaitable<void> work) {
  try {
    run(std::move(work));
  } catch (const boost::system::system_error& error) {
    return error.code();
  }
  return {};
}

TEST_CASE("within: gives the result of what is quick") {
  CHECK(run(within(5s, word_after(1ms))) == "word");
  CHECK(error_of(within(5s, pause(1ms))) == boost::system::error_code());
}

TEST_CASE("within: what is slow is cut off at the deadline") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(error_of(within(20ms, pause(60s))) == asio::error::timed_out);
  CHECK_THROWS_AS(run(within(20ms, word_after(60s))), boost::system::system_error);
  CHECK(std::chrono::steady_clock::now() - begin >= 40ms);
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("within: an error comes through as it is") {
  CHECK_THROWS_WITH_AS(run(within(5s, fail_after(1ms))), "its own reason", std::runtime_error);
}

TEST_CASE("within: may be nested, and the shorter limit counts") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(error_of(within(60s, within(20ms, pause(60s)))) == asio::error::timed_out);
  CHECK(error_of(within(20ms, within(60s, pause(60s)))) == asio::error::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

}  // namespace
}  // namespace socialsync::net
