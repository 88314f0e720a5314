#include "http/server.hpp"

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/session.hpp"
#include "net/listener.hpp"
#include "net/result.hpp"

namespace socialsync::http {

namespace asio = boost::asio;
using asio::ip::tcp;

class Server::State {
 public:
  State(asio::any_io_executor executor, Handler& handler, const Limits& limits)
      : executor(std::move(executor)),
        connections(std::make_shared<Connections>(Connections{.handler = handler, .limits = limits})) {}

  void admit(tcp::socket socket);
  void admit_backlog();

  const asio::any_io_executor executor;
  const std::shared_ptr<Connections> connections;
  std::optional<tcp::acceptor> acceptor;
};

namespace {

enum class Welcome : bool { serve, turn_away };

asio::awaitable<void> pause(std::chrono::milliseconds duration) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(net::as_result);
}

// Owns the session.
asio::awaitable<void> run_session(std::unique_ptr<Session> session, Welcome welcome) {
  if (welcome == Welcome::serve) {
    co_await session->serve();
  } else {
    co_await session->turn_away();
  }
}

// Runs until the server has stopped and its last connection is closed.
asio::awaitable<void> keep_time(std::shared_ptr<Connections> connections) {
  while (!connections->stopping || !connections->sessions.empty()) {
    co_await pause(connections->limits.tick);
    ++connections->ticks;
    for (Session* session : connections->sessions) session->end_if_expired();
  }
}

}  // namespace

void Server::State::admit(tcp::socket socket) {
  const Limits& limits = connections->limits;
  const std::size_t open = connections->sessions.size();
  const bool is_full = open >= limits.connections_max;
  if (open >= limits.connections_max + limits.turned_away_max)
    return connections->handler.protocol_error(503);
  auto session = std::make_unique<Session>(std::move(socket), connections);
  asio::co_spawn(executor, run_session(std::move(session), is_full ? Welcome::turn_away : Welcome::serve),
                 asio::detached);
}

// Accepts the connections in the kernel's backlog, which closing the listener would reset.
void Server::State::admit_backlog() {
  boost::system::error_code error;
  acceptor->non_blocking(true, error);
  while (!error) {
    tcp::socket socket(executor);
    acceptor->accept(socket, error);
    if (!error) admit(std::move(socket));
  }
}

Server::Server(asio::any_io_executor executor, Handler& handler, const Limits& limits)
    : state_(std::make_shared<State>(std::move(executor), handler, limits)) {}

Server::~Server() = default;

void Server::listen(const tcp::endpoint& endpoint) {
  state_->acceptor = net::listen(state_->executor, endpoint);
}

std::uint16_t Server::port() const { return state_->acceptor->local_endpoint().port(); }

asio::awaitable<void> Server::run() {
  const std::shared_ptr<State> state = state_;
  const Connections& connections = *state->connections;
  asio::co_spawn(state->executor, keep_time(state->connections), asio::detached);
  while (!connections.stopping) {
    auto [error, socket] = co_await state->acceptor->async_accept(net::as_result);
    if (!error) state->admit(std::move(socket));
    // Most likely out of file descriptors or memory: an immediate retry would only use CPU time.
    if (error && !connections.stopping) co_await pause(connections.limits.tick);
  }
}

void Server::stop() {
  state_->connections->stopping = true;
  boost::system::error_code ignored;
  if (state_->acceptor) {
    state_->admit_backlog();
    state_->acceptor->close(ignored);
  }
  for (Session* session : state_->connections->sessions) session->end_if_idle();
}

asio::awaitable<bool> Server::drained(std::chrono::steady_clock::duration limit) {
  constexpr std::chrono::milliseconds glance{10};
  const std::shared_ptr<Connections> connections = state_->connections;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!connections->sessions.empty() && std::chrono::steady_clock::now() < deadline) {
    co_await pause(glance);
  }
  for (Session* session : connections->sessions) session->cut();
  co_return connections->sessions.empty();
}

std::size_t Server::connections() const { return state_->connections->sessions.size(); }

}  // namespace socialsync::http
