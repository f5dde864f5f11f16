// The command-line tool is a program and no library, so its parts that need neither a network nor a
// terminal are compiled into the tests here.
// NOLINTBEGIN(bugprone-suspicious-include)
#include "bindings/cli/audit.cpp"
#include "bindings/cli/ed25519.cpp"
#include "bindings/cli/frames.cpp"
#include "bindings/cli/proofs.cpp"
#include "bindings/cli/raw_json.cpp"
#include "bindings/cli/send.cpp"
#include "bindings/cli/submission.cpp"
#include "bindings/cli/tally.cpp"
#include "bindings/cli/text.cpp"
#include "bindings/cli/traffic.cpp"
#include "bindings/cli/trust.cpp"
// NOLINTEND(bugprone-suspicious-include)
