#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_reserve = R"json({
"POST /profile/{profile_key}/take": {
  "operationId": "takeOne", "tags": ["reserve"], "summary": "Reserve one runner",
  "description": "A repeat with the same arguments gets the same answer as long as the reservation lives.",
  "parameters": [{"$ref": "#/components/parameters/unique_id_query"}, {"$ref": "#/components/parameters/qualified_repo"},
    {"$ref": "#/components/parameters/run_id"}],
  "responses": {
    "200": {"description": "The runner, or null: nothing was reserved and nothing changed, use another runner.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Taken"}, {"type": "null"}]}}}},
    "400": "A parameter is missing, repeated or wrong; see errors.",
    "404": "There is no such profile.",
    "409": "The unique_id is in use with other arguments, or was released while it was being decided.",
    "410": "The unique_id was used within the last 7 days.",
    "503": "Not decided in time, or GitHub could not be asked in time: undone. Repeat it to get its outcome."}},
"POST /profile/{profile_key}/take/{count}": {
  "operationId": "takeSeveral", "tags": ["reserve"], "summary": "Reserve several runners, all or none",
  "description": "A repeat with the same arguments gets the same answer as long as the reservation lives.",
  "parameters": [{"$ref": "#/components/parameters/unique_id_query"}, {"$ref": "#/components/parameters/qualified_repo"},
    {"$ref": "#/components/parameters/run_id"}, {"$ref": "#/components/parameters/minimum"}],
  "responses": {
    "200": {"description": "The runners, or null: nothing was reserved and nothing changed, use other runners.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/TakenList"}, {"type": "null"}]}}}},
    "400": "A parameter is missing, repeated or wrong; see errors.",
    "404": "There is no such profile.",
    "409": "The unique_id is in use with other arguments, or was released while it was being decided.",
    "410": "The unique_id was used within the last 7 days.",
    "503": "Not decided in time, or GitHub could not be asked in time: undone. Repeat it to get its outcome."}},
"POST /select-runner": {
  "operationId": "selectRunner", "tags": ["reserve"], "summary": "Reserve runners by the proof of an artifact",
  "description": "Needs no token: an artifact of the workflow run names what is wanted. A repeat with the same arguments gets the same answer as long as the reservation lives.",
  "parameters": [{"$ref": "#/components/parameters/unique_id_query"}, {"$ref": "#/components/parameters/qualified_repo"},
    {"$ref": "#/components/parameters/run_id"},
    {"name": "X-Reservation-Key", "in": "header", "description": "What key_sha256 of the artifact is the SHA-256 of.", "schema": {"type": "string"}}],
  "responses": {
    "200": {"description": "The runners, or null: nothing was reserved and nothing changed, use other runners.",
      "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/TakenList"}, {"type": "null"}]}}}},
    "400": "A parameter is missing, repeated or wrong; see errors.",
    "403": "The repository or the artifact does not allow it; detail says why.",
    "404": "There is no such profile.",
    "409": "The unique_id is in use with other arguments, or was released while it was being decided.",
    "410": "The unique_id was used within the last 7 days.",
    "429": "Too many selects from this address.",
    "503": "Not decided in time, or GitHub could not be asked in time: undone. Repeat it to get its outcome."}},
"GET /reservation/{unique_id}": {
  "operationId": "showReservation", "tags": ["reserve"], "summary": "Look at a reservation",
  "responses": {
    "200": {"description": "Its state and its runners.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reservation"}}}},
    "400": "The unique_id is none.",
    "404": "There is no such reservation.",
    "503": "The first crank is not over."}},
"DELETE /reservation/{unique_id}": {
  "operationId": "releaseReservation", "tags": ["reserve"], "summary": "Give back what has not started",
  "description": "Idempotent.",
  "responses": {
    "200": {"description": "What became of it.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reservation"}}}},
    "400": "The unique_id is none.",
    "404": "There is no such reservation.",
    "503": "Not decided in time; repeat it."}}
})json";

} // namespace ci::http
