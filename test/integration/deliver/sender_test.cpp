// Hostile and broken receivers.
#include "deliver/wire/sender.hpp"

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "support/misbehaving_server.hpp"

namespace socialsync::deliver {
namespace {

namespace asio = boost::asio;
using test::MisbehavingServer;
using namespace std::chrono_literals;

EgressPolicy loopback_allowed(const std::string& proxy = "") {
  return {{*net::Cidr::parse("127.0.0.0/8")}, true, proxy};
}

SenderLimits quick() {
  SenderLimits limits;
  limits.total_timeout = 300ms;
  return limits;
}

// A sender, and the loop that it runs on while a test waits for it.
struct Client {
  explicit Client(EgressPolicy policy = loopback_allowed(), const SenderLimits& limits = {})
      : sender(context.get_executor(), std::move(policy), limits) {}

  template <class T>
  T run(asio::awaitable<T> work) {
    auto result = asio::co_spawn(context, std::move(work), asio::use_future);
    context.restart();
    while (result.wait_for(0s) != std::future_status::ready) context.run_one();
    return result.get();
  }
  Reply post(const std::string& url, const std::string& body = "{}") {
    return run(sender.send({.url = url, .body = body, .headers = {{"Content-Type", "application/json"}}}));
  }

  asio::io_context context{1};
  Sender sender;
};

asio::awaitable<int> send_many(Sender& sender, std::string url, int count) {
  int good = 0;
  for (int i = 0; i < count; ++i) {
    Request request{.url = url, .body = "{}"};
    Reply reply = co_await sender.send(std::move(request));
    if (reply.status == 200) ++good;
  }
  co_return good;
}

TEST_CASE("sender: an answer is a reply, whatever its status") {
  MisbehavingServer server;
  Client client;
  const Reply fine = client.post(server.url("/ok"));
  CHECK(fine.error == SendError::none);
  CHECK(fine.status == 200);
  CHECK(fine.body_head == "fine");
  CHECK(fine.detail == "");
  CHECK(fine.took > 0us);
  CHECK_FALSE(fine.retry_after);
  CHECK(client.post(server.url("/500")).status == 500);
  CHECK(client.post(server.url("/500")).body_head == "trouble");
  CHECK(client.post(server.url("/410")).status == 410);
  CHECK(client.post(server.url("/interim")).status == 201);
  CHECK(client.post(server.url("/interim")).body_head == "made");
}

TEST_CASE("sender: the request arrives as it was given") {
  MisbehavingServer server;
  Client client;
  Request request{
      .url = server.url("/echo?q=1"), .body = "the\"body", .headers = {{"X-One", "1"}, {"X-Empty", ""}}};
  const std::string post = client.run(client.sender.send(request)).body_head;
  CHECK(post.starts_with("POST /echo?q=1 HTTP/1.1\r\n"));
  CHECK(post.ends_with("\r\n\r\nthe\"body"));
  CHECK(post.find("\r\nX-One: 1\r\n") != std::string::npos);
  CHECK(post.find("\r\nX-Empty:\r\n") != std::string::npos);
  CHECK(post.find("\r\nUser-Agent: socialsync/" SOCIALSYNC_VERSION "\r\n") != std::string::npos);
  CHECK(client.post(server.url("/echo"), std::string(2 << 20, 'x')).body_head.find("Expect") ==
        std::string::npos);
  request = {.url = server.url("/echo"), .is_get = true};
  const std::string get = client.run(client.sender.send(request)).body_head;
  CHECK(get.starts_with("GET /echo HTTP/1.1\r\n"));
  CHECK(get.find("Content-") == std::string::npos);
}

TEST_CASE("sender: redirects are answers, and not followed") {
  MisbehavingServer server;
  Client client;
  const Reply reply = client.post(server.url("/302"));
  CHECK(reply.status == 302);
  CHECK(reply.error == SendError::none);
  CHECK(server.requests == 1);
}

TEST_CASE("sender: Retry-After in both forms, and forgotten by the next request") {
  MisbehavingServer server;
  Client client;
  CHECK(client.post(server.url("/429")).retry_after == 120s);
  CHECK_FALSE(client.post(server.url("/429-past")).retry_after);
  CHECK(client.post(server.url("/429-date")).retry_after.value() > 24h);
  CHECK_FALSE(client.post(server.url("/ok")).retry_after);
}

TEST_CASE("sender: receivers that do not answer, or not in time") {
  MisbehavingServer server;
  Client client(loopback_allowed(), quick());
  CHECK(client.post(server.url("/hang?token=secret")).error == SendError::timed_out);
  CHECK(client.post(server.url("/hang?token=secret")).detail.find("secret") == std::string::npos);
  CHECK(client.post(server.url("/drip")).error == SendError::timed_out);
  CHECK(client.post(server.url("/reset")).error == SendError::connection_lost);
  CHECK(client.post(server.url("/reset-in-head")).detail.find("within the answer's head") !=
        std::string::npos);
  CHECK(client.post(server.url("/reset-in-head")).error == SendError::connection_lost);
  CHECK(client.post(server.url("/interim-only")).error == SendError::connection_lost);
  CHECK(client.post(server.url("/reset")).status == 0);
  CHECK(client.post("http://127.0.0.1:1/").error == SendError::not_connected);
  CHECK(client.post("http://nowhere.invalid/").error == SendError::name_not_found);
  CHECK(client.post(server.url("/ok")).status == 200);
}

TEST_CASE("sender: answers that are none, or too much") {
  MisbehavingServer server;
  Client client;
  CHECK(client.post(server.url("/garbage")).error == SendError::protocol_error);
  const Reply large = client.post(server.url("/huge-headers"));
  CHECK(large.error == SendError::protocol_error);
  CHECK(large.detail == "the answer's headers are too large");
  const Reply huge = client.post(server.url("/bytes/100000000"));
  CHECK(huge.error == SendError::none);
  CHECK(huge.status == 200);
  CHECK(huge.body_head == std::string(4096, 'b'));
  CHECK(client.post(server.url("/bytes/4096")).body_head.size() == 4096);
  CHECK(client.post(server.url("/bytes/4097")).body_head.size() == 4096);
  const Reply cut = client.post(server.url("/cut-body"));
  CHECK(cut.status == 200);
  CHECK(cut.body_head == "beginning");
  CHECK(cut.detail != "");
}

TEST_CASE("sender: connections are kept") {
  MisbehavingServer server;
  Client client;
  for (int i = 0; i < 50; ++i) CHECK(client.post(server.url("/ok")).status == 200);
  CHECK(server.connections == 1);
  std::vector<std::future<int>> lanes;
  for (int i = 0; i < 10; ++i)
    lanes.push_back(
        asio::co_spawn(client.context, send_many(client.sender, server.url("/ok"), 100), asio::use_future));
  for (std::future<int>& lane : lanes) {
    while (lane.wait_for(0s) != std::future_status::ready) client.context.run_one();
    CHECK(lane.get() == 100);
  }
  CHECK(server.requests == 1050);
  CHECK(server.connections <= 10);
  CHECK(client.sender.in_flight() == 0);
}

TEST_CASE("sender: URLs that are none, or not for us") {
  MisbehavingServer server;
  Client client;
  for (const std::string url :
       {"", "127.0.0.1", "http:/127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://",
        "http://user@127.0.0.1/", "http://u:p@127.0.0.1/", "http://a b/", "http://127.0.0.1:99999/",
        "gopher://127.0.0.1/", "http://127.0.0.1\r\nX: y/"})
    CHECK_MESSAGE(client.post(url).error == SendError::bad_url, url);
  CHECK(client.post("http://u:hunter2@127.0.0.1/?hunter2").detail.find("hunter2") == std::string::npos);
  Request request{.url = server.url("/ok"), .headers = {{"X-One", "1\r\nX-Two: 2"}}};
  CHECK(client.run(client.sender.send(request)).error == SendError::bad_url);
  request.headers = {{"X One", "1"}};
  CHECK(client.run(client.sender.send(request)).error == SendError::bad_url);
  Client strict(EgressPolicy{{*net::Cidr::parse("127.0.0.0/8")}, false, ""});
  CHECK(strict.post(server.url("/ok")).error == SendError::bad_url);
  CHECK(server.requests == 0);
}

TEST_CASE("sender: a request that is refused at once has nothing of the one before") {
  MisbehavingServer server;
  Client client;
  Request request{.url = server.url("/ok"), .wants_address = true};
  const Reply fine = client.run(client.sender.send(request));
  REQUIRE(fine.address != "");
  REQUIRE(fine.took > 0us);
  request.url = "ftp://127.0.0.1/";
  const Reply refused = client.run(client.sender.send(request));
  CHECK(refused.address == "");
  CHECK(refused.took == 0us);
}

TEST_CASE("sender: private addresses are refused in every writing, and nothing reaches them") {
  MisbehavingServer server;
  Client client(EgressPolicy{{}, true, ""});
  const std::string port = ":" + std::to_string(server.port()) + "/ok";
  for (const std::string host :
       {"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0x7f000001", "localhost", "[::1]", "0",
        "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[::ffff:7f00:1]", "169.254.169.254",
        "%31%32%37.0.0.1", "[fe80::1%25lo]"}) {
    const Reply reply = client.post("http://" + host + port);
    CHECK_MESSAGE(reply.error == SendError::address_refused, host << ": " << reply.detail);
    CHECK_MESSAGE(reply.status == 0, host);
  }
  CHECK(server.connections == 0);
}

TEST_CASE("sender: through a proxy, literal addresses are looked at and the proxy's is the operator's") {
  MisbehavingServer server;
  const std::string proxy = "http://me:hunter2@127.0.0.1:" + std::to_string(server.port());
  Client client(EgressPolicy{{}, true, proxy});
  CHECK(client.post("http://127.0.0.1/").error == SendError::address_refused);
  CHECK(client.post("http://0x7f.1/").error == SendError::address_refused);
  CHECK(client.post("http://[::1]/").error == SendError::address_refused);
  CHECK(server.connections == 0);
  CHECK(client.post("http://receiver.example/").status == 404);
  CHECK(server.requests == 1);
  Client broken(EgressPolicy{{}, true, "http://me:hunter2@127.0.0.1:1"});
  const Reply reply = broken.post("http://receiver.example/");
  CHECK(reply.error == SendError::not_connected);
  CHECK(reply.detail.find("hunter2") == std::string::npos);
}

TEST_CASE("sender: a cancelled request ends, and the others go on") {
  MisbehavingServer server;
  Client client;
  asio::cancellation_signal cancel;
  boost::system::error_code error;
  asio::co_spawn(client.context, client.sender.send({.url = server.url("/hang")}),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& failure, Reply) {
                   try {
                     if (failure) std::rethrow_exception(failure);
                   } catch (const boost::system::system_error& thrown) {
                     error = thrown.code();
                   }
                 }));
  while (server.requests == 0) client.context.run_one_for(1ms);
  CHECK(client.sender.in_flight() == 1);
  cancel.emit(asio::cancellation_type::terminal);
  while (client.sender.in_flight() > 0) client.context.run_one_for(1ms);
  CHECK(client.post(server.url("/ok")).status == 200);
  CHECK(error == asio::error::operation_aborted);
  cancel.emit(asio::cancellation_type::terminal);
  CHECK(client.post(server.url("/ok")).status == 200);
}

