// Values of a CSV with how unusual each is. Not among the commands, which nobody waits for and which are
// not optimised: a file may have millions of rows.
#pragma once

#include <string>

namespace z0::cli {

// Prints timestamp, value and anomaly_score of each row; `explains`: and the reason in words. "-" is the
// standard input. Throws Failure at the first row that cannot be read, with its place.
void print_scores(const std::string& file, bool explains);

}  // namespace z0::cli
