#include "z0/folds/folds.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t folds_version = 1;

CacheType cache(std::size_t part) { return static_cast<CacheType>(part); }

}  // namespace

std::string_view lifecycle_name(Lifecycle lifecycle) {
  constexpr std::string_view names[] = {"active", "retiring", "retired"};
  return names[static_cast<std::size_t>(lifecycle)];
}

bool next_lifecycle(Lifecycle from, std::string_view subtype, Lifecycle& to) {
  to = from;
  if (from == Lifecycle::retired) return false;
  if (subtype == "retired") {
    to = Lifecycle::retired;
    return true;
  }
  if (subtype == "retiring") to = Lifecycle::retiring;
  return from == Lifecycle::active;
}

std::string_view Folds::name(std::size_t part) {
  return part == config_part ? std::string_view("ConfigState") : cache_name(cache(part));
}

bool Folds::part_of(std::string_view name_given, std::size_t& part) {
  for (part = 0; part < parts; ++part) {
    if (name(part) == name_given) return true;
  }
  return false;
}

bool Folds::feeds(const Fact& fact, std::size_t part) {
  if (part != config_part) return z0::feeds(fact, cache(part));
  return fact.has(field_config);
}

bool Folds::feeds_any(FactType type, std::uint32_t fields) {
  if ((fields & field_config) != 0) return true;
  for (std::size_t part = 0; part < cache_types; ++part) {
    if (z0::feeds(type, cache(part))) return true;
  }
  return false;
}

bool Folds::all_valid() const {
  for (const bool valid : valid_) {
    if (!valid) return false;
  }
  return true;
}

void Folds::drop(std::size_t part) {
  valid_[part] = false;
  if (part == config_part)
    configs_.clear();
  else
    cached_.clear(cache(part));
}

FoldError Folds::check(const Fact& fact) const {
  const FoldError error = cached_.check(fact);
  if (error != FoldError::none || !valid_[config_part]) return error;
  return configs_.check(fact);
}

void Folds::apply(const Fact& fact) {
  // A fact feeds one cache, so that cache is the one that could not take it.
  if (cached_.apply(fact) != FoldError::none) {
    for (std::size_t part = 0; part < cache_types; ++part) {
      if (z0::feeds(fact, cache(part))) drop(part);
    }
  }
  // What a dropped cache folded is not its state.
  for (std::size_t part = 0; part < cache_types; ++part) {
    if (!valid_[part] && z0::feeds(fact, cache(part))) cached_.clear(cache(part));
  }
  if (valid_[config_part] && configs_.apply(fact) != FoldError::none) drop(config_part);
}

std::string Folds::encode(std::size_t part) const {
  if (!valid_[part]) return {};
  return part == config_part ? configs_.encode() : cached_.encode(cache(part));
}

void Folds::decode(std::size_t part, std::string_view bytes) {
  valid_[part] = part == config_part ? configs_.decode(bytes) : cached_.decode(cache(part), bytes);
  if (!valid_[part]) drop(part);
}

std::int64_t Folds::last_seq(std::size_t part) const {
  return part == config_part ? configs_.last_seq() : cached_.last_seq(cache(part));
}

void Folds::write_json(JsonWriter& json, std::size_t part, std::int64_t at_ms) const {
  json.object();
  if (part != config_part) {
    cached_.write_members(json, cache(part), at_ms);
    if (cache(part) == CacheType::budget && valid_[config_part])
      configs_.write_budgets(json, cached_, at_ms);
  } else {
    json.integer("configs", static_cast<std::int64_t>(configs_.known().size()));
    json.integer("version_gaps", configs_.gaps()).integer("last_seq", configs_.last_seq());
  }
  json.end();
}

std::string Folds::encode_all(std::int64_t seq) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(folds_version);
  out.varint(static_cast<std::uint64_t>(seq));
  for (std::size_t part = 0; part < parts; ++part) out.short_bytes(encode(part));
  return bytes;
}

void Folds::decode_all(std::string_view bytes, std::int64_t seq) {
  for (std::size_t part = 0; part < parts; ++part) {
    std::int64_t of_seq = 0;
    const std::string_view section = part_in(bytes, part, of_seq);
    if (of_seq == seq && !section.empty())
      decode(part, section);
    else
      drop(part);
  }
}

std::string_view Folds::part_in(std::string_view bytes, std::size_t part, std::int64_t& seq) {
  seq = 0;
  ByteReader in(bytes);
  if (in.u8() != folds_version) return {};
  const auto of_seq = static_cast<std::int64_t>(in.varint());
  std::string_view found;
  for (std::size_t i = 0; i < parts; ++i) {
    const std::string_view section = in.short_bytes();
    if (i == part) found = section;
  }
  if (!in.ok() || !in.done()) return {};
  seq = of_seq;
  return found;
}

}  // namespace z0
