// One entity's ledger: the append, the reads, the alarm. It lives in a Durable Object; its truth is
// four small tables, its state in memory is a cache of them.
//
//   meta(id = 1, value)          owner, hash seed, how far D1 has confirmed, the checkpoint of
//                                reconciliation
//   segments(first_seq, ...)     the facts, in order; the last one is the tail and grows in place
//   id_runs(key, count, body)    sealed id hashes, see id_index.hpp
//   tree_nodes(key, hash)        roots of complete subtrees of 256, 65,536, ... facts
//
// A segment's row also carries `summary`, what an append cannot do without (counts, lifecycle, the
// tree's frontier), and `cache`, the folds of folds.hpp: both of the whole ledger up to its last
// fact. They cost no row of their own, since the tail is rewritten by every append, and make every
// segment a snapshot.
//
// Life of an append: the frame brings the batch; when the state is not resident, its rows are
// needed first; suspected duplicates need the segments (and chunks) that hold their originals; then
// all decisions fall in one synchronous step whose writes are one transaction.
#pragma once

#include "z0/ledger/state.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Takes one step for a ledger object: frames to Z0_TARGET_LEDGER.
void step_ledger(Ledgers& ledgers, const Frame& frame, Effects& effects);

}  // namespace z0
