#include "net/within.hpp"

namespace socialsync::net::detail {

std::shared_ptr<Deadline> start_deadline(const boost::asio::any_io_executor& executor,
                                         std::chrono::steady_clock::duration limit) {
  auto deadline = std::make_shared<Deadline>(executor);
  deadline->timer.expires_after(limit);
  deadline->timer.async_wait([deadline](const boost::system::error_code& error) {
    if (error) return;
    deadline->expired = true;
    deadline->cancel.emit(boost::asio::cancellation_type::terminal);
  });
  return deadline;
}

void pass_on_cancellation(boost::asio::cancellation_slot from, const std::shared_ptr<Deadline>& deadline) {
  if (!from.is_connected()) return;
  from.assign([weak = std::weak_ptr(deadline)](boost::asio::cancellation_type type) {
    if (const auto waiting = weak.lock()) waiting->cancel.emit(type);
  });
}

void finish_deadline(Deadline& deadline, const std::exception_ptr& failure) {
  deadline.timer.cancel();
  if (!failure) return;
  if (deadline.expired) throw boost::system::system_error(boost::asio::error::timed_out);
  std::rethrow_exception(failure);
}

}  // namespace socialsync::net::detail
