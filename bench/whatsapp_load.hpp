// The load of the ingest benchmark: WhatsApp text messages to many tenants, each message different, and all
// bodies of one length. The same number gives the same message to the load generator and to the ceiling.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.hpp"

namespace socialsync::bench {

struct Load {
  std::uint32_t tenants;
  std::int64_t first_time_s;     // Unix time of message 0
  std::uint32_t messages_per_s;  // how fast the messages' own times go forward
};

struct Message {
  std::uint32_t tenant;  // 0 to tenants - 1; bench/support/database.py makes their accounts
  std::int64_t time_s;
  std::string id;
  std::string customer;
  std::string body;  // as Meta posts it: one entry, one change, one message
};

Message make_message(const Load& load, std::uint64_t number);

// The ids that bench/support/database.py gave to a tenant's user and account.
Uuid user_id(std::uint32_t tenant);
Uuid account_id(std::uint32_t tenant);

// An id like those of ingest: the time, then bits of no order. Different for different numbers.
Uuid log_id(const Message& message, std::uint64_t number);

}  // namespace socialsync::bench
