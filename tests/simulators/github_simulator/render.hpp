#pragma once
/// Records in the shapes of GitHub's description of its API.

#include "tests/simulators/github_simulator/model.hpp"

namespace ci::github_simulator {

Json runner_json(const Runner&, const Model&, Moment now);
Json labels_json(const Labels&);
/// `{total_count, labels}`.
Json labels_listing(const Labels&);
/// `{runner, encoded_jit_config}`. `server_url` is where the runner's program finds `/_runner/`.
Json registration_json(const Runner&, const Model&, const std::string& server_url, Moment now);
/// `base` is the URL below which the API's paths are.
Json job_json(const Job&, const Model&, const std::string& base);
Json artifact_json(const Artifact&, const Model&, const std::string& base);
Json run_json(const Run&, const Model&, const std::string& base);
Json user_json(const std::string& name, const std::string& base);
Json repository_json(const std::string& full_name, const Model&, const std::string& base);
/// A webhook's payload.
Json payload_json(const Happening&, const Model&, const std::string& base);

} // namespace ci::github_simulator
