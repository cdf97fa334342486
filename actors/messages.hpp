#pragma once
/// The cast: every actor's typed interface, and every message with what it means. Read this first.
///
/// Who asks whom: http -> selector -> registrations; http -> monitor -> {registrations, hypervisor, images,
/// journal}; registrations -> github_link; hypervisor -> guest -> host; images -> host; policy -> monitor;
/// everyone -> metrics. Nobody waits: each request has a finite time-out and an error branch at its sender.

#include "actors/atoms.hpp"
#include "actors/payloads.hpp"

namespace ci {

/// Serialises decisions. Does no I/O and never waits.
using monitor_actor = caf::typed_actor<
    /// Reserve runners. Answered when GitHub has accepted and shown the labels, or refused.
    caf::replies_to<take_atom, TicketPtr, domain::TakeRequest>::with<domain::TakeAnswer>,
    /// Give back what has not started; the string is the lower-case unique_id.
    caf::replies_to<release_atom, TicketPtr, std::string>::with<domain::ReleaseAnswer>,
    /// The JIT config for the guest that has this IPv4 address now.
    caf::replies_to<jit_atom, TicketPtr, std::string>::with<domain::JitAnswer>,
    /// The boot script for the guest that has this IPv4 address now.
    caf::replies_to<boot_atom, TicketPtr, std::string>::with<domain::BootAnswer>,
    /// What an operator asks for: overrides, pauses, an end of a runner. Answered when it is durable.
    caf::replies_to<lever_atom, TicketPtr, domain::Lever>::with<domain::LeverAnswer>,
    /// A webhook of GitHub's.
    caf::reacts_to<notice_atom, NoticePtr>,
    /// libvirt reported a change of one guest.
    caf::reacts_to<guest_atom, domain::GuestObservation>,
    /// The libvirt connection came up or was lost.
    caf::reacts_to<host_atom, HostConnection>,
    /// The store got stuck or well again.
    caf::reacts_to<store_atom, StoreHealth>,
    /// New settings or targets.
    caf::reacts_to<policy_atom, domain::PolicyPtr>,
    /// GitHub's token was replaced: the pauses that the old one earned are over.
    caf::reacts_to<token_atom>,
    /// A timer fell due. The number is the timer's generation: only the newest counts.
    caf::reacts_to<crank_atom, std::uint64_t>,
    /// Take no more requests, answer the waiting ones with 503, let orders in flight end.
    caf::replies_to<stop_atom>::with<caf::unit_t>>;

/// What GitHub says. Owns pacing, parallelism and the rate budget; every answer comes from GitHub, none from a
/// cache older than was asked for.
using registrations_actor = caf::typed_actor<
    /// A complete listing that was started not before the given moment. Overlapping requests share one.
    caf::replies_to<list_atom, domain::Steady>::with<domain::GithubReply<domain::RegistrationListing>>,
    /// One registration, asked afresh.
    caf::replies_to<fetch_atom, domain::RegistrationId>::with<domain::GithubReply<domain::Registration>>,
    /// The registrations that have exactly this name: none or one.
    caf::replies_to<find_atom, std::string>::with<domain::GithubReply<std::vector<domain::Registration>>>,
    /// generate-jitconfig.
    caf::replies_to<register_atom, domain::JitRequest>::with<domain::GithubReply<domain::JitRegistration>>,
    /// Adds labels; the answer is GitHub's list of all labels afterwards.
    caf::replies_to<label_atom, domain::RegistrationId, std::vector<std::string>>::with<
        domain::GithubReply<std::vector<std::string>>>,
    /// Removes labels one by one; a label that is not there counts as removed. not_found only if the runner is
    /// gone.
    caf::replies_to<unlabel_atom, domain::RegistrationId, std::vector<std::string>>::with<
        domain::GithubReply<domain::Done>>,
    /// Deletes the registration. 404 is not_found, 422 unprocessable (busy).
    caf::replies_to<delete_atom, domain::RegistrationId>::with<domain::GithubReply<domain::Done>>,
    // Of a workflow run; the string is its repository, `<owner>/<repo>`, checked for syntax.
    caf::replies_to<run_atom, std::string, domain::RunId>::with<domain::GithubReply<domain::WorkflowRun>>,
    /// All jobs of its latest attempt.
    caf::replies_to<jobs_atom, std::string, domain::RunId>::with<
        domain::GithubReply<std::vector<domain::WorkflowJob>>>,
    /// Its artifacts of that name (the second string).
    caf::replies_to<artifs_atom, std::string, domain::RunId, std::string>::with<
        domain::GithubReply<domain::ArtifactListing>>,
    /// The archive of the artifact with that id, of at most so many bytes.
    caf::replies_to<archive_atom, std::string, std::int64_t, std::uint64_t>::with<
        domain::GithubReply<domain::ArtifactArchive>>>;

/// One HTTP exchange each with GitHub (a listing: all its pages). No decisions. The real one wraps edge/'s client;
/// tests put a fake here.
using github_link_actor = registrations_actor;

/// The libvirt side: keeps the connections, watches, lists; spawns one guest actor per guest of ours.
using hypervisor_actor = caf::typed_actor<
    /// From now on `monitor` gets guest_atom and host_atom messages; the present connection state comes at once.
    caf::reacts_to<watch_atom, monitor_actor>,
    /// All guests, ours or not.
    caf::replies_to<list_atom>::with<GuestListingReply>,
    /// Addresses of all running guests whose name begins with one of our prefixes, looked up afresh.
    caf::replies_to<addr_atom>::with<AddressReply>,
    /// The inactive definitions of these guests, ours or not.
    caf::replies_to<defs_atom, std::vector<std::string>>::with<DefinitionsReply>,
    /// Clone the disk and the NVRAM. Idempotent. Nothing is defined yet. The answer tells what disk was made.
    caf::replies_to<prepare_atom, domain::GuestSpec>::with<domain::HostReply>,
    /// Define the guest from its template's definition with the disk that prepare told, and start it. Idempotent.
    caf::replies_to<start_atom, domain::GuestSpec>::with<domain::HostReply>,
    /// Stop it if it runs, undefine it with its NVRAM, delete its disk. Idempotent; what is not there counts as
    /// removed. A guest of that name with another UUID is not ours and is left alone, with the disk if it uses
    /// that.
    caf::replies_to<remove_atom, domain::GuestSpec>::with<domain::HostReply>,
    /// From the control host: a lifecycle event or a look showed this.
    caf::reacts_to<guest_atom, domain::GuestObservation>,
    /// From the control host: connection up or down.
    caf::reacts_to<host_atom, HostConnection>>;

/// One libvirt guest of ours, from its disk to its removal. Answers come when the step is over.
using guest_actor = caf::typed_actor<
    caf::replies_to<prepare_atom, domain::GuestSpec>::with<domain::HostReply>,
    caf::replies_to<start_atom, domain::GuestSpec>::with<domain::HostReply>,
    caf::replies_to<remove_atom, domain::GuestSpec>::with<domain::HostReply>>;

/// Makes, seals and deletes images. Every order is idempotent; answers come when it is over.
using images_actor = caf::typed_actor<
    /// The image's disk, its configuration's ISO, and its firmware's variables.
    caf::replies_to<prepare_atom, domain::ImageSpec>::with<domain::HostReply>,
    /// Define the rebuild guest and start it. Only after prepare.
    caf::replies_to<start_atom, domain::ImageSpec>::with<domain::HostReply>,
    /// Rename the rebuild guest, which is off, to the template.
    caf::replies_to<seal_atom, domain::ImageSpec>::with<domain::HostReply>,
    /// Stop the guest, undefine it, delete its files. A guest of its name with another UUID is left alone.
    caf::replies_to<remove_atom, domain::ImageSpec>::with<domain::HostReply>,
    /// Bring the checkout at that path to what its remote's main branch is now.
    caf::replies_to<update_atom, std::string>::with<domain::HostReply>>;

/// Blocking calls of libvirt and the file system, one at a time, each idempotent. Detached; owns one connection.
/// Tests put a fake here.
using host_actor = caf::typed_actor<
    /// Only the control host: send events and connection changes to this hypervisor, now and after each reconnect.
    caf::reacts_to<watch_atom, hypervisor_actor>,
    caf::replies_to<list_atom>::with<GuestListingReply>,
    /// State of one guest by name; absent is an observation, not an error.
    caf::replies_to<look_atom, std::string>::with<ObservationReply>,
    /// Leases of these guests, by MAC; of those without one, what ARP and the guest agent say.
    caf::replies_to<addr_atom, std::vector<std::string>>::with<AddressReply>,
    /// A picture of the screen of the guest of that name.
    caf::replies_to<shot_atom, std::string>::with<PictureReply>,
    /// The inactive definition of a guest.
    caf::replies_to<xml_atom, std::string>::with<XmlReply>,
    /// Those of several. Fails as a whole rather than leaving one out that is there.
    caf::replies_to<defs_atom, std::vector<std::string>>::with<DefinitionsReply>,
    /// Defines; a guest of the same name and UUID is redefined.
    caf::replies_to<define_atom, std::string>::with<domain::HostReply>,
    /// Starts the guest of that name and UUID; one that runs already is fine.
    caf::replies_to<start_atom, std::string, std::string>::with<domain::HostReply>,
    /// Stops it at once (name, UUID); one that is off or absent is fine.
    caf::replies_to<halt_atom, std::string, std::string>::with<domain::HostReply>,
    /// Undefines it with its NVRAM (name, UUID); absent is fine.
    caf::replies_to<undef_atom, std::string, std::string>::with<domain::HostReply>,
    /// Makes a runner's disk: reflink where possible, else a qcow2 overlay where that is allowed, else a sparse
    /// copy; atomically by a temporary name. The answer tells what was made; what is there already is kept.
    caf::replies_to<clone_atom, domain::CloneOrder>::with<domain::HostReply>,
    /// Copies a template's NVRAM (from, to) likewise. One that is not there is fine: libvirt makes a fresh one.
    caf::replies_to<nvram_atom, std::string, std::string>::with<domain::HostReply>,
    /// Deletes files of the folder (first) whose names begin with the prefix (second).
    caf::replies_to<erase_atom, std::string, std::string>::with<domain::HostReply>,
    /// Makes the file of an image's disk; one that is there is kept.
    caf::replies_to<disk_atom, domain::DiskOrder>::with<domain::HostReply>,
    /// Writes a CD-ROM image; one that is there is replaced.
    caf::replies_to<iso_atom, domain::IsoOrder>::with<domain::HostReply>,
    /// Renames a guest that is off (from, to, UUID); one that has the new name already is fine.
    caf::replies_to<rename_atom, std::string, std::string, std::string>::with<domain::HostReply>,
    /// An error where any guest but the one of that UUID (second) has that disk file (first) in its definition, or
    /// below its disks in what it runs with.
    caf::replies_to<unused_atom, std::string, std::string>::with<domain::HostReply>,
    /// Deletes the files of one image: of that folder (first), of that snapshot (second).
    caf::replies_to<forget_atom, std::string, std::string>::with<domain::HostReply>,
    /// Updates the git checkout at that path.
    caf::replies_to<update_atom, std::string>::with<domain::HostReply>>;

/// The store, and the data folder's part of what an older monitor shares with it. Detached.
using journal_actor = caf::typed_actor<
    /// Everything but the history, and what is to be taken over. Once, at start.
    caf::replies_to<load_atom>::with<domain::StoreImage>,
    /// Writes the batch as one transaction; answers after the commit. Batches commit in the order they came. A
    /// failing commit is tried again until it succeeds, those behind it wait, and the watcher is told.
    caf::replies_to<commit_atom, domain::StoreBatch>::with<caf::unit_t>,
    /// Who is told of trouble and its end.
    caf::reacts_to<watch_atom, monitor_actor>,
    /// Deletes an older monitor's files whose contents are durable; a part of them at a time.
    caf::replies_to<forget_atom, domain::InheritedFiles>::with<ForgottenReply>,
    /// Points the older monitor's link of that profile at that snapshot.
    caf::replies_to<link_atom, std::string, std::string>::with<domain::HostReply>>;

/// Profiles, targets, overrides: publishes a Policy to the monitor whenever one of them changes.
using policy_actor = caf::typed_actor<
    caf::reacts_to<watch_atom, monitor_actor>,
    /// New settings (start, SIGHUP).
    caf::reacts_to<policy_atom, domain::PolicyPtr>,
    /// What is in force now.
    caf::replies_to<policy_atom>::with<domain::PolicyPtr>>;

/// Has pictures of guests taken, each interval and when asked. Nobody waits for its answers: they go to functions,
/// which are destroyed without a call where the actor dies.
using screenshots_actor = caf::typed_actor<
    /// A picture of that runner's guest that is less than a second old. It is in the runner's file when the
    /// function is called.
    caf::reacts_to<shot_atom, domain::RunnerId, PicturedTo>,
    /// How often every guest is pictured from now on.
    caf::reacts_to<pace_atom, domain::Duration>>;
/// What it tells itself.
using screenshots_root_actor =
    screenshots_actor::extend<caf::reacts_to<crank_atom, std::uint64_t>, caf::reacts_to<time_atom, std::string>,
                              caf::reacts_to<time_atom, std::string, std::uint64_t>>;

/// Keeps pictures as files of the data folder. Detached.
using album_actor = caf::typed_actor<
    /// Brings the picture into PNG and writes it to that path below the data folder.
    caf::replies_to<keep_atom, std::string, RawPicturePtr>::with<domain::PictureOutcome>,
    /// Deletes the pictures of all runners but these.
    caf::reacts_to<forget_atom, std::set<domain::RunnerId>>>;

/// Opens and reads the files that are served. Detached. Nobody waits for its answers: they go to functions, which
/// are destroyed without a call where the actor dies.
using files_actor = caf::typed_actor<
    /// The file of that path in that folder; names separated by `/`.
    caf::reacts_to<open_atom, domain::ServedFolder, std::string, OpenedTo>,
    /// So many bytes from that offset on, all of them or none.
    caf::reacts_to<read_atom, OpenFilePtr, std::int64_t, std::uint64_t, ReadTo>>;

/// Reads the history beside the journal, over a connection of its own. Detached. Nobody waits for its answers:
/// they go to functions, which are destroyed without a call where the actor dies.
using historian_actor = caf::typed_actor<
    /// Lines of the history.
    caf::reacts_to<recall_atom, domain::HistoryQuery, RecalledTo>,
    /// How the pools were used in that span of time.
    caf::reacts_to<tally_atom, domain::UsageWindow, TalliedTo>>;

/// Decides about selects without a token: asks GitHub for the proof, and makes a take of it.
using selector_actor = caf::typed_actor<
    /// Answered within `Selector::patience`.
    caf::replies_to<select_atom, domain::SelectRequest>::with<domain::SelectAnswer>,
    /// New settings (start, SIGHUP).
    caf::reacts_to<policy_atom, domain::SelectRules>>;

/// Counts and latencies. Families and label names are declared once, in metrics.cpp; others are dropped and
/// counted.
using metrics_actor = caf::typed_actor<
    caf::reacts_to<count_atom, std::string, MetricLabels, double>,
    /// Seconds into a histogram.
    caf::reacts_to<time_atom, std::string, MetricLabels, double>,
    caf::reacts_to<gauge_atom, std::string, MetricLabels, double>>;

} // namespace ci
