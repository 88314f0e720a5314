#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "base/assert.hpp"

int main(int argc, char** argv) {
  socialsync::assertions::are_on = true;
  return doctest::Context(argc, argv).run();
}
