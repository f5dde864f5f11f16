// Checkpoints: a ledger's size and root as a signed text, which anybody can keep, pass on and check
// offline. The formats are those of c2sp.org/tlog-checkpoint and c2sp.org/signed-note, so tools and
// witnesses of transparency logs read them.
//
// Nothing here signs or verifies: Ed25519 is the host's business (WebCrypto in a Worker, OpenSSL in
// a native tool). The host signs the bytes of checkpoint_text, and verifies a NoteSignature over
// Note::text. Until it has, nothing that a note says may be believed.
//
// Parsing takes one form of each thing only: what parses is, written again, the same bytes. A parse
// that fails leaves `out` empty. What nobody could parse is not made: writers answer with an empty
// string.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/sha256.hpp"

namespace z0 {

using Ed25519Key = std::array<std::uint8_t, 32>;  // a public key, as in RFC 8032
inline constexpr std::size_t ed25519_signature_bytes = 64;

// A key's or a log's name: UTF-8, not empty, no white space, no control characters, no plus.
bool valid_key_name(std::string_view name);

// -- the tree's head ------------------------------------------------------------------------------

struct Checkpoint {
  std::string origin;     // who speaks of which log
  std::int64_t size = 0;  // 0 to merkle_size_max
  Digest root{};
  std::vector<std::string> extensions;  // further lines, which mean nothing to us
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The text to be signed: origin, size and root, a line each. The origin has to be a key's name,
// because the log's key is called like its origin.
std::string checkpoint_text(std::string_view origin, std::int64_t size, const Digest& root);
// The text of a note, its last newline included.
[[nodiscard]] bool parse_checkpoint(std::string_view text, Checkpoint& out);

// -- keys -----------------------------------------------------------------------------------------

// Enough to find the key that a signature names, not to trust it: four bytes are soon forged.
std::uint32_t ed25519_key_id(std::string_view name, const Ed25519Key& key);

struct VerifierKey {
  std::string name;
  std::uint32_t key_id = 0;
  Ed25519Key key{};
  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

// How a public key is handed around: name+id+key, the id in 8 hex digits, the key in base64 behind
// the byte that says Ed25519. Parsing refuses an id that is not the key's.
std::string verifier_key(std::string_view name, const Ed25519Key& key);
[[nodiscard]] bool parse_verifier_key(std::string_view text, VerifierKey& out);

// -- notes ----------------------------------------------------------------------------------------

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string bytes;  // not empty; what they are depends on the key's algorithm
  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
  std::string text;                       // with its last newline
  std::vector<NoteSignature> signatures;  // 1 to limits::note_signatures_max
  friend bool operator==(const Note&, const Note&) = default;
};

// A text with one Ed25519 signature over it.
std::string signed_note(std::string_view text, std::string_view name, const Ed25519Key& key,
                        std::string_view signature);
// A note again, say with a witness's signature added.
std::string write_note(const Note& note);
[[nodiscard]] bool parse_note(std::string_view bytes, Note& out);

}  // namespace z0
