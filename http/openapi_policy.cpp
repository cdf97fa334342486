#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_policy = R"json({
"GET /policy/override": {
  "operationId": "showOverride", "tags": ["policy"], "summary": "The override in force",
  "responses": {
    "200": {"description": "What was granted and what was delivered, or null.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Override"}, {"type": "null"}]}}}},
    "503": "The first crank is not over."}},
"POST /policy/override": {
  "operationId": "askOverride", "tags": ["policy"], "summary": "Ask for other targets until they were delivered",
  "parameters": [{"$ref": "#/components/parameters/counts"}],
  "responses": {
    "200": {"description": "The counts that were granted.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Counts"}}}},
    "400": "There are no parameters, or a count is no number from 0 to 10000; see errors.",
    "404": "There is no such profile.",
    "409": "Another override is in force.",
    "422": "It asks for nothing beyond the configured targets, or nothing of it can be granted.",
    "503": "Not decided in time; look at the override before a repeat."}},
"DELETE /policy/override": {
  "operationId": "cancelOverride", "tags": ["policy"], "summary": "Cancel the override",
  "responses": {
    "200": {"description": "The granted counts of the one that was cancelled, or null.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Counts"}, {"type": "null"}]}}}},
    "503": "Not decided in time; repeat it."}}
})json";

} // namespace ci::http
