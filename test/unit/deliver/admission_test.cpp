#include "deliver/admission.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

Uuid admitted_endpoint(std::uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

TEST_CASE("admission: only endpoints that take deliveries, each up to its limit, together up to theirs") {
  Admission admission({.waiting_max = 3, .endpoint_waiting_max = 2});
  const Uuid one = admitted_endpoint(1), other = admitted_endpoint(2);
  CHECK_FALSE(admission.admit(one));
  admission.set(one, true);
  admission.set(other, true);
  CHECK(admission.admit(one));
  CHECK(admission.admit(one));
  CHECK_FALSE(admission.admit(one));
  CHECK(admission.admit(other));
  CHECK_FALSE(admission.admit(other));
  admission.leave(one);
  CHECK(admission.admit(other));
  admission.set(one, false);
  CHECK_FALSE(admission.admit(one));
}

TEST_CASE("admission: deliveries of a removed endpoint are no longer counted") {
  Admission admission({.waiting_max = 1, .endpoint_waiting_max = 1});
  const Uuid one = admitted_endpoint(1), other = admitted_endpoint(2);
  admission.set(one, true);
  CHECK(admission.admit(one));
  admission.remove(one);
  admission.leave(one);
  admission.set(other, true);
  CHECK(admission.admit(other));
}

}  // namespace
}  // namespace socialsync::deliver
