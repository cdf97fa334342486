#pragma once
/// The operations of the REST API. What all have in common (credentials, limits, faults, headers) is done by
/// Api.

#include "tests/simulators/github_simulator/pages.hpp"
#include "tests/simulators/github_simulator/world.hpp"

namespace ci::github_simulator {

struct Call {
  const Request& request;
  const Target& target;
  World& world;
  Moment now;
  Query query = parse_query(request.query);

  /// `http://host:port`, with `/api/v3` where the request had it.
  std::string base() const { return "http://" + request.header("host") + target.prefix; }
  const Settings& settings() const { return world.model.settings(); }
};

/// Of whom the request speaks.
Mentioned mentioned_by(const Call&);
/// Does what the target names.
Answer operate(Call&);

Answer register_runner(Call&);
Answer list_runners(Call&);
Answer get_runner(Call&);
Answer delete_runner(Call&);
Answer change_labels(Call&);
Answer get_run(Call&);
Answer list_jobs(Call&);
Answer cancel_run(Call&);
Answer list_artifacts(Call&);
Answer get_artifact(Call&);
Answer delete_artifact(Call&);
/// A redirect to the storage, which is another host than the API.
Answer download_artifact(Call&);

/// The storage that a download is redirected to: no part of the API, with rules of its own.
Answer stored_archive(const World&, const Request&, Moment now);
Answer get_rate_limit(Call&);
Answer create_app_token(Call&);

Answer not_found(const std::string& documentation = {});
/// A listing's answer: `page` of the elements under `key`, with a Link header where there are more pages.
/// `path` is below the scope.
Answer paged(const Call&, const Page&, std::size_t total, const std::string& key, Json elements,
             const std::string& path);

/// The request's body as an object, or what is wrong with it.
std::variant<Json, Answer> object_in(const Request&);
/// What is wrong with `labels` of a body, if anything is.
std::optional<Answer> labels_complaint(const Json& body, std::size_t least);

} // namespace ci::github_simulator
