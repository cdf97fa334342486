#pragma once
/// What messages carry that is no value of the domain, and everything that may be carried at all.

#include "actors/domain/answers.hpp"
#include "actors/domain/github.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/history.hpp"
#include "actors/domain/notice.hpp"
#include "actors/domain/operator.hpp"
#include "actors/domain/picture.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/served_file.hpp"
#include "actors/domain/selection.hpp"
#include "actors/domain/store.hpp"
#include "actors/domain/usage.hpp"
#include "actors/ticket.hpp"

#include <caf/all.hpp>

#include <functional>
#include <set>

namespace ci::edge {
class OpenFile;
} // namespace ci::edge

namespace ci {

/// Outcome of a listing by libvirt; exactly one of the two holds.
struct GuestListingReply {
  std::optional<domain::GuestListing> listing;
  std::string error;
};
struct AddressReply {
  std::optional<domain::AddressListing> addresses;
  std::string error;
};
/// A guest's definition, or why there is none.
struct XmlReply {
  std::optional<std::string> xml;
  std::string error;
};
/// The definitions of those of the guests that are there, or why there are none.
struct DefinitionsReply {
  std::optional<domain::Definitions> definitions;
  std::string error;
};
/// How the deletion of an older monitor's files went.
struct ForgottenReply {
  bool all = false; ///< nothing is left to delete
  std::string error;
};
/// A state read of one guest, or why there is none.
struct ObservationReply {
  std::optional<domain::GuestObservation> observation;
  std::string error;
};
using RawPicturePtr = std::shared_ptr<const domain::RawPicture>;
/// A picture of a guest's screen, or why there is none.
struct PictureReply {
  RawPicturePtr picture;
  bool off = false; ///< the guest does not run, or is not there
  std::string error;
};
/// Is called in the screenshots actor's thread: hand on and leave.
using PicturedTo = std::function<void(const domain::PictureOutcome&)>;
/// The libvirt connection came up or was lost.
struct HostConnection {
  bool up = false;
  std::string trouble;
};
/// The store commits, or is stuck and tries again by itself.
struct StoreHealth {
  bool well = true;
  std::string trouble;
};
/// A file that the files actor has opened; it alone can read it. Whoever holds it keeps it open.
using OpenFilePtr = std::shared_ptr<const edge::OpenFile>;
/// Null: there is no such file.
struct FileReply {
  OpenFilePtr file;
  domain::FileVersion version;
};
/// Are called in the files actor's thread: hand on and leave.
using OpenedTo = std::function<void(FileReply)>;
/// Null: it can't be read.
using ReadTo = std::function<void(std::shared_ptr<const std::string>)>;
/// Lines of the history, or why there are none.
struct HistoryReply {
  std::optional<domain::HistoryPage> page;
  std::string error;
};
/// How the pools were used, or why that is not known.
struct UsageReply {
  std::optional<domain::UsageReport> report;
  std::string error;
};
/// Are called in the historian's thread: hand on and leave.
using RecalledTo = std::function<void(const HistoryReply&)>;
using TalliedTo = std::function<void(const UsageReply&)>;
/// What a webhook told; counted by who sent it, for as long as anyone holds it.
using NoticePtr = std::shared_ptr<const domain::GithubNotice>;
using MetricLabels = std::map<std::string, std::string>;

/// Answers a request whose reply is `caf::unit_t`. CAF 0.17 makes an empty message of a unit that is delivered or
/// returned the usual way, which no handler `[](caf::unit_t)` matches: its sender gets unexpected_response.
inline void answer_unit(caf::response_promise& promise) {
  promise.deliver(caf::make_message(caf::unit));
}

} // namespace ci

