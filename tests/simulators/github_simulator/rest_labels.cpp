/// The labels of a runner.

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/rest.hpp"

namespace ci::github_simulator {

namespace {

constexpr const char* documentation = "/actions/self-hosted-runners";

/// What is wrong, if anything is.
std::optional<Answer> put_labels(Call& call, bool replacing) {
  auto read = object_in(call.request);
  if (auto* wrong = std::get_if<Answer>(&read))
    return *wrong;
  const auto& body = std::get<Json>(read);
  if (auto complaint = labels_complaint(body, replacing ? 0 : 1))
    return complaint;
  const auto names = body["labels"].get<LabelNames>();
  if (replacing)
    call.world.model.set_custom_labels(call.target.id, names, call.now);
  else
    call.world.model.add_labels(call.target.id, names, call.now);
  return std::nullopt;
}

std::optional<Answer> take_label(Call& call, const Runner& runner) {
  const auto* label = find_label(runner.labels, call.target.label);
  if (!label)
    return not_found(documentation);
  if (label->read_only)
    return error_answer(422, "Cannot remove the read-only label \"" + label->name + "\".", documentation);
  call.world.model.remove_label(runner.id, call.target.label);
  return std::nullopt;
}

} // namespace

Answer change_labels(Call& call) {
  const auto* runner = call.world.model.find(call.target.scope, call.target.id);
  if (!runner)
    return not_found(documentation);
  std::optional<Answer> wrong;
  const auto& operation = call.target.operation;
  if (operation == "label" || operation == "set_labels")
    wrong = put_labels(call, operation == "set_labels");
  else if (operation == "clear_labels")
    call.world.model.set_custom_labels(runner->id, {}, call.now);
  else if (operation == "unlabel")
    wrong = take_label(call, *runner);
  return wrong ? *wrong : json_answer(200, labels_listing(runner->labels));
}

} // namespace ci::github_simulator
