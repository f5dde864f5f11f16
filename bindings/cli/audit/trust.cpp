#include "audit/trust.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "audit/ed25519.hpp"
#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/raw_json.hpp"

namespace z0::cli {
namespace {

std::string name_of(const VerifierKey& key) {
  char id[9];
  std::snprintf(id, sizeof id, "%08x", key.key_id);
  return key.name + "+" + id;
}

// "NAME/ENTITY" of the key's name: a key of another deployment may not speak of this one's ledgers.
bool speaks_for(const VerifierKey& key, std::string_view origin) {
  return origin.size() > key.name.size() + 1 && origin.substr(0, key.name.size()) == key.name &&
         origin[key.name.size()] == '/';
}

std::string check_signatures(const Note& note, std::string_view origin,
                             const std::vector<VerifierKey>& trusted, std::string& signer) {
  for (const NoteSignature& signature : note.signatures) {
    const auto key = std::find_if(trusted.begin(), trusted.end(), [&](const VerifierKey& k) {
      return k.key_id == signature.key_id && k.name == signature.name;
    });
    if (key == trusted.end()) continue;
    if (!ed25519_verify(key->key, note.text, signature.bytes))
      return "the checkpoint's signature by " + name_of(*key) + " is false";
    if (!speaks_for(*key, origin))
      return "the key " + name_of(*key) + " may not speak of the log " + std::string(origin);
    if (signer.empty()) signer = name_of(*key);
  }
  return signer.empty() ? "no trusted key signed the checkpoint" : std::string();
}

}  // namespace

std::string check_checkpoint(std::string_view bytes, std::string_view entity_id,
                             const std::vector<VerifierKey>& trusted, TrustedCheckpoint& out) {
  out = {};
  Note note;
  if (!parse_note(bytes, note)) return "this is no signed note";
  if (!parse_checkpoint(note.text, out.head)) return "the note is no checkpoint";
  const std::string& origin = out.head.origin;
  const std::size_t slash = origin.rfind('/');
  if (!entity_id.empty() &&
      (slash == std::string::npos || std::string_view(origin).substr(slash + 1) != entity_id)) {
    return "the checkpoint is of another ledger: " + origin;
  }
  return trusted.empty() ? std::string() : check_signatures(note, origin, trusted, out.signer);
}

std::vector<VerifierKey> read_keys(const std::vector<std::string>& words) {
  std::vector<VerifierKey> keys;
  VerifierKey key;
  for (const std::string& word : words) {
    if (parse_verifier_key(word, key)) {
      keys.push_back(key);
      continue;
    }
    std::error_code error;
    if (!std::filesystem::exists(word, error)) {
      throw Failure(word + " is neither a key, like z0.local+1a2b3c4d+AQ..., nor a file of them",
                    exit_usage);
    }
    const std::size_t before = keys.size();
    InputFile file(word);
    for (std::string line; file.line(line);) {
      const std::string_view text = trimmed(line);
      if (text.empty()) continue;
      if (!parse_verifier_key(text, key)) {
        throw Failure(word + ", line " + std::to_string(file.number()) +
                          ": this is no key, like z0.local+1a2b3c4d+AQ...: " + line,
                      exit_usage);
      }
      keys.push_back(key);
    }
    // Without a key nothing would be checked, which is not what was asked for.
    if (keys.size() == before)
      throw Failure(word + " holds no key: fill it with `z0 keys`", exit_usage);
  }
  return keys;
}

}  // namespace z0::cli
