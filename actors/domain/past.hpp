#pragma once
/// The wall clock may have been set back while no process ran.

#include "actors/domain/store.hpp"

namespace ci::domain {

/// What an earlier process noted as past is not left in the future: ages would be negative, and what is due
/// some time after it would be late by as much. Deadlines keep their distance from the grant. Notes are up to
/// their readers.
void bring_into_past(StoreImage&, Time now);

} // namespace ci::domain
