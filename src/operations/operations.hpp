// Routes for whoever operates z0: which ledgers there are, what D1 lacks, facts whose cause never came,
// messages that nobody could read.
// http.hpp says how routes work.
#pragma once

#include <string_view>

#include "http/http.hpp"
#include "z0/calls/message.hpp"

namespace z0 {

void get_ledgers(const RouteCall& call);
void resume_ledgers(const RouteResume& resumed);

void get_replication(const RouteCall& call);
void resume_replication_heads(const RouteResume& resumed);
void resume_replication(const RouteResume& resumed);
void post_replicate(const RouteCall& call);
void resume_replicate(const RouteResume& resumed);
void post_verify(const RouteCall& call);
void resume_verify(const RouteResume& resumed);

void get_closure(const RouteCall& call);
void resume_closure(const RouteResume& resumed);

void get_dead_letters(const RouteCall& call);
void resume_dead_letters(const RouteResume& resumed);
void get_dead_letter(const RouteCall& call);
void resume_dead_letter(const RouteResume& resumed);

// Of one dead letter, or, with an empty id, of as many as one message holds.
void post_redrive(const RouteCall& call);
void resume_redrive(const RouteResume& resumed);

// What the one database that was asked has answered: never nothing.
inline std::vector<Rows> d1_answer(const Frame& frame) {
  return parse_query(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
}

// Why these bytes are no message, which parse_message has found out.
std::string reason_of(const Message& message);

}  // namespace z0