// Values with shared immutable or move-only-in-spirit contents; no message ever leaves the process.
#define CI_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
namespace ci::detail {
using FetchReply = domain::GithubReply<domain::Registration>;
using FindReply = domain::GithubReply<std::vector<domain::Registration>>;
using ListReply = domain::GithubReply<domain::RegistrationListing>;
using RegisterReply = domain::GithubReply<domain::JitRegistration>;
using LabelReply = domain::GithubReply<std::vector<std::string>>;
using DoneReply = domain::GithubReply<domain::Done>;
using RunReply = domain::GithubReply<domain::WorkflowRun>;
using JobsReply = domain::GithubReply<std::vector<domain::WorkflowJob>>;
using ArtifactsReply = domain::GithubReply<domain::ArtifactListing>;
using ArchiveReply = domain::GithubReply<domain::ArtifactArchive>;
} // namespace ci::detail
CI_LOCAL_MESSAGE(ci::RawPicturePtr)
CI_LOCAL_MESSAGE(ci::PictureReply)
CI_LOCAL_MESSAGE(ci::PicturedTo)
CI_LOCAL_MESSAGE(ci::domain::PictureOutcome)
CI_LOCAL_MESSAGE(ci::OpenFilePtr)
CI_LOCAL_MESSAGE(ci::OpenedTo)
CI_LOCAL_MESSAGE(ci::ReadTo)
CI_LOCAL_MESSAGE(ci::domain::ServedFolder)
CI_LOCAL_MESSAGE(ci::RecalledTo)
CI_LOCAL_MESSAGE(ci::TalliedTo)
CI_LOCAL_MESSAGE(ci::domain::HistoryQuery)
CI_LOCAL_MESSAGE(ci::domain::UsageWindow)
CI_LOCAL_MESSAGE(ci::TicketPtr)
CI_LOCAL_MESSAGE(ci::NoticePtr)
CI_LOCAL_MESSAGE(ci::GuestListingReply)
CI_LOCAL_MESSAGE(ci::AddressReply)
CI_LOCAL_MESSAGE(ci::XmlReply)
CI_LOCAL_MESSAGE(ci::ObservationReply)
CI_LOCAL_MESSAGE(ci::DefinitionsReply)
CI_LOCAL_MESSAGE(ci::ForgottenReply)
CI_LOCAL_MESSAGE(ci::domain::InheritedFiles)
CI_LOCAL_MESSAGE(ci::HostConnection)
CI_LOCAL_MESSAGE(ci::StoreHealth)
CI_LOCAL_MESSAGE(ci::domain::TakeRequest)
CI_LOCAL_MESSAGE(ci::domain::TakeAnswer)
CI_LOCAL_MESSAGE(ci::domain::ReleaseAnswer)
CI_LOCAL_MESSAGE(ci::domain::JitAnswer)
CI_LOCAL_MESSAGE(ci::domain::BootAnswer)
CI_LOCAL_MESSAGE(ci::domain::Lever)
CI_LOCAL_MESSAGE(ci::domain::LeverAnswer)
CI_LOCAL_MESSAGE(ci::domain::GuestObservation)
CI_LOCAL_MESSAGE(ci::domain::GuestSpec)
CI_LOCAL_MESSAGE(ci::domain::ImageSpec)
CI_LOCAL_MESSAGE(ci::domain::CloneOrder)
CI_LOCAL_MESSAGE(ci::domain::DiskOrder)
CI_LOCAL_MESSAGE(ci::domain::IsoOrder)
CI_LOCAL_MESSAGE(ci::domain::HostReply)
CI_LOCAL_MESSAGE(ci::domain::PolicyPtr)
CI_LOCAL_MESSAGE(ci::domain::StoreBatch)
CI_LOCAL_MESSAGE(ci::domain::StoreImage)
CI_LOCAL_MESSAGE(ci::domain::JitRequest)
CI_LOCAL_MESSAGE(ci::domain::Steady)
CI_LOCAL_MESSAGE(ci::detail::FetchReply)
CI_LOCAL_MESSAGE(ci::detail::FindReply)
CI_LOCAL_MESSAGE(ci::detail::ListReply)
CI_LOCAL_MESSAGE(ci::detail::RegisterReply)
CI_LOCAL_MESSAGE(ci::detail::LabelReply)
CI_LOCAL_MESSAGE(ci::detail::DoneReply)
CI_LOCAL_MESSAGE(ci::detail::RunReply)
CI_LOCAL_MESSAGE(ci::detail::JobsReply)
CI_LOCAL_MESSAGE(ci::detail::ArtifactsReply)
CI_LOCAL_MESSAGE(ci::detail::ArchiveReply)
CI_LOCAL_MESSAGE(ci::domain::SelectRules)
CI_LOCAL_MESSAGE(ci::domain::SelectRequest)
CI_LOCAL_MESSAGE(ci::domain::SelectAnswer)
