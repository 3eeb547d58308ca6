#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Standard output and standard error.
namespace mistify::cli {

/// Writes to standard output. Throws `give_up{failed}` where it cannot.
void print(std::string_view text);
/// Writes an escaped line: what the agent said is not to act on the terminal.
void print_line(std::string_view text);
/// Throws `give_up{failed}` where what was printed could not be written.
void flush_output();

/// Writes an escaped line to standard error. Write errors are ignored.
void print_error(std::string_view line);

/// Makes writes to a standard output that was closed when the program began fail, as they would have done.
void keep_closed_output() noexcept;

bool output_is_terminal();
bool error_is_terminal();
/// Whether output may have colours: on a terminal that is not dumb, without NO_COLOR.
bool has_colours();
/// Columns of the terminal at standard error; 80 where it does not say.
std::size_t columns_of_error();
/// Lines and columns of the terminal at standard output.
std::size_t lines_of_output();
std::size_t columns_of_output();

} // namespace mistify::cli
