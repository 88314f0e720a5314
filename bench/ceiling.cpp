// The ceiling of the ingest benchmark: how many rows a second one libpq client, alone on the machine, gets
// into webhook_logs with durable commits. Tries each way of writing batches at several sizes; all parameters
// are encoded before the clock runs, and the rows are counted before a time counts. Prints JSON.
//
//   ceiling DSN SECONDS_PER_TRIAL TENANTS MESSAGES_PER_S [WAY BATCH]     WAY: unnest or copy
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "pg/statement.hpp"
#include "whatsapp_load.hpp"

namespace {

using namespace socialsync;
using Clock = std::chrono::steady_clock;

// More than any machine of two cores writes: a trial that runs out of rows ends early.
constexpr std::uint64_t rows_per_s_max = 60'000;

constexpr const char* insert_rows = R"(
INSERT INTO public.webhook_logs (id, social_account_id, user_id, platform, webhook_type, status, payload,
                                 external_message_id, customer_identifier)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[])::public.social_platform,
       unnest($5::text[]), unnest($6::text[]), unnest($7::jsonb[]), unnest($8::text[]), unnest($9::text[])
ON CONFLICT (id) DO NOTHING)";

constexpr const char* copy_rows = R"(
COPY public.webhook_logs (id, social_account_id, user_id, platform, webhook_type, status, payload,
                          external_message_id, customer_identifier) FROM STDIN)";

class Client {
 public:
  explicit Client(const char* dsn) : connection_(PQconnectdb(dsn), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    require(PQprepare(connection_.get(), "insert_rows", insert_rows, 0, nullptr), PGRES_COMMAND_OK);
  }

  std::string run(const std::string& sql) {
    PGresult* result = PQexec(connection_.get(), sql.c_str());
    const bool is_rows = PQresultStatus(result) == PGRES_TUPLES_OK;
    const std::string value = is_rows ? PQgetvalue(result, 0, 0) : "";
    require(result, is_rows ? PGRES_TUPLES_OK : PGRES_COMMAND_OK);
    return value;
  }

  void insert(const std::vector<std::string>& columns) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const std::string& column : columns) {
      values.push_back(column.data());
      lengths.push_back(static_cast<int>(column.size()));
    }
    const std::vector<int> formats(columns.size(), 1);
    require(PQexecPrepared(connection_.get(), "insert_rows", static_cast<int>(columns.size()), values.data(),
                           lengths.data(), formats.data(), 1),
            PGRES_COMMAND_OK);
  }

  void copy(const std::string& rows) {
    require(PQexec(connection_.get(), copy_rows), PGRES_COPY_IN);
    PQputCopyData(connection_.get(), rows.data(), static_cast<int>(rows.size()));
    PQputCopyEnd(connection_.get(), nullptr);
    while (PGresult* result = PQgetResult(connection_.get())) require(result, PGRES_COMMAND_OK);
  }

 private:
  void require(PGresult* result, ExecStatusType expected) {
    const bool good = PQresultStatus(result) == expected;
    PQclear(result);
    if (!good) throw std::runtime_error(PQerrorMessage(connection_.get()));
  }

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

struct Range {
  std::uint64_t first;
  std::uint64_t last;  // exclusive
};

std::vector<std::string> encode_columns(const bench::Load& load, Range range) {
  pg::Array id(pg::Type::uuid), account(pg::Type::uuid), user(pg::Type::uuid), platform(pg::Type::text),
      type(pg::Type::text), status(pg::Type::text), payload(pg::Type::jsonb), external(pg::Type::text),
      customer(pg::Type::text);
  for (std::uint64_t number = range.first; number < range.last; ++number) {
    const bench::Message message = bench::make_message(load, number);
    id.add(bench::log_id(message, number));
    account.add(bench::account_id(message.tenant));
    user.add(bench::user_id(message.tenant));
    platform.add("whatsapp");
    type.add("messages");
    status.add("received");
    payload.add_jsonb(message.body);
    external.add(message.id);
    customer.add(message.customer);
  }
  std::vector<std::string> columns;
  for (pg::Array* column : {&id, &account, &user, &platform, &type, &status, &payload, &external, &customer})
    columns.push_back(std::move(*column).encoded());
  return columns;
}

