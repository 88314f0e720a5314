#include "pg/options.hpp"

#include <memory>

#include <libpq-fe.h>

#include "pg/error.hpp"

namespace socialsync::pg {
namespace {

struct Free {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

bool is_connection_string(const std::string& database) {
  return database.starts_with("postgresql://") || database.starts_with("postgres://") ||
         database.find('=') != std::string::npos;
}

}  // namespace

ConnectionOptions expanded(const ConnectionOptions& options) {
  ConnectionOptions all;
  for (const auto& [keyword, value] : options) {
    if (keyword != "dbname" || !is_connection_string(value)) {
      all.emplace_back(keyword, value);
      continue;
    }
    char* reason = nullptr;
    const std::unique_ptr<PQconninfoOption, Free> parsed(PQconninfoParse(value.c_str(), &reason));
    if (reason) PQfreemem(reason);
    if (!parsed) throw Error("malformed database URL", "");
    for (const PQconninfoOption* option = parsed.get(); option->keyword; ++option) {
      if (option->val) all.emplace_back(option->keyword, option->val);
    }
  }
  return all;
}

ConnectionOptions with_database(const ConnectionOptions& options, const std::string& name) {
  ConnectionOptions all = expanded(options);
  std::erase_if(all, [](const auto& option) { return option.first == "dbname"; });
  all.emplace_back("dbname", name);
  return all;
}

}  // namespace socialsync::pg
