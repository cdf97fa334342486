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
    "400": "There are no parameters, or more than 256, or a count is no number from 0 to 10000; see errors.",
    "404": "There is no such profile.",
    "409": "Another override is in force.",
    "422": "It asks for nothing beyond the configured targets, or nothing of it can be granted.",
    "503": "Not decided in time; look at the override before a repeat."}},
"DELETE /policy/override": {
  "operationId": "cancelOverride", "tags": ["policy"], "summary": "Cancel the override",
  "responses": {
    "200": {"description": "The granted counts of the one that was cancelled, or null.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Counts"}, {"type": "null"}]}}}},
    "503": "Not decided in time; repeat it."}},
"GET /policy/explain": {
  "operationId": "explainPolicy", "tags": ["policy"], "summary": "What an override would be granted, and why, without asking for it",
  "parameters": [{"$ref": "#/components/parameters/counts"}],
  "responses": {
    "200": {"description": "What would be granted now, by profile.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Explanation"}}}},
    "400": "There are no parameters, or more than 256, or a count is no number from 0 to 10000; see errors.",
    "404": "There is no such profile.",
    "503": "The first crank is not over, or libvirt was not heard yet."}},
"POST /profile/{profile_key}/rebuild": {
  "operationId": "rebuildImage", "tags": ["policy"], "summary": "Build a new image of the profile as soon as there is room",
  "description": "Survives a restart. The old image serves until the new one is ready.",
  "responses": {
    "200": {"description": "It is noted.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Rebuild"}}}},
    "404": "There is no such profile.",
    "409": "The images of the profile are made by hand.",
    "503": "Not decided in time; repeat it."}},
"POST /profile/{profile_key}/pause": {
  "operationId": "pauseProfile", "tags": ["policy"], "summary": "Make no new runners of the profile",
  "description": "Those there are serve on. Survives a restart. Idempotent.",
  "responses": {
    "200": {"description": "It is paused.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pause"}}}},
    "404": "There is no such profile.",
    "503": "Not decided in time; repeat it."}},
"POST /profile/{profile_key}/resume": {
  "operationId": "resumeProfile", "tags": ["policy"], "summary": "Make new runners of the profile again",
  "description": "Idempotent.",
  "responses": {
    "200": {"description": "It is paused no more.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pause"}}}},
    "404": "There is no such profile.",
    "503": "Not decided in time; repeat it."}},
"POST /runner/{runner_id}/destroy": {
  "operationId": "destroyRunner", "tags": ["policy"], "summary": "Unregister and remove a runner",
  "description": "It goes as soon as GitHub has let it go for certain. Idempotent.",
  "responses": {
    "200": {"description": "It is being destroyed.", "content": {"application/json": {"schema": {
      "type": "object", "required": ["id", "destroying"], "properties": {
        "id": {"$ref": "#/components/schemas/Id"}, "destroying": {"const": true}}}}}},
    "400": "The id is none.",
    "404": "There is no such runner.",
    "409": "A job may be running on it, or it is reserved.",
    "503": "Not decided in time; repeat it."}}
})json";

} // namespace ci::http
