#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "http/server.hpp"
#include "support/http_client.hpp"
#include "support/live_server.hpp"

namespace socialsync::http {
namespace {

using test::eventually;
using test::HttpClient;
using test::LiveServer;
using namespace std::chrono_literals;

std::string echo(std::string_view body, std::string_view fields = "", std::string_view path = "/echo") {
  std::string bytes = "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n";
  bytes.append(fields).append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return bytes.append(body);
}

bool has_status(std::string_view answer, std::string_view status) {
  return answer.starts_with("HTTP/1.1 " + std::string(status) + " ");
}

TEST_CASE("http server: many requests over one connection") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  for (const std::string_view body : {"one", "", "three"}) {
    REQUIRE(client.send(echo(body)));
    const std::string answer = client.receive();
    CHECK(has_status(answer, "200"));
    CHECK(answer.find("Connection: keep-alive\r\n") != answer.npos);
    CHECK(answer.ends_with("\r\n\r\n" + std::string(body)));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("http server: requests sent ahead are answered in order") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("1", "", "/gate") + echo("2") + echo("", "", "/none") + echo("4")));
  REQUIRE(eventually([&] { return server.handler().entered == 1; }));
  server.open_gate();
  CHECK(client.receive().ends_with("\r\n\r\n1"));
  CHECK(client.receive().ends_with("\r\n\r\n2"));
  CHECK(has_status(client.receive(), "404"));
  CHECK(client.receive().ends_with("\r\n\r\n4"));
}

TEST_CASE("http server: the connection is closed when the client wants it") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient modern(server.port());
  REQUIRE(modern.send(echo("a", "Connection: close\r\n")));
  CHECK(modern.receive_all().find("Connection: close\r\n") != std::string::npos);
  HttpClient old(server.port());
  REQUIRE(old.send("GET /echo HTTP/1.0\r\n\r\n"));
  CHECK(old.receive_all().find("Connection: close\r\n") != std::string::npos);
  CHECK(old.is_closed());
}

TEST_CASE("http server: what follows a last request does not cost its answer") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("last", "Connection: close\r\n") + echo(std::string(300'000, 'x'))));
  CHECK(client.receive_all().ends_with("\r\n\r\nlast"));
  CHECK(client.is_closed());
  CHECK(server.handler().entered == 1);
}

TEST_CASE("http server: HEAD is answered without a body") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send("HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n" + echo("next")));
  const std::string head = client.receive_head();
  CHECK(has_status(head, "404"));
  CHECK(head.find("Content-Length: 0\r\n") == head.npos);
  CHECK(has_status(client.receive(), "200"));
}

TEST_CASE("http server: a chunked body of the full size") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'c') + "\r\n";
  REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 64; ++i) REQUIRE(client.send(chunk));
  REQUIRE(client.send("0\r\n\r\n"));
  CHECK(client.receive().ends_with("\r\n\r\n" + std::string(4 << 20, 'c')));
}

TEST_CASE("http server: 100 Continue is for clients that wait") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  const std::string bytes = echo("body", "Expect: 100-continue\r\n");
  REQUIRE(client.send(bytes.substr(0, bytes.size() - 4)));
  CHECK(client.receive_head() == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.send("body"));
  CHECK(client.receive().ends_with("\r\n\r\nbody"));
  REQUIRE(client.send(bytes));
  CHECK(has_status(client.receive(), "200"));
  REQUIRE(client.send(bytes.substr(0, bytes.size() - 2)));
  std::this_thread::sleep_for(20ms);
  REQUIRE(client.send(bytes.substr(bytes.size() - 2)));
  CHECK(has_status(client.receive_head(), "200"));
}

