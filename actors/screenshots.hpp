#pragma once
/// The actor that has pictures of guests taken.

#include "actors/board.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ci {

struct ScreenshotSetup {
  /// Lists the guests, and takes no pictures: one may hang for as long as its guest does.
  host_actor lister;
  /// Take pictures and nothing else, one each at a time; at least one.
  std::vector<host_actor> cameras;
  /// Keep them; at least one.
  std::vector<album_actor> albums;
  BoardPtr board;
  domain::Prefixes prefixes;
  /// What is in force now; may give null.
  std::function<domain::PolicyPtr()> policy;
  /// How often every guest is pictured; more than zero.
  domain::Duration interval{5'000};
};

/// Off the monitor's path: reads what the monitor published, asks hosts of its own.
///
/// Life: each interval the guests are listed, and every running one that is a runner's, or builds a
/// profile's image, waits for its picture. A camera takes it, an album keeps it, as many at once as there are
/// cameras. Who asks for a picture now goes before those that wait; requests for one guest share one, and a
/// picture that was begun less than a second ago will do. A round that takes longer than the interval is not
/// overtaken by another. Pictures of runners that the monitor has forgotten are deleted.
///
/// A picture that takes too long has failed, but its camera is busy until it answers, or for some minutes: what it
/// would be asked next would wait behind it. Meanwhile no other camera is asked for that guest, which would hold it
/// up as well.
class Screenshots : public Metered<screenshots_root_actor::base> {
 public:
  Screenshots(caf::actor_config&, MeterPtr, ScreenshotSetup, metrics_actor);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  /// Who asked for it.
  struct Waiting {
    PicturedTo to;
    domain::Steady since;
  };
  /// One picture that is wanted, from then until it is kept; there is one a path at most.
  struct Shot {
    std::string guest;
    std::vector<Waiting> waiting;
    bool under_way = false;
    std::uint64_t at_camera = 0; ///< the number of what a camera was asked; 0: none was, or it has answered
    domain::Steady begun{};
  };

  void take_now(domain::RunnerId, PicturedTo);
  /// Tells those who have waited for it for too long.
  void lose_patience(const std::string& path);
  void set_interval(domain::Duration);
  void tick(std::uint64_t generation);
  void begin_round(const GuestListingReply&);
  /// False: a camera hangs at it.
  bool want(const std::string& path, const std::string& guest);
  /// Where the picture of that guest goes; empty: it is none of ours, or not to be pictured.
  std::string path_of(const std::string& guest, const domain::Snapshot&, const domain::Policy*) const;

  void begin_shots();
  void begin_shot(std::size_t camera, const std::string& path);
  void shot_overdue(const std::string& path, std::uint64_t number);
  /// Whether that shot still waits for what a camera was asked under that number.
  bool at_camera(const std::string& path, std::uint64_t number) const;
  void shot(const std::string& path, const PictureReply&);
  void finish(const std::string& path, const domain::PictureOutcome&);

  ScreenshotSetup setup_;
  metrics_actor metrics_;
  std::uint64_t generation_ = 0; ///< of the timer: an older one does not count
  bool listing_ = false;
  std::map<std::string, Shot> shots_; ///< by path
  std::deque<std::string> queue_;     ///< paths of shots that are not under way
  std::vector<std::string> taking_;   ///< by camera: the path of its picture; empty: it is free
  std::uint64_t asked_ = 0;           ///< cameras so far
  std::size_t next_album_ = 0;
  std::map<std::string, domain::Steady> taken_; ///< when the last picture was begun, by path
  std::map<std::string, std::string> trouble_;  ///< what was logged last, by path
};

} // namespace ci
