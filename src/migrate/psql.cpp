#include "migrate/psql.hpp"

#include "migrate/service_file.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {
std::string run_psql(const pg::ConnectionOptions& options, std::string_view sql) {
  const ServiceFile service(options);
  const process::Finished finished =
      process::run({.arguments = {"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"},
                    .environment = service.environment(),
                    .input = sql});
  if (finished.exit_code != 0) throw PsqlFailed(finished.output);
  return finished.output;
}

}  // namespace socialsync::migrate