TEST_CASE("http server: a refused client is not told to continue") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  const std::string bytes = echo("body", "Expect: 100-continue\r\n", "/refused");
  REQUIRE(client.send(bytes.substr(0, bytes.size() - 4)));
  const std::string answer = client.receive_all();
  CHECK(has_status(answer, "401"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
}

TEST_CASE("http server: the connection survives a refusal whose body is short") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo(std::string(60'000, 'x'), "", "/refused") + echo("next")));
  CHECK(has_status(client.receive(), "401"));
  CHECK(client.receive().ends_with("\r\n\r\nnext"));
  CHECK(server.handler().entered == 1);
}

TEST_CASE("http server: a refusal does not wait for a long body, and reaches a client that is sending it") {
  LiveServer server(LiveServer::quick_limits());
  const std::string bytes = echo(std::string(900'000, 'x'), "", "/refused");
  for (const std::size_t sent : {std::size_t{1000}, bytes.size()}) {
    HttpClient client(server.port());
    client.send(std::string_view(bytes).substr(0, sent));
    CHECK(has_status(client.receive(), "401"));
    client.finish_sending();
    CHECK(client.receive_all().empty());
    CHECK(client.is_closed());
  }
  CHECK(server.handler().entered == 0);
}

TEST_CASE("http server: what it answers by itself is counted, and ends the connection") {
  LiveServer server(LiveServer::quick_limits());
  struct Case {
    std::string bytes;
    int status;
  };
  const std::vector<Case> cases = {
      {"hello\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: rain\r\n\r\n", 417},
      {"GET /" + std::string(20'000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
  };
  std::vector<int> expected;
  for (const Case& a_case : cases) {
    HttpClient client(server.port());
    REQUIRE(client.send(a_case.bytes + "and more"));
    const std::string answer = client.receive_all();
    CHECK(has_status(answer, std::to_string(a_case.status)));
    CHECK(answer.find("Connection: close\r\n") != answer.npos);
    CHECK(answer.find("{\"error\":{\"code\":\"") != answer.npos);
    CHECK(client.is_closed());
    expected.push_back(a_case.status);
  }
  CHECK(server.handler().protocol_errors() == expected);
  CHECK(server.handler().entered == 0);
}

TEST_CASE("http server: an exception of the handler is 500 and harms no other request") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("", "", "/throw")));
  const std::string answer = client.receive();
  CHECK(has_status(answer, "500"));
  CHECK(answer.find("as asked") == answer.npos);
  REQUIRE(client.send(echo("next")));
  CHECK(has_status(client.receive(), "200"));
  CHECK(server.handler().protocol_errors() == std::vector{500});
}

TEST_CASE("http server: slow heads and bodies are 408, however steadily they drip") {
  Limits limits = LiveServer::quick_limits();
  limits.header_timeout = limits.body_timeout = 60ms;
  LiveServer server(limits);
  for (const std::string_view begun :
       {"GET /", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"}) {
    const std::size_t errors_before = server.handler().protocol_errors().size();
    const auto begin = std::chrono::steady_clock::now();
    HttpClient client(server.port());
    REQUIRE(client.send(begun));
    CHECK(eventually(
        [&] { return client.send("a") && server.handler().protocol_errors().size() > errors_before; }));
    CHECK(std::chrono::steady_clock::now() - begin >= 60ms);
    CHECK(has_status(client.receive_all(), "408"));
  }
  CHECK(server.handler().protocol_errors() == std::vector{408, 408});
}

TEST_CASE("http server: an idle connection is closed in silence, before its first request and after") {
  Limits limits = LiveServer::quick_limits();
  limits.idle_timeout = 60ms;
  LiveServer server(limits);
  HttpClient fresh(server.port());
  CHECK(fresh.receive_all().empty());
  CHECK(fresh.is_closed());
  HttpClient used(server.port());
  REQUIRE(used.send(echo("a")));
  CHECK(has_status(used.receive(), "200"));
  CHECK(used.receive_all().empty());
  CHECK(used.is_closed());
  CHECK(server.handler().protocol_errors().empty());
}

TEST_CASE("http server: a handler may take longer than any limit of the connection") {
  Limits limits = LiveServer::quick_limits();
  limits.header_timeout = limits.body_timeout = limits.idle_timeout = limits.write_timeout = 20ms;
  LiveServer server(limits);
  HttpClient client(server.port());
  REQUIRE(client.send(echo("patience", "", "/gate")));
  std::this_thread::sleep_for(150ms);
  server.open_gate();
  CHECK(client.receive().ends_with("\r\n\r\npatience"));
}

TEST_CASE("http server: a client that does not read its answer is dropped") {
  Limits limits = LiveServer::quick_limits();
  limits.write_timeout = 60ms;
  LiveServer server(limits);
  HttpClient client(server.port());
  REQUIRE(client.send(echo("", "", "/large")));
  REQUIRE(eventually([&] { return server.handler().finished == 1; }));
  CHECK(eventually([&] { return server.connections() == 0; }));
}

TEST_CASE("http server: a client that goes away does not stop the handler") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("a", "", "/gate")));
  REQUIRE(eventually([&] { return server.handler().entered == 1; }));
  client.abort();
  server.open_gate();
  CHECK(eventually([&] { return server.handler().finished == 1 && server.connections() == 0; }));
  HttpClient next(server.port());
  REQUIRE(next.send(echo("b")));
  CHECK(has_status(next.receive(), "200"));
}

TEST_CASE("http server: a client may stop sending before it reads") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("a", "", "/gate")));
  client.finish_sending();
  server.open_gate();
  CHECK(client.receive_all().ends_with("\r\n\r\na"));
}

