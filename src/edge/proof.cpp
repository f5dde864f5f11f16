// What an auditor asks for: signed checkpoints, proofs, and the keys that sign.
#include <algorithm>

#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/json/write.hpp"
#include "z0/tree/checkpoint.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

Ed25519Key key_of(std::string_view bytes) {
  Ed25519Key key;
  std::copy_n(bytes.begin(), key.size(), reinterpret_cast<char*>(key.data()));
  return key;
}

// A log is a ledger: its origin is the deployment's and the entity's name.
std::string origin_of(const Frame& frame, std::string_view entity_id) {
  return std::string(settings_origin(frame.settings)) + '/' + std::string(entity_id);
}

void ask_proof(ProofRequest& proof, const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  proof.tenant_id = claims.tenant_id;
  proof.entity_id = entity_id;
  effects.need_call(LedgerMethod::proof, ledger_object_name(entity_id), limits::read_timeout_ms,
                    encode(proof));
  resume_with(context, effects);
}

// A parameter that counts facts; false when it is no number above 0.
bool count_parameter(const Request& request, std::string_view name, bool required,
                     std::int64_t& out) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return !required;
  return parse_number(text, out) && out >= 1 && out <= limits::version_max;
}

}  // namespace

void get_proof(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  ProofRequest proof;
  if (!count_parameter(request, "seq", true, proof.from))
    return reply_error(effects, context, Status::bad_parameter, "seq");
  if (!count_parameter(request, "size", false, proof.size))
    return reply_error(effects, context, Status::bad_parameter, "size");
  ask_proof(proof, call);
}

void get_consistency(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  ProofRequest proof;
  proof.kind = ProofRequest::Kind::consistency;
  if (!count_parameter(request, "from", true, proof.from))
    return reply_error(effects, context, Status::bad_parameter, "from");
  if (!count_parameter(request, "size", false, proof.size))
    return reply_error(effects, context, Status::bad_parameter, "size");
  ask_proof(proof, call);
}

void get_checkpoint(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  ProofRequest head;
  head.kind = ProofRequest::Kind::head;
  head.tenant_id = claims.tenant_id;
  head.entity_id = entity_id;
  effects.need_call(LedgerMethod::proof, ledger_object_name(entity_id), limits::read_timeout_ms,
                    encode(head));
  std::string bytes;
  ByteWriter out(bytes);
  write_context(out, context);
  out.short_bytes(entity_id);
  effects.resume(bytes);
}

void resume_proof(const RouteResume& resumed) {
  ProofRequest request;
  ProofReply reply;
  if (!value_or_refuse(resumed, request, reply)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", request.entity_id).text("tenant_id", reply.tenant_id);
  if (request.kind == ProofRequest::Kind::inclusion)
    json.integer("seq", request.from).plain("record", base64_encode(reply.record));
  else
    json.integer("old_size", request.from);
  json.integer("size", reply.size).array("proof");
  for (const Digest& hash : reply.proof) json.hex(bytes_of(hash));
  json.end().end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

// The ledger's head becomes a text to sign.
void resume_checkpoint(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const std::string_view entity_id = in.short_bytes();
  TreeHead head;
  if (!value_or_refuse(resumed, head)) return;
  const std::string text = checkpoint_text(origin_of(frame, entity_id), head.size, head.root);
  effects.need_sign(text);
  std::string bytes;
  ByteWriter out(bytes);
  write_context(out, context, 1);
  out.bytes(text);
  effects.resume(bytes);
}

void resume_signature(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Note note;
  note.text = in.bytes();
  // One key for all of a deployment's logs: it is called like the deployment.
  const std::string_view origin = settings_origin(frame.settings);
  const auto signatures =
      parse_signatures(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  for (const Signature& s : signatures) {
    note.signatures.push_back({std::string(origin), ed25519_key_id(origin, key_of(s.public_key)),
                               std::string(s.signature)});
  }
  if (signatures.empty()) return reply_error(effects, context, Status::no_log_key, {});
  reply_text(effects, context, write_note(note));
}

// Any signature brings its public key along.
void get_keys(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  effects.need_sign({});
  resume_with(context, effects);
}

void resume_keys(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const auto signatures =
      parse_signatures(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (signatures.empty()) return reply_error(effects, context, Status::no_log_key, {});
  const std::string_view origin = settings_origin(frame.settings);
  std::string out;
  JsonWriter json(out);
  json.object().text("origin", origin).array("keys");
  for (const Signature& s : signatures) json.text(verifier_key(origin, key_of(s.public_key)));
  json.end().end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
