// Any bytes as a note, a checkpoint, a verifier key or base64: what parses is, written again, the
// same bytes.
#include "step_law.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"
#include "z0/tree/checkpoint.hpp"

namespace {

using namespace z0;
using step_law::broken;

void check_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  if (!parse_checkpoint(text, checkpoint)) {
    if (checkpoint != Checkpoint()) broken("what does not parse leaves nothing");
    return;
  }
  const std::string_view root(reinterpret_cast<const char*>(checkpoint.root.data()),
                              checkpoint.root.size());
  std::string again = checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
                      base64_encode(root) + '\n';
  if (valid_key_name(checkpoint.origin) &&
      again != checkpoint_text(checkpoint.origin, checkpoint.size, checkpoint.root))
    broken("a checkpoint is written in one way");
  for (const std::string& line : checkpoint.extensions) again += line + '\n';
  if (again != text) broken("a checkpoint has one text");
}

void check_note(std::string_view bytes) {
  Note note;
  if (!parse_note(bytes, note)) {
    if (note != Note()) broken("what does not parse leaves nothing");
    return;
  }
  if (write_note(note) != bytes) broken("a note has one form");
  if (note.text.empty() || note.text.back() != '\n') broken("a note's text ends a line");
  if (note.signatures.empty()) broken("a note is signed");
  for (const NoteSignature& signature : note.signatures) {
    if (!valid_key_name(signature.name) || signature.bytes.empty()) broken("signatures are whole");
  }
  check_checkpoint(note.text);
}

void check_key(std::string_view text) {
  VerifierKey key;
  if (parse_verifier_key(text, key) && verifier_key(key.name, key.key) != text)
    broken("a key has one text");
}

void check_base64(std::string_view text) {
  std::string bytes;
  if (base64_decode(text, bytes) && base64_encode(bytes) != text) broken("base64 has one text");
  if (base64url_decode(text, bytes) && base64url_encode(bytes) != text)
    broken("base64url has one text");
  if (!base64_decode(base64_encode(text), bytes) || bytes != text) broken("base64 comes back");
}

// A name and a text of whatever bytes: either nothing is written, or it reads as what it was.
void check_written(std::string_view bytes) {
  const std::size_t half = bytes.size() / 2;
  const std::string_view name = bytes.substr(0, half);
  const std::string_view text = bytes.substr(half);
  const Ed25519Key key = {7};
  const std::string signature(ed25519_signature_bytes, 's');
  const std::string written = signed_note(text, name, key, signature);
  Note note;
  if (!written.empty() && (!parse_note(written, note) || note.text != text ||
                           note.signatures[0].name != name || note.signatures.size() != 1))
    broken("a signed note says what it was made of");
  const std::string head = checkpoint_text(name, 7, Digest{});
  Checkpoint checkpoint;
  if (head.empty() == valid_key_name(name)) broken("names are written, other bytes are not");
  if (!head.empty() && (!parse_checkpoint(head, checkpoint) || checkpoint.origin != name))
    broken("a checkpoint says what it was made of");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_note(bytes);
  check_checkpoint(bytes);
  check_key(bytes);
  check_base64(bytes);
  check_written(bytes);
  return 0;
}