TEST_CASE("http server: too many connections are told so, then closed at once") {
  Limits limits = LiveServer::quick_limits();
  limits.connections_max = 1;
  limits.turned_away_max = 1;
  LiveServer server(limits);
  {
    HttpClient first(server.port());
    REQUIRE(eventually([&] { return server.connections() == 1; }));
    HttpClient second(server.port());
    REQUIRE(second.send(echo("a")));
    const std::string answer = second.receive();
    CHECK(has_status(answer, "503"));
    CHECK(answer.find("Retry-After: ") != answer.npos);
    HttpClient third(server.port());
    CHECK(third.receive_all().empty());
    CHECK(third.is_closed());
  }
  REQUIRE(eventually([&] { return server.connections() == 0; }));
  HttpClient fourth(server.port());
  REQUIRE(fourth.send(echo("b")));
  CHECK(has_status(fourth.receive(), "200"));
  CHECK(server.handler().protocol_errors() == std::vector{503, 503});
}

TEST_CASE("http server: bodies that would not fit together are asked to come later") {
  Limits limits = LiveServer::quick_limits();
  limits.bodies_bytes_max = 100;
  LiveServer server(limits);
  HttpClient first(server.port());
  HttpClient second(server.port());
  REQUIRE(first.send(echo(std::string(60, 'a'), "", "/gate")));
  REQUIRE(eventually([&] { return server.handler().entered == 1; }));
  REQUIRE(second.send(echo(std::string(60, 'b'))));
  const std::string refused = second.receive();
  CHECK(has_status(refused, "503"));
  CHECK(refused.find("Retry-After: ") != refused.npos);
  server.open_gate();
  CHECK(has_status(first.receive(), "200"));
  REQUIRE(second.send(echo(std::string(60, 'c'))));
  CHECK(has_status(second.receive(), "200"));
}

TEST_CASE("http server: stop closes what is idle and accepts no more") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient fresh(server.port());
  HttpClient used(server.port());
  REQUIRE(used.send(echo("a")));
  CHECK(has_status(used.receive(), "200"));
  REQUIRE(eventually([&] { return server.connections() == 2; }));
  server.stop();
  CHECK(server.drained(5s));
  CHECK(fresh.receive_all().empty());
  CHECK(fresh.is_closed());
  CHECK(used.receive_all().empty());
  CHECK(used.is_closed());
  CHECK_THROWS(HttpClient(server.port()));
}

TEST_CASE("http server: after stop, what has begun is finished") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient active(server.port());
  REQUIRE(active.send(echo("active", "", "/gate")));
  HttpClient begun(server.port());
  const std::string bytes = echo("begun");
  REQUIRE(begun.send(bytes.substr(0, 20)));
  REQUIRE(eventually([&] { return server.handler().entered == 1; }));
  server.stop();
  REQUIRE(begun.send(bytes.substr(20)));
  const std::string answer = begun.receive_all();
  CHECK(answer.ends_with("\r\n\r\nbegun"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  server.open_gate();
  CHECK(active.receive_all().ends_with("\r\n\r\nactive"));
  CHECK(server.drained(5s));
  CHECK(server.connections() == 0);
}

TEST_CASE("http server: a request received but not read before stop() is answered") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("first")));
  CHECK(has_status(client.receive(), "200"));
  std::this_thread::sleep_for(20ms);  // until the server waits for the next one
  server.stop([&] { CHECK(client.send(echo("late"))); });
  const std::string answer = client.receive_all();
  CHECK(answer.ends_with("\r\n\r\nlate"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
}

TEST_CASE("http server: at its deadline draining cuts what is left") {
  LiveServer server(LiveServer::quick_limits());
  HttpClient client(server.port());
  REQUIRE(client.send(echo("a", "", "/gate")));
  REQUIRE(eventually([&] { return server.handler().entered == 1; }));
  server.stop();
  CHECK_FALSE(server.drained(30ms));
  CHECK(client.receive_all().empty());
  CHECK(client.is_closed());
  CHECK(server.handler().finished == 0);
  server.open_gate();
  CHECK(eventually([&] { return server.handler().finished == 1 && server.connections() == 0; }));
}

}  // namespace
}  // namespace socialsync::http