// COPY's text format; nothing in the load needs an escape.
std::string encode_lines(const bench::Load& load, Range range) {
  std::string lines;
  for (std::uint64_t number = range.first; number < range.last; ++number) {
    const bench::Message message = bench::make_message(load, number);
    lines +=
        fmt::format("{}\t{}\t{}\twhatsapp\tmessages\treceived\t{}\t{}\t{}\n",
                    to_string(bench::log_id(message, number)), to_string(bench::account_id(message.tenant)),
                    to_string(bench::user_id(message.tenant)), message.body, message.id, message.customer);
  }
  return lines;
}

struct Trial {
  const char* way;
  std::uint64_t batch;
  double rows_per_s;
};

// Writes batches until the time is over or the rows are; `write` takes one encoded batch.
template <typename Batches, typename Write>
Trial measure(Client& client, const char* way, std::uint64_t batch, Clock::duration limit,
              const Batches& batches, Write write) {
  client.run("TRUNCATE public.webhook_logs");
  client.run("CHECKPOINT");
  std::uint64_t written = 0;
  const auto began = Clock::now();
  for (const auto& encoded : batches) {
    if (Clock::now() - began > limit) break;
    write(encoded);
    written += batch;
  }
  const std::chrono::duration<double> took = Clock::now() - began;
  if (std::stoull(client.run("SELECT count(*) FROM public.webhook_logs")) != written)
    throw std::runtime_error("rows are missing");
  return {.way = way, .batch = batch, .rows_per_s = static_cast<double>(written) / took.count()};
}

template <typename Encode>
auto encode_all(const bench::Load& load, std::uint64_t rows, std::uint64_t batch, Encode encode) {
  std::vector<decltype(encode(load, Range{}))> batches;
  for (std::uint64_t first = 0; first + batch <= rows; first += batch)
    batches.push_back(encode(load, Range{.first = first, .last = first + batch}));
  return batches;
}

Trial run_trial(Client& client, const bench::Load& load, std::uint32_t seconds, std::string_view way,
                std::uint64_t batch) {
  const std::uint64_t rows = rows_per_s_max * seconds;
  const auto limit = std::chrono::seconds(seconds);
  if (way == "unnest")
    return measure(client, "unnest", batch, limit, encode_all(load, rows, batch, encode_columns),
                   [&](const auto& columns) { client.insert(columns); });
  return measure(client, "copy", batch, limit, encode_all(load, rows, batch, encode_lines),
                 [&](const auto& lines) { client.copy(lines); });
}

std::vector<Trial> run_trials(Client& client, const bench::Load& load, std::uint32_t seconds) {
  std::vector<Trial> trials;
  for (const std::uint64_t batch : {50U, 100U, 200U, 500U, 1000U}) {
    for (const char* way : {"unnest", "copy"}) trials.push_back(run_trial(client, load, seconds, way, batch));
  }
  return trials;
}

std::uint32_t number_of(const char* text) { return static_cast<std::uint32_t>(std::stoul(text)); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 7) {
    std::cerr << "usage: ceiling DSN SECONDS_PER_TRIAL TENANTS MESSAGES_PER_S [WAY BATCH]\n";
    return EXIT_FAILURE;
  }
  const std::uint32_t seconds = number_of(argv[2]);
  const std::uint32_t messages_per_s = number_of(argv[4]);
  const auto duration_s = static_cast<std::int64_t>(rows_per_s_max * seconds / messages_per_s) + 1;
  const bench::Load load{.tenants = number_of(argv[3]),
                         .first_time_s = std::time(nullptr) - duration_s,
                         .messages_per_s = messages_per_s};
  Client client(argv[1]);
  const std::vector<Trial> trials =
      argc == 5 ? run_trials(client, load, seconds)
                : std::vector{run_trial(client, load, seconds, argv[5], number_of(argv[6]))};
  std::string separator = "[";
  for (const Trial& trial : trials) {
    std::cout << fmt::format("{}{{\"way\": \"{}\", \"batch\": {}, \"rows_per_s\": {:.0f}}}", separator,
                             trial.way, trial.batch, trial.rows_per_s);
    separator = ",\n ";
  }
  std::cout << "]\n";
}
