#pragma once
/// The monitor's answers as HTTP answers. Pure but for the sending.

#include "actors/domain/operator.hpp"
#include "http/responder.hpp"

#include <functional>

namespace ci::http {

/// \p list: the answer is a list also where it holds one runner. No runners: exactly `null`.
void answer_take(Responder&, const domain::TakeAnswer&, bool list);
void answer_release(Responder&, const domain::ReleaseAnswer&);
void answer_jit(Responder&, const domain::JitAnswer&);
void answer_boot(Responder&, const domain::BootAnswer&);
/// \p write answers what was not refused.
void answer_lever(Responder&, const domain::LeverAnswer&,
                  const std::function<void(Responder&, const domain::LeverAnswer&)>& write);

} // namespace ci::http
