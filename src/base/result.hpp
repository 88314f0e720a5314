// Bad input is a value, a broken world is an exception, a bug is an assertion.
#pragma once

#include <boost/system/result.hpp>

namespace socialsync {

// A value, or an enum that names the fault. value() of a fault would throw: call has_value() or has_error()
// first.
template <class Value, class Error>
using Result = boost::system::result<Value, Error>;

}  // namespace socialsync
