#pragma once

#include <iosfwd>

namespace stator::cli {

/// docs/configuration.md, made from the table of settings.
void print_configuration_page(std::ostream& out);
/// A file of every setting at its default, each explained and commented out.
void print_configuration_template(std::ostream& out);

}  // namespace stator::cli
