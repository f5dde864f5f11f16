#include "ledger/corrections.hpp"

#include <algorithm>

#include "ledger/sql.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

using Left = std::vector<std::pair<std::int64_t, std::int64_t>>;

// A correction that was recorded before corrections said what they correct. It moved what was spent.
bool is_unstamped(const Fact& source) {
  return source.type == FactType::correction && source.has(field_amount) &&
         !source.has(field_corrects);
}

std::string_view name_behind(const Fact& source) {
  if (is_unstamped(source)) return type_name(FactType::charge);
  return source.has(field_corrects) ? source.corrects : source.name();
}

std::int64_t time_behind(const Fact& source) {
  return source.has(field_corrects) ? source.corrects_at : source.recorded_at;
}

Left::const_iterator place_of(const Left& left, std::int64_t seq) {
  return std::find_if(left.begin(), left.end(), [seq](const auto& l) { return l.first == seq; });
}

void set(Left& left, std::int64_t seq, std::int64_t amount) {
  const auto found = place_of(left, seq);
  if (found == left.end())
    left.emplace_back(seq, amount);
  else
    left[static_cast<std::size_t>(found - left.begin())].second = amount;
}

}  // namespace

std::int64_t corrected_seq(const Fact& source) {
  if (source.type != FactType::correction || is_unstamped(source)) return source.seq;
  return source.has(field_corrects) ? source.corrects_seq : 0;
}

bool Corrections::know(const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    set(left_, rows.at(i, ledger_sql::corrected::seq).integer,
        rows.at(i, ledger_sql::corrected::left_over).integer);
  return !rows.failed;
}

Status Corrections::judge(Fact& correction, const Fact* source, std::string_view& field,
                          std::string& words) const {
  field = "source_id";
  if (source == nullptr) return Status::unknown_source;
  if (!correction.has(field_amount)) return Status::recorded;
  const std::string id(correction.source_id);
  const std::int64_t seq = corrected_seq(*source);
  field = "amount";
  if (!source->has(field_amount) || seq == 0) {
    words = "`" + id + "` moved no money: leave out amount and currency.";
    return Status::source_mismatch;
  }
  if (source->currency != correction.currency) {
    field = "currency";
    words = "`" + id + "` is in " + std::string(source->currency) + ": send that currency.";
    return Status::source_mismatch;
  }
  const auto known = place_of(left_, seq);
  // A fact that was corrected has a row.
  if (known == left_.end() && source->has(field_corrects)) {
    field = {};
    return Status::storage_error;
  }
  const std::int64_t left = known == left_.end() ? source->amount : known->second;
  if (correction.amount < -left) {
    words = "Of the fact behind `" + id + "` " + std::to_string(left) + " " +
            std::string(source->currency) + " in minor units are left: send an amount of -" +
            std::to_string(left) + " or more.";
    return Status::over_corrected;
  }
  if (correction.amount > limits::amount_max - left) return Status::amount_overflow;
  correction.fields |= field_corrects;
  correction.corrects = name_behind(*source);
  correction.corrects_seq = seq;
  correction.corrects_at = time_behind(*source);
  correction.corrects_left = left + correction.amount;
  return Status::recorded;
}

void Corrections::take(const Fact& correction) {
  if (correction.has(field_corrects)) set(left_, correction.corrects_seq, correction.corrects_left);
}

void CorrectedRows::add(const Fact& correction) {
  if (correction.has(field_corrects)) set(left_, correction.corrects_seq, correction.corrects_left);
}

void CorrectedRows::write(Effects& effects) const {
  if (left_.empty()) return;
  std::string rows;
  JsonWriter json(rows);
  json.array();
  for (const auto& [seq, amount] : left_) json.array().integer(seq).integer(amount).end();
  json.end();
  effects.write(ledger_sql::create_corrected, {});
  effects.write(ledger_sql::put_corrected, {Value::text(rows)});
}

void need_corrected(const std::vector<std::int64_t>& seqs, Effects& effects) {
  effects.need_rows(ledger_sql::create_corrected, {});
  effects.need_rows(ledger_sql::select_corrected, {Value::text(ledger_sql::json_list(seqs))});
}

}  // namespace z0