TEST_CASE("sender: stopped, each request ends once") {
  MisbehavingServer server;
  Client client;
  std::vector<std::future<Reply>> pending;
  for (int i = 0; i < 5; ++i)
    pending.push_back(
        asio::co_spawn(client.context, client.sender.send({.url = server.url("/hang")}), asio::use_future));
  while (server.requests < 5) client.context.run_one_for(1ms);
  client.sender.stop();
  client.sender.stop();
  pending.push_back(
      asio::co_spawn(client.context, client.sender.send({.url = server.url("/ok")}), asio::use_future));
  client.context.run();  // which nothing keeps from ending now
  for (std::future<Reply>& each : pending) CHECK_THROWS_AS(each.get(), boost::system::system_error);
}

TEST_CASE("sender: destroyed while requests are on their way") {
  MisbehavingServer server;
  asio::io_context context(1);
  auto sender = std::make_unique<Sender>(context.get_executor(), loopback_allowed());
  auto pending = asio::co_spawn(context, sender->send({.url = server.url("/hang")}), asio::use_future);
  while (server.requests == 0) context.run_one_for(1ms);
  sender.reset();
  context.run();
  CHECK_THROWS_AS(pending.get(), boost::system::system_error);
}

}  // namespace
}  // namespace socialsync::deliver
