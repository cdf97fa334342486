#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_guest = R"json({
"GET /github-jitconfig": {
  "operationId": "jitConfig", "tags": ["guest"], "summary": "The runner's JIT config",
  "description": "For the guest whose current lease is the peer's address.",
  "by-lease": true,
  "responses": {
    "200": {"description": "A JSON string for the runner's --jitconfig.",
      "content": {"application/json": {"schema": {"type": "string", "minLength": 1}}}},
    "410": "GitHub has seen the runner online, or it was fetched too often: the JIT config is not given out any more.",
    "503": "The runner's registration is not there yet."}},
"GET /boot": {
  "operationId": "bootScript", "tags": ["guest"], "summary": "The profile's boot script",
  "description": "For the guest, of a runner or of an image rebuild, whose current lease is the peer's address.",
  "by-lease": true,
  "responses": {
    "200": {"description": "The script, byte for byte.", "content": {"text/plain": {"schema": {"type": "string"}}}}}},
"GET /image-deps/{path...}": {
  "operationId": "imageDependency", "tags": ["guest"], "summary": "A file that image builds need",
  "parameters": [{"name": "path", "description": "Below the folder IMAGE_DEPS_DIR.", "schema": {"type": "string"}},
    {"$ref": "#/components/parameters/Range"}],
  "cacheable": true,
  "responses": {
    "200": {"description": "The file.", "content": {"*/*": {}}},
    "206": {"description": "The part that was asked for.", "content": {"*/*": {}}},
    "404": "There is no such file.",
    "416": "There is nothing of the file in that range.",
    "503": "The file can't be read now, or not in time."}},
"GET /cache/servo/{path...}": {
  "operationId": "repositoryFile", "tags": ["guest"], "summary": "A file of the checkout, for git clone among others",
  "parameters": [{"name": "path", "description": "Below main_repo_path.", "schema": {"type": "string"}},
    {"$ref": "#/components/parameters/Range"}],
  "cacheable": true,
  "responses": {
    "200": {"description": "The file.", "content": {"*/*": {}}},
    "206": {"description": "The part that was asked for.", "content": {"*/*": {}}},
    "404": "There is no such file.",
    "416": "There is nothing of the file in that range.",
    "503": "The file can't be read now, or not in time."}}
})json";

} // namespace ci::http
