// Bad input is a value, a broken world is an exception, a bug is an assertion.
#pragma once

#include <boost/system/result.hpp>

namespace socialsync {

// A value, or an enum that says why there is none. Never thrown across: call has_value() or has_error().
template <class Value, class Error>
using Result = boost::system::result<Value, Error>;

}  // namespace socialsync
