#include "migrate/catalogue.hpp"

#include "migrate/query.hpp"
#include "migrate/session.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* select_steps = R"(
SELECT (step).id, (step).title, coalesce((step).lock, ''), (step).tables, (step).alone, (step).present,
       coalesce((step).precheck, ''), coalesce((step).statements, ''), coalesce((step).note, ''), part
FROM pg_temp.steps() ORDER BY place)";

}  // namespace

Catalogue::Catalogue(const pg::ConnectionOptions& options, Use use) : session_(open_session(options)) {
  if (use == Use::read) session_->execute("BEGIN");
  session_->execute(std::string(update_definitions()));
}

std::vector<Step> Catalogue::steps() {
  const pg::ResultSet rows = session_->query(select_steps);
  std::vector<Step> steps;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    steps.push_back({.id = std::string(rows.text(row, 0)),
                     .title = std::string(rows.text(row, 1)),
                     .lock = std::string(rows.text(row, 2)),
                     .tables = std::string(rows.text(row, 3)),
                     .alone = rows.text(row, 4) == "t",
                     .present = rows.text(row, 5) == "t",
                     .precheck = std::string(rows.text(row, 6)),
                     .statements = std::string(rows.text(row, 7)),
                     .note = std::string(rows.text(row, 8)),
                     .part = std::string(rows.text(row, 9))});
  return steps;
}

std::vector<std::string> Catalogue::lines_from(const std::string& function) {
  return lines_of(session_->query("SELECT line FROM pg_temp." + function + "() AS line"));
}

std::vector<std::string> Catalogue::missing_rights() { return lines_from("missing_rights"); }
std::vector<std::string> Catalogue::conflicts() { return lines_from("conflicts"); }
std::vector<std::string> Catalogue::warnings() { return lines_from("access_warnings"); }
std::vector<std::string> Catalogue::leaks() { return lines_from("leaks"); }

std::vector<BlockingRows> Catalogue::blocking_rows() {
  const pg::ResultSet rows = session_->query("SELECT kind, found FROM pg_temp.blocking_rows()");
  std::vector<BlockingRows> found;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    found.push_back({.kind = std::string(rows.text(row, 0)), .found = std::string(rows.text(row, 1))});
  return found;
}

std::string hash_of(const std::vector<Step>& steps, pg::Session& session) {
  std::string all;
  for (const Step& step : steps) {
    if (!step.present) all += step.id + '\n' + step.statements + '\n';
  }
  return first_value(session.query("SELECT left(encode(sha256(convert_to($1, 'UTF8')), 'hex'), 16)", {all}));
}

}  // namespace socialsync::migrate
