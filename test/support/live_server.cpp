#include "support/live_server.hpp"

#include <future>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "net/result.hpp"

namespace socialsync::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

PathHandler::PathHandler(asio::io_context& context) : gate_(context, asio::steady_timer::time_point::max()) {}

std::optional<http::Response> PathHandler::refuse(const http::Request& head) {
  if (head.path != "/refused") return std::nullopt;
  return http::error_response(401, "refused", "not you");
}

asio::awaitable<http::Response> PathHandler::handle(http::Request request) {
  ++entered;
  const auto count_end = [this](void*) { ++finished; };
  const std::unique_ptr<void, decltype(count_end)> at_end(this, count_end);
  http::Response response = co_await respond(std::move(request));
  co_return response;
}

asio::awaitable<http::Response> PathHandler::respond(http::Request request) {
  if (request.path == "/throw") throw std::runtime_error("as asked");
  if (request.path == "/gate" && !is_gate_open_) co_await gate_.async_wait(net::as_result);
  http::Response response;
  response.content_type = "text/plain";
  response.body = request.path == "/large" ? std::string(32 << 20, 'l') : request.body;
  const bool is_known = request.path == "/echo" || request.path == "/gate" || request.path == "/large";
  if (!is_known) response = http::error_response(404, "not_found", "no such path");
  co_return response;
}

void PathHandler::protocol_error(int status) {
  const std::lock_guard lock(mutex_);
  protocol_errors_.push_back(status);
}

void PathHandler::open_gate() {
  is_gate_open_ = true;
  gate_.cancel();
}

std::vector<int> PathHandler::protocol_errors() const {
  const std::lock_guard lock(mutex_);
  return protocol_errors_;
}

http::Limits LiveServer::quick_limits() {
  http::Limits limits;
  limits.tick = 5ms;
  return limits;
}

LiveServer::LiveServer(const http::Limits& limits) : server_(context_.get_executor(), handler_, limits) {
  server_.listen({asio::ip::address_v4::loopback(), 0});
  port_ = server_.port();
  asio::co_spawn(context_, server_.run(), asio::detached);
  thread_ = std::thread([this] { context_.run(); });
}

LiveServer::~LiveServer() {
  open_gate();
  stop();
  drained(1s);
  work_.reset();
  thread_.join();
}

std::size_t LiveServer::connections() {
  std::size_t count = 0;
  on_server_thread([this, &count] { count = server_.connections(); });
  return count;
}

void LiveServer::stop(const std::function<void()>& before) {
  on_server_thread([this, &before] {
    before();
    server_.stop();
  });
}

void LiveServer::open_gate() {
  on_server_thread([this] { handler_.open_gate(); });
}

bool LiveServer::drained(std::chrono::milliseconds limit) {
  return asio::co_spawn(context_, server_.drained(limit), asio::use_future).get();
}

void LiveServer::on_server_thread(const std::function<void()>& work) {
  asio::post(context_, asio::use_future(work)).get();
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return condition();
}

}  // namespace socialsync::test
