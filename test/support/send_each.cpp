// Sends a GET to each URL that comes on standard input, and prints what came of it, a line of JSON for each,
// until the input ends: what test/e2e shows deliver/wire/sender's resolver and TLS with.
//
//   send_each [--allow NETWORK]… [--http] [--ca FILE] [--timeout MILLISECONDS] [--name-lifetime SECONDS]
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "deliver/wire/sender.hpp"
#include "net/result.hpp"

namespace {

using namespace socialsync;
namespace asio = boost::asio;

void print(const deliver::Reply& reply) {
  std::string detail, body;
  append_json_string(detail, reply.detail);
  append_json_string(body, reply.body_head);
  std::cout << fmt::format(R"({{"error": "{}", "status": {}, "took_ms": {}, "body": {}, "detail": {}}})",
                           to_string(reply.error), reply.status, reply.took.count() / 1000, body, detail)
            << std::endl;
}

asio::awaitable<void> send_each(deliver::Sender& sender) {
  for (std::string url; std::getline(std::cin, url);) {
    deliver::Request request{.url = url, .is_get = true};
    deliver::Reply reply = co_await sender.send(std::move(request));
    print(reply);
  }
  sender.stop();
}

}  // namespace

int main(int argument_count, char** arguments) {
  CLI::App app;
  std::vector<std::string> allowed;
  deliver::SenderLimits limits;
  bool is_http = false;
  int timeout_ms = 15'000, name_lifetime_s = 30;
  app.add_option("--allow", allowed);
  app.add_flag("--http", is_http);
  app.add_option("--ca", limits.ca_file);
  app.add_option("--timeout", timeout_ms);
  app.add_option("--name-lifetime", name_lifetime_s);
  CLI11_PARSE(app, argument_count, arguments);
  limits.total_timeout = std::chrono::milliseconds(timeout_ms);
  limits.name_lifetime = std::chrono::seconds(name_lifetime_s);
  std::vector<net::Cidr> networks;
  for (const std::string& text : allowed) networks.push_back(*net::Cidr::parse(text));
  asio::io_context context(1);
  deliver::Sender sender(context.get_executor(), {networks, is_http, ""}, limits);
  asio::co_spawn(context, send_each(sender), net::rethrow);
  context.run();
}
