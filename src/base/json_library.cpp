// Boost.JSON is header-only here: this is the one place where it is compiled.
#include <boost/json/src.hpp>
