#include "http/cli/mistify/program.hpp"

int main(int argc, char** argv) {
  return mistify::cli::run(argc, argv);
}
