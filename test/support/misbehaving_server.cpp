#include "support/misbehaving_server.hpp"

#include <charconv>
#include <chrono>
#include <map>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "net/result.hpp"

namespace socialsync::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

// Where the head of a request says how long its body is.
std::size_t body_size(const std::string& head) {
  constexpr std::string_view name = "Content-Length: ";
  const std::size_t at = head.find(name);
  std::size_t size = 0;
  if (at != std::string::npos)
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), size);
  return size;
}

std::string with_body(const std::string& head, const std::string& body) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Answers that are sent unchanged.
const std::map<std::string, std::string>& answers() {
  static const std::map<std::string, std::string> answers = {
      {"/ok", with_body("200 OK", "fine")},
      {"/500", with_body("500 Oops", "trouble")},
      {"/302", with_body("302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/", "")},
      {"/410", with_body("410 Gone", "")},
      {"/429", with_body("429 Slow\r\nRetry-After: 120", "")},
      {"/429-date", with_body("429 Slow\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT", "")},
      {"/429-past", with_body("429 Slow\r\nRetry-After: Fri, 01 Jan 1999 00:00:00 GMT", "")},
      {"/interim", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + with_body("201 Made", "made")},
      {"/interim-only", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
      {"/garbage", "\x01\x02\x03 this is no HTTP at all\r\n\r\n"},
      {"/reset-in-head", "HTTP/1.1 200 OK\r\nContent-"},
      {"/cut-body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning"},
      {"/huge-headers", "HTTP/1.1 200 OK\r\n" +
                            [] {
                              std::string headers;
                              for (int i = 0; i < 5000; ++i)
                                headers += "X-Header-" + std::to_string(i) + ": and its value\r\n";
                              return headers;
                            }()},
  };
  return answers;
}

bool ends_connection(const std::string& path) {
  return path == "/garbage" || path == "/reset-in-head" || path == "/cut-body" || path == "/interim-only" ||
         path == "/huge-headers";
}

}  // namespace

MisbehavingServer::MisbehavingServer() {
  acceptor_.open(tcp::v4());
  acceptor_.bind({asio::ip::address_v4::loopback(), 0});
  acceptor_.listen();
  port_ = acceptor_.local_endpoint().port();
  asio::co_spawn(context_, accept(), asio::detached);
  thread_ = std::thread([this] { context_.run(); });
}

MisbehavingServer::~MisbehavingServer() {
  context_.stop();
  thread_.join();
}

std::string MisbehavingServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

asio::awaitable<void> MisbehavingServer::accept() {
  while (true) {
    tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
    ++connections;
    asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> MisbehavingServer::serve(tcp::socket socket) {
  std::string read;
  while (true) {
    auto [error, head_size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(read), "\r\n\r\n", net::as_result);
    if (error) co_return;
    const std::size_t size = head_size + body_size(read.substr(0, head_size));
    if (read.size() < size) {
      auto [cut, count] = co_await asio::async_read(
          socket, asio::dynamic_buffer(read), asio::transfer_exactly(size - read.size()), net::as_result);
      if (cut) co_return;
    }
    ++requests;
    const std::string request = read.substr(0, size);
    read.erase(0, size);
    const std::size_t begin = request.find(' ') + 1;
    const std::string path = request.substr(begin, request.find_first_of(" ?", begin) - begin);
    const bool goes_on = co_await answer(socket, path, request);
    if (!goes_on) co_return;
  }
}

asio::awaitable<bool> MisbehavingServer::answer(tcp::socket& socket, std::string path, std::string request) {
  std::string text = path == "/echo" ? with_body("200 OK", request) : with_body("404 Not Found", "");
  if (const auto found = answers().find(path); found != answers().end()) text = found->second;
  if (path.starts_with("/bytes/")) text = with_body("200 OK", std::string(std::stoul(path.substr(7)), 'b'));
  if (path == "/hang") {
    asio::steady_timer timer(context_, asio::steady_timer::time_point::max());
    co_await timer.async_wait(net::as_result);
  }
  if (path == "/reset") {
    socket.set_option(asio::socket_base::linger(true, 0));
    co_return false;
  }
  if (path == "/drip") {
    co_await drip(socket);
    co_return false;
  }
  auto [error, count] = co_await asio::async_write(socket, asio::buffer(text), net::as_result);
  co_return !error && !ends_connection(path);
}

asio::awaitable<void> MisbehavingServer::drip(tcp::socket& socket) {
  const std::string text = answers().at("/ok");
  asio::steady_timer timer(context_);
  for (const char& byte : text) {
    auto [error, count] = co_await asio::async_write(socket, asio::buffer(&byte, 1), net::as_result);
    if (error) co_return;
    timer.expires_after(1s);
    co_await timer.async_wait(net::as_result);
  }
}

}  // namespace socialsync::test
