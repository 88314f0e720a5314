#include "migrate/backup/digest.hpp"

#include <chrono>
#include <map>
#include <set>

#include <fmt/core.h>

#include "migrate/query.hpp"

namespace socialsync::migrate {
namespace {

using namespace std::chrono_literals;

// The join skips settings that this PostgreSQL version lacks.
constexpr const char* pin_sql = R"(
  SELECT set_config(name, wanted, false)
  FROM (VALUES ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'),
               ('extra_float_digits', '3'), ('bytea_output', 'hex'), ('lc_monetary', 'C'), ('xmloption', 'content'),
               ('search_path', 'pg_catalog'), ('row_security', 'off'), ('default_transaction_read_only', 'off'),
               ('lock_timeout', '5s'), ('statement_timeout', '0'), ('transaction_timeout', '0'),
               ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
               ('max_parallel_workers_per_gather', '0')) AS pinned (pin, wanted)
  JOIN pg_catalog.pg_settings ON name = pin)";

constexpr const char* tables_sql = R"(
  SELECT format('%I.%I', n.nspname, c.relname),
         (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname) FROM pg_attribute AS a
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
         pg_table_size(c.oid),
         has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
         row_security_active(c.oid)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname, c.relname)";

TableDigest digest_of(pg::Session& session, const StoredTable& table) {
  const pg::ResultSet found = session.query(fmt::format(
      "SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text, 0)::numeric), 0) FROM ONLY {} AS t",
      table.columns, table.name));
  return {.name = table.name, .rows = first_number(found), .hash = std::string(found.text(0, 1))};
}

using ByName = std::map<std::string, TableDigest>;

ByName by_name(const std::vector<TableDigest>& digests) {
  ByName found;
  for (const TableDigest& digest : digests) found.emplace(digest.name, digest);
  return found;
}

std::string difference_of(const std::string& name, const ByName& originals, const ByName& copies) {
  const auto original = originals.find(name);
  const auto copy = copies.find(name);
  if (copy == copies.end()) return fmt::format("{}: {} rows, not in the copy\n", name, original->second.rows);
  if (original == originals.end()) return fmt::format("{}: only in the copy\n", name);
  if (original->second == copy->second) return "";
  if (original->second.rows == copy->second.rows)
    return fmt::format("{}: {} rows in both, with other values in the copy\n", name, copy->second.rows);
  return fmt::format("{}: {} rows, {} in the copy\n", name, original->second.rows, copy->second.rows);
}

}  // namespace

void pin_settings(pg::Session& session) { session.query(pin_sql); }

std::vector<StoredTable> list_tables(pg::Session& session) {
  const pg::ResultSet found = session.query(tables_sql);
  std::vector<StoredTable> tables;
  for (std::size_t row = 0; row < found.rows(); ++row) {
    tables.push_back({.name = std::string(found.text(row, 0)),
                      .columns = std::string(found.text(row, 1)),
                      .bytes = number_in(found, row, 2),
                      .is_readable = found.text(row, 3) == "t",
                      .has_hidden_rows = found.text(row, 4) == "t"});
  }
  return tables;
}

std::string difference(const std::vector<TableDigest>& original, const std::vector<TableDigest>& copy) {
  const ByName originals = by_name(original);
  const ByName copies = by_name(copy);
  std::set<std::string> names;
  for (const auto* side : {&originals, &copies})
    for (const auto& [name, digest] : *side) names.insert(name);
  std::string text;
  for (const std::string& name : names) text += difference_of(name, originals, copies);
  return text;
}

DigestRun::DigestRun(pg::Session& session, const std::vector<StoredTable>& tables)
    : session_(session),
      total_(tables.size()),
      digests_(std::async(std::launch::async, [this, tables] { return digest_all(tables); })) {}

std::vector<TableDigest> DigestRun::digest_all(const std::vector<StoredTable>& tables) {
  std::vector<TableDigest> digests;
  for (const StoredTable& table : tables) {
    if (cancelled_) break;
    digests.push_back(digest_of(session_, table));
    ++done_;
  }
  return digests;
}

bool DigestRun::running() const {
  return digests_.valid() && digests_.wait_for(0s) != std::future_status::ready;
}

std::vector<TableDigest> DigestRun::finish(const Attention& attention, const char* what) {
  attend(
      attention, [this] { return running(); },
      [&] { return Progress{.what = what, .done = done_, .total = total_, .unit = "tables"}; });
  return digests_.get();
}

DigestRun::~DigestRun() {
  cancelled_ = true;
  // Repeated: a cancel request between two statements cancels neither.
  while (running()) {
    session_.cancel();
    digests_.wait_for(50ms);
  }
}

}  // namespace socialsync::migrate
