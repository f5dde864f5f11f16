// The command-line tool is a program and no library, so its parts that need neither a network nor a
// terminal are compiled into the tests here.
// NOLINTBEGIN(bugprone-suspicious-include)
#include "bindings/cli/audit/audit.cpp"
#include "bindings/cli/audit/ed25519.cpp"
#include "bindings/cli/audit/proofs.cpp"
#include "bindings/cli/audit/trust.cpp"
#include "bindings/cli/base/raw_json.cpp"
#include "bindings/cli/base/text.cpp"
#include "bindings/cli/native/frames.cpp"
#include "bindings/cli/sending/send.cpp"
#include "bindings/cli/sending/submission.cpp"
#include "bindings/cli/sending/tally.cpp"
#include "bindings/cli/sending/traffic.cpp"
// NOLINTEND(bugprone-suspicious-include)
