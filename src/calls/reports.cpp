#include "z0/calls/reports.hpp"

namespace z0 {
namespace {

template <class T>
std::string behind(Report kind, const T& report) {
  std::string bytes(1, static_cast<char>(kind));
  encode(report, bytes);
  return bytes;
}

}  // namespace

std::string encode_report(const RequestReport& report) { return behind(Report::request, report); }
std::string encode_report(const LedgerReport& report) { return behind(Report::ledger, report); }
std::string encode_report(const MessageReport& report) { return behind(Report::message, report); }

}  // namespace z0
