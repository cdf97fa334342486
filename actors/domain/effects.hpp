#pragma once
/// What the decisions order. The monitor actor carries each out by one message and reports the answer back.

#include "actors/domain/answers.hpp"
#include "actors/domain/github.hpp"
#include "actors/domain/github_runs.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/image.hpp"
#include "actors/domain/operator.hpp"
#include "actors/domain/store.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace ci::domain {

/// A request that waits for its answer, as the monitor actor numbers them.
using RequestId = std::uint64_t;
enum class LogLevel { debug, info, warn, error };

namespace effect {
// To the journal.
struct Commit {
  StoreBatch batch;
};
/// Deletes files of an older monitor whose contents are durable here.
struct ForgetInherited {
  InheritedFiles files;
};
/// Points the older monitor's link at the image that serves.
struct LinkSnapshot {
  std::string profile, snapshot;
};
// To registrations; answers carry the runner (and reservation) they were for.
struct ListRegistrations {};
struct Look {
  RunnerId runner;
  RegistrationId registration;
};
struct LookSlot {
  std::string unique_id;
  RunnerId runner;
  RegistrationId registration;
};
struct FindRegistration {
  RunnerId runner;
  std::string name;
};
struct Register {
  RunnerId runner;
  JitRequest request;
};
struct Unregister {
  RunnerId runner;
  RegistrationId registration;
};
struct Label {
  std::string unique_id;
  RunnerId runner;
  RegistrationId registration;
  std::vector<std::string> labels;
};
struct Unlabel {
  std::string unique_id;
  RunnerId runner;
  RegistrationId registration;
  std::vector<std::string> labels;
};
/// The workflow run of a reservation.
struct AskRun {
  std::string unique_id;
  std::string repository;
  RunId run;
};
/// Its jobs.
struct AskJobs {
  std::string unique_id;
  std::string repository;
  RunId run;
};
// To the hypervisor.
struct ListGuests {};
struct ListAddresses {};
/// The definitions of these guests.
struct ReadGuests {
  std::vector<std::string> names;
};
struct Prepare {
  RunnerId runner;
  GuestSpec spec;
};
struct Start {
  RunnerId runner;
  GuestSpec spec;
};
struct Remove {
  RunnerId runner;
  GuestSpec spec;
};
// To the images actor; answers carry the image, by its template guest.
struct PrepareImage {
  ImageSpec spec;
};
struct StartImage {
  ImageSpec spec;
};
struct SealImage {
  ImageSpec spec;
};
struct DiscardImage {
  ImageSpec spec;
};
struct UpdateRepo {
  std::string path;
};
// To those who asked.
struct AnswerTake {
  RequestId request;
  TakeAnswer answer;
};
struct AnswerRelease {
  RequestId request;
  ReleaseAnswer answer;
};
struct AnswerJit {
  RequestId request;
  JitAnswer answer;
};
struct AnswerBoot {
  RequestId request;
  BootAnswer answer;
};
struct AnswerLever {
  RequestId request;
  LeverAnswer answer;
};
// To everyone.
struct Publish {
  SnapshotPtr snapshot;
};
struct Log {
  LogLevel level;
  std::string event, fields;
  RequestId request = 0; ///< what caused it; 0: no request did
};
struct Count {
  std::string family;
  std::map<std::string, std::string> labels;
  double by = 1;
};
struct Seconds {
  std::string family;
  std::map<std::string, std::string> labels;
  double seconds = 0;
};
} // namespace effect

using Effect =
    std::variant<effect::Commit, effect::ForgetInherited, effect::LinkSnapshot, effect::ReadGuests, effect::ListRegistrations, effect::Look, effect::LookSlot,
                 effect::FindRegistration, effect::Register, effect::Unregister, effect::Label,
                 effect::Unlabel, effect::AskRun, effect::AskJobs, effect::ListGuests, effect::ListAddresses, effect::Prepare, effect::Start,
                 effect::Remove, effect::PrepareImage, effect::StartImage, effect::SealImage,
                 effect::DiscardImage, effect::UpdateRepo, effect::AnswerTake, effect::AnswerRelease,
                 effect::AnswerJit, effect::AnswerBoot, effect::AnswerLever, effect::Publish, effect::Log,
                 effect::Count, effect::Seconds>;

} // namespace ci::domain
