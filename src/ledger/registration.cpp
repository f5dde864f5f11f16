// A ledger's first facts wait for the directory.
#include "ledger/step.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

void ask_directory(const LedgerCall& call, std::string_view tenant_id, std::string_view entity_id,
                   const Frame& frame, Effects& effects) {
  const RegisterRequest known{frame.now_ms, {{tenant_id, entity_id}}};
  effects.need_call(DirectoryMethod::register_ledger, directory_object_name(entity_id),
                    limits::read_timeout_ms, encode(known));
  resume_ledger(effects, call, BeginStage::registered, {});
}

Status directory_word(const Frame& frame, std::vector<std::string_view>& policies) {
  const CallAnswer answer =
      parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (answer.outcome == Z0_OVERLOADED) return Status::overloaded;
  if (answer.outcome == Z0_TIMEOUT) return Status::timeout;
  // The directory may have answered that it could not read its own rows.
  RegisterReply reply;
  const bool known = answer.outcome == Z0_OK && decode_reply(answer.reply, reply) == Status::ok &&
                     reply.policies.size() == 1;
  if (!known) return Status::storage_error;
  policies = std::move(reply.policies[0].submissions);
  return Status::recorded;
}

}  // namespace z0
