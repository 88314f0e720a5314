#include "migrate/psql.hpp"

#include <utility>

#include <stdlib.h>
#include <unistd.h>

#include "pg/options.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {
namespace {

// A libpq service file that only we can read. https://www.postgresql.org/docs/current/libpq-pgservice.html
class ServiceFile {
 public:
  explicit ServiceFile(const pg::ConnectionOptions& options) : path_("/tmp/socialsync-service-XXXXXX") {
    std::string text = "[socialsync]\n";
    for (const auto& [keyword, value] : pg::expanded(options))
      text.append(keyword).append("=").append(value).append("\n");
    const int descriptor = mkstemp(path_.data());
    const bool written =
        descriptor >= 0 && write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (descriptor >= 0) close(descriptor);
    if (!written) throw std::runtime_error("cannot write " + path_);
  }
  ~ServiceFile() { unlink(path_.c_str()); }
  ServiceFile(const ServiceFile&) = delete;
  ServiceFile& operator=(const ServiceFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::string run_psql(const pg::ConnectionOptions& options, std::string_view sql) {
  const ServiceFile service(options);
  const process::Finished finished = process::run(
      {.arguments = {"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"},
       .environment = {{"PGSERVICEFILE", service.path()}, {"PGSERVICE", "socialsync"}, {"PGOPTIONS", ""}},
       .input = sql});
  if (finished.exit_code != 0) throw PsqlFailed(finished.output);
  return finished.output;
}

}  // namespace socialsync::migrate
