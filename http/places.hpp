#pragma once
/// How many cranking requests are under way, and whose they are.

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace ci::http {

enum class Asker {
  guest,     ///< known by its address
  stranger,  ///< selects without the token
  with_token
};

/// Places for requests that are under way. Guests together have a quarter of them at most, strangers another one:
/// a flood of theirs leaves half to those who show the token. A guest's address has `most_of_a_guest`. One thread.
class Places {
 public:
  /// A guest asks one thing at a time; it may have given up on one that is still under way.
  static constexpr std::size_t most_of_a_guest = 4;

  /// \p limit: of all together, at least 1.
  explicit Places(std::size_t limit);

  /// Given back when the last copy is destroyed; may outlive this.
  using Place = std::shared_ptr<void>;
  /// Null: there is none left. \p address: a guest's; nobody else's counts.
  Place take(Asker asker, const std::string& address = {});

 private:
  struct Taken {
    std::map<Asker, std::size_t> by_asker;
    std::map<std::string, std::size_t> by_address; ///< guests that hold one or more
  };
  bool full_for(Asker asker, const std::string& address) const;

  const std::size_t limit_;
  const std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

} // namespace ci::http
