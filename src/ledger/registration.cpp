// A ledger's first facts wait for the directory.
#include "ledger/step.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

void ask_directory(const LedgerCall& call, std::string_view tenant_id, std::string_view entity_id,
                   const Frame& frame, Effects& effects) {
  const RegisterRequest known{tenant_id, entity_id, frame.now_ms};
  effects.need_call(DirectoryMethod::register_ledger, directory_object_name(entity_id),
                    limits::read_timeout_ms, known.encode());
  resume_ledger(effects, call, BeginStage::registered, {});
}

Status directory_word(const Frame& frame, PoliciesReply& reply) {
  const CallAnswer answer =
      parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (answer.outcome == Z0_OVERLOADED) return Status::overloaded;
  if (answer.outcome == Z0_TIMEOUT) return Status::timeout;
  // The directory may have answered that it could not read its own rows.
  const bool known =
      answer.outcome == Z0_OK && reply.decode(answer.reply) && reply.status == Status::recorded;
  return known ? Status::recorded : Status::storage_error;
}

}  // namespace z0
