#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_schemas = R"json({
"parameters": {
  "profile_key": {"name": "profile_key", "in": "path", "required": true, "description": "A configured profile.", "schema": {"type": "string"}},
  "runner_id": {"name": "runner_id", "in": "path", "required": true, "description": "The monitor's id of the runner.", "schema": {"$ref": "#/components/schemas/Id"}},
  "count": {"name": "count", "in": "path", "required": true, "description": "How many; the setting max_take_count is the most.", "schema": {"type": "integer", "minimum": 1}},
  "unique_id": {"name": "unique_id", "in": "path", "required": true, "description": "The reservation's.", "schema": {"$ref": "#/components/schemas/UniqueId"}},
  "unique_id_query": {"name": "unique_id", "in": "query", "required": true, "description": "A new one for each reservation; workflows then use runs-on: reserved-for:<unique_id>.", "schema": {"$ref": "#/components/schemas/UniqueId"}},
  "qualified_repo": {"name": "qualified_repo", "in": "query", "required": true, "description": "<owner>/<repo> by GitHub's rules.", "schema": {"type": "string", "pattern": "^[A-Za-z0-9](-?[A-Za-z0-9])*/[A-Za-z0-9._-]{1,100}$"}},
  "run_id": {"name": "run_id", "in": "query", "required": true, "description": "The workflow run.", "schema": {"type": "integer", "format": "int64", "minimum": 1}},
  "minimum": {"name": "minimum", "in": "query", "description": "Be content with so many; default: count.", "schema": {"type": "integer", "minimum": 1}},
  "counts": {"name": "counts", "in": "query", "required": true, "style": "form", "explode": true, "description": "<profile_key>=<count>, one a profile.", "schema": {"$ref": "#/components/schemas/Counts"}},
  "IfNoneMatch": {"name": "If-None-Match", "in": "header", "description": "The ETag of what the client has.", "schema": {"type": "string"}},
  "Range": {"name": "Range", "in": "header", "description": "A part of the file.", "schema": {"type": "string"}}
},
"schemas": {
  "Id": {"type": "integer", "format": "int64", "minimum": 1},
  "UniqueId": {"type": "string", "description": "A UUID of version 4, in any case.", "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"},
  "Time": {"type": "string", "description": "RFC 3339 in UTC.", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$"},
  "TimeOrNull": {"oneOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
  "Number": {"type": "integer", "minimum": 0},
  "Counts": {"type": "object", "description": "By profile.", "additionalProperties": {"$ref": "#/components/schemas/Number"}},
  "Problem": {"type": "object", "description": "RFC 9457.", "required": ["type", "title", "status", "detail", "instance"], "properties": {
    "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
    "detail": {"type": "string", "description": "One sentence that a person can act on."},
    "instance": {"type": "string", "description": "The path that was asked for."},
    "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ParameterError"}}}},
  "ParameterError": {"type": "object", "required": ["parameter", "reason"], "properties": {
    "parameter": {"type": "string"}, "reason": {"type": "string"}}},
  "Registration": {"type": "object", "description": "GitHub's record of the runner.", "required": ["id", "busy", "name", "status", "labels"], "properties": {
    "id": {"$ref": "#/components/schemas/Id"}, "busy": {"type": "boolean"}, "name": {"type": "string"},
    "status": {"type": "string", "examples": ["online", "offline"]},
    "labels": {"type": "array", "items": {"$ref": "#/components/schemas/Label"}}}},
  "Label": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
  "Runner": {"type": "object", "required": ["id", "profile", "created_time", "registration", "guest_name", "ipv4_address", "status", "details"], "properties": {
    "id": {"$ref": "#/components/schemas/Id"}, "profile": {"type": "string"},
    "created_time": {"$ref": "#/components/schemas/Time"},
    "registration": {"oneOf": [{"$ref": "#/components/schemas/Registration"}, {"type": "null"}]},
    "guest_name": {"type": ["string", "null"]},
    "ipv4_address": {"oneOf": [{"type": "string", "format": "ipv4"}, {"type": "null"}]},
    "status": {"enum": ["StartedOrCrashed", "DoneOrUnregistered", "Invalid", "Busy", "Reserved", "Idle"]},
    "details": {"type": "object", "description": "For people.", "additionalProperties": {"type": "string"}}}},
  "Taken": {"type": "object", "required": ["id", "runner"], "properties": {
    "id": {"$ref": "#/components/schemas/Id"}, "runner": {"$ref": "#/components/schemas/Runner"}}},
  "TakenList": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Taken"}},
  "ReservationState": {"enum": ["deciding", "reserved", "started", "finished", "expired", "released"]},
  "SlotState": {"enum": ["chosen", "labelled", "confirmed", "started", "finished", "given_up", "unlabel", "released"]},
  "Slot": {"type": "object", "required": ["id", "state"], "properties": {
    "id": {"$ref": "#/components/schemas/Id"}, "state": {"$ref": "#/components/schemas/SlotState"},
    "runner": {"description": "null where it exists no more; not on the dashboard, which has it already.",
      "oneOf": [{"$ref": "#/components/schemas/Runner"}, {"type": "null"}]}}},
  "Reservation": {"type": "object", "required": ["unique_id", "state", "profile", "qualified_repo", "run_id", "created_time", "granted_time", "deadline", "ended_time", "runners"], "properties": {
    "unique_id": {"$ref": "#/components/schemas/UniqueId"}, "state": {"$ref": "#/components/schemas/ReservationState"},
    "profile": {"type": "string"}, "qualified_repo": {"type": "string"}, "run_id": {"$ref": "#/components/schemas/Id"},
    "created_time": {"$ref": "#/components/schemas/Time"}, "granted_time": {"$ref": "#/components/schemas/TimeOrNull"},
    "deadline": {"$ref": "#/components/schemas/TimeOrNull"}, "ended_time": {"$ref": "#/components/schemas/TimeOrNull"},
    "runners": {"type": "array", "items": {"$ref": "#/components/schemas/Slot"}}}},
  "ProfileCounts": {"type": "object", "required": ["target", "healthy", "started_or_crashed", "idle", "reserved", "busy", "done_or_unregistered", "invalid", "excess_healthy", "wanted", "image_age", "image", "paused", "trouble"], "properties": {
    "target": {"$ref": "#/components/schemas/Number"}, "healthy": {"$ref": "#/components/schemas/Number"},
    "started_or_crashed": {"$ref": "#/components/schemas/Number"}, "idle": {"$ref": "#/components/schemas/Number"},
    "reserved": {"$ref": "#/components/schemas/Number"}, "busy": {"$ref": "#/components/schemas/Number"},
    "done_or_unregistered": {"$ref": "#/components/schemas/Number"}, "invalid": {"$ref": "#/components/schemas/Number"},
    "excess_healthy": {"$ref": "#/components/schemas/Number"}, "wanted": {"$ref": "#/components/schemas/Number"},
    "image_age": {"type": ["number", "null"], "description": "Seconds."},
    "image": {"type": "object", "required": ["state", "template_guest", "failures", "trouble", "trouble_since", "next_try", "due", "waits_for"], "properties": {
      "state": {"enum": ["none", "building", "sealing", "trial", "ready", "hand-made"]},
      "template_guest": {"type": ["string", "null"], "description": "What new runners are made from."},
      "failures": {"type": "integer", "description": "Builds that failed in a row."},
      "trouble": {"type": ["string", "null"], "description": "Why the last build failed."},
      "trouble_since": {"type": ["string", "null"], "format": "date-time"}, "next_try": {"type": ["string", "null"], "format": "date-time"},
      "due": {"type": ["string", "null"], "description": "Why a build is due."},
      "waits_for": {"type": ["string", "null"], "description": "What keeps a build that is due."}}}, "paused": {"type": "boolean", "description": "By an operator: no new runners."}, "trouble": {"type": ["string", "null"]}}},
  "DashboardRunner": {"type": "object", "required": ["id", "screenshot_url", "runner"], "properties": {
    "id": {"$ref": "#/components/schemas/Id"}, "screenshot_url": {"type": "string", "format": "uri"},
    "runner": {"$ref": "#/components/schemas/Runner"}}},
  "Party": {"type": "object", "required": ["well", "trouble", "since"], "properties": {
    "well": {"type": "boolean"}, "trouble": {"type": ["string", "null"]}, "since": {"$ref": "#/components/schemas/TimeOrNull"}}},
  "PartyOrNull": {"oneOf": [{"$ref": "#/components/schemas/Party"}, {"type": "null"}]},
  "Health": {"type": "object", "required": ["github", "libvirt", "store"], "properties": {
    "github": {"$ref": "#/components/schemas/GithubParty"}, "libvirt": {"$ref": "#/components/schemas/Party"},
    "store": {"$ref": "#/components/schemas/Party"}}},
  "GithubParty": {"type": "object", "required": ["well", "trouble", "since", "token_expires_at"], "properties": {
    "well": {"type": "boolean"}, "trouble": {"type": ["string", "null"]}, "since": {"$ref": "#/components/schemas/TimeOrNull"},
    "token_expires_at": {"$ref": "#/components/schemas/TimeOrNull"}}},
  "Resources": {"type": "object", "required": ["1g_hugepages", "normal_memory"], "properties": {
    "1g_hugepages": {"type": "integer"}, "normal_memory": {"type": "integer", "format": "int64", "description": "Bytes."}}},
  "Budget": {"type": "object", "required": ["available", "held"], "properties": {
    "available": {"$ref": "#/components/schemas/Resources"}, "held": {"$ref": "#/components/schemas/Resources"}}},
  "Dashboard": {"type": "object", "required": ["profile_runner_counts", "reservations", "health", "budget", "strangers", "policy_override", "draining", "time", "version", "service_version", "runners"], "properties": {
    "profile_runner_counts": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ProfileCounts"}},
    "reservations": {"type": "array", "items": {"$ref": "#/components/schemas/Reservation"}},
    "health": {"$ref": "#/components/schemas/Health"}, "budget": {"$ref": "#/components/schemas/Budget"},
    "strangers": {"description": "Guests and registrations that look like ours and are not.", "type": "array", "items": {"type": "string"}},
    "policy_override": {"oneOf": [{"$ref": "#/components/schemas/Override"}, {"type": "null"}]},
    "draining": {"type": "boolean"}, "time": {"$ref": "#/components/schemas/Time"},
    "version": {"type": "integer", "description": "Grows with each change of the decisions."}, "service_version": {"type": "string"},
    "runners": {"type": "array", "items": {"$ref": "#/components/schemas/DashboardRunner"}}}},
  "MonitorReadiness": {"type": "object", "required": ["well", "last_crank_age"], "properties": {
    "well": {"type": "boolean"}, "last_crank_age": {"type": ["number", "null"], "description": "Seconds."}}},
  "Readiness": {"type": "object", "required": ["ready", "github", "libvirt", "store", "monitor"], "properties": {
    "ready": {"type": "boolean"}, "github": {"$ref": "#/components/schemas/PartyOrNull"},
    "libvirt": {"$ref": "#/components/schemas/PartyOrNull"}, "store": {"$ref": "#/components/schemas/PartyOrNull"},
    "monitor": {"$ref": "#/components/schemas/MonitorReadiness"}}},
  "ReadinessProblem": {"type": "object", "required": ["type", "title", "status", "detail", "instance", "ready", "github", "libvirt", "store", "monitor"], "properties": {
    "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
    "instance": {"type": "string"}, "ready": {"type": "boolean"}, "github": {"$ref": "#/components/schemas/PartyOrNull"},
    "libvirt": {"$ref": "#/components/schemas/PartyOrNull"}, "store": {"$ref": "#/components/schemas/PartyOrNull"},
    "monitor": {"$ref": "#/components/schemas/MonitorReadiness"}}},
  "Override": {"type": "object", "required": ["profile_override_counts", "profile_target_counts", "actual_runner_ids_by_profile_key", "created_at"], "properties": {
    "profile_override_counts": {"$ref": "#/components/schemas/Counts"},
    "profile_target_counts": {"$ref": "#/components/schemas/Counts"},
    "actual_runner_ids_by_profile_key": {"type": "object", "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}},
    "created_at": {"$ref": "#/components/schemas/Time"}}},
  "Explanation": {"type": "object", "required": ["granted", "refusal", "detail", "budget", "profiles"], "properties": {
    "granted": {"oneOf": [{"$ref": "#/components/schemas/Counts"}, {"type": "null"}]},
    "refusal": {"enum": [null, "override_active", "override_idle", "override_unfit"]},
    "detail": {"type": "string", "description": "Why."},
    "budget": {"description": "The host's, less what is held by others.", "$ref": "#/components/schemas/Resources"},
    "profiles": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ExplainedProfile"}}}},
  "ExplainedProfile": {"type": "object", "required": ["configured_target", "reserved_or_busy", "each", "asked", "beyond_target", "granted", "target_meanwhile"], "properties": {
    "configured_target": {"$ref": "#/components/schemas/Number"}, "reserved_or_busy": {"$ref": "#/components/schemas/Number"},
    "each": {"description": "What one runner takes.", "$ref": "#/components/schemas/Resources"},
    "asked": {"$ref": "#/components/schemas/Number"}, "beyond_target": {"$ref": "#/components/schemas/Number"},
    "granted": {"$ref": "#/components/schemas/Number"},
    "target_meanwhile": {"description": "null where nothing was fitted.", "oneOf": [{"$ref": "#/components/schemas/Number"}, {"type": "null"}]}}},
  "History": {"type": "object", "required": ["events", "next"], "properties": {
    "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
    "next": {"description": "The next page's before; null: this is the last one.", "oneOf": [{"$ref": "#/components/schemas/Id"}, {"type": "null"}]}}},
  "Event": {"type": "object", "required": ["number", "time", "event", "runner", "profile", "detail"], "properties": {
    "number": {"$ref": "#/components/schemas/Id"}, "time": {"$ref": "#/components/schemas/Time"},
    "event": {"type": "string", "examples": ["ordered", "online", "reserved", "busy", "gone", "take_granted", "take_null", "image_ready"]},
    "runner": {"oneOf": [{"$ref": "#/components/schemas/Id"}, {"type": "null"}]}, "profile": {"type": ["string", "null"]},
    "detail": {"type": "string", "description": "For people; of takes that share a line, how many they were."}}},
  "UsageReport": {"type": "object", "required": ["since", "until", "history_since", "profiles", "total"], "properties": {
    "since": {"$ref": "#/components/schemas/Time"}, "until": {"$ref": "#/components/schemas/Time"},
    "history_since": {"description": "Nothing is known of what was before.", "$ref": "#/components/schemas/TimeOrNull"},
    "profiles": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Usage"}},
    "total": {"$ref": "#/components/schemas/Usage"}}},
  "Usage": {"type": "object", "description": "Seconds are those of all runners together within the span.", "required": ["runners_made", "runners_online", "runners_failed", "jobs", "starting_seconds", "idle_seconds", "reserved_seconds", "busy_seconds", "ending_seconds", "utilisation", "takes", "granted_share", "create_to_online", "reserved_to_busy", "end_to_removed", "end_to_replacement"], "properties": {
    "runners_made": {"$ref": "#/components/schemas/Number"}, "runners_online": {"$ref": "#/components/schemas/Number"},
    "runners_failed": {"description": "Ended without ever having been online.", "$ref": "#/components/schemas/Number"},
    "jobs": {"description": "That began.", "$ref": "#/components/schemas/Number"},
    "starting_seconds": {"type": "number", "minimum": 0}, "idle_seconds": {"type": "number", "minimum": 0},
    "reserved_seconds": {"type": "number", "minimum": 0}, "busy_seconds": {"type": "number", "minimum": 0},
    "ending_seconds": {"type": "number", "minimum": 0},
    "utilisation": {"type": ["number", "null"], "description": "busy_seconds as a share of all these."},
    "takes": {"description": "Decided ones by outcome: granted, null, or why they could not be decided.", "$ref": "#/components/schemas/Counts"},
    "granted_share": {"type": ["number", "null"]},
    "create_to_online": {"$ref": "#/components/schemas/Spread"}, "reserved_to_busy": {"$ref": "#/components/schemas/Spread"},
    "end_to_removed": {"description": "From a job's end until nothing is left of its runner.", "$ref": "#/components/schemas/Spread"},
    "end_to_replacement": {"description": "From a job's end until the runner in its place is online.", "$ref": "#/components/schemas/Spread"}}},
  "Spread": {"type": "object", "description": "Seconds.", "required": ["count", "median", "p95"], "properties": {
    "count": {"$ref": "#/components/schemas/Number"}, "median": {"type": ["number", "null"]}, "p95": {"type": ["number", "null"]}}},
  "Rebuild": {"type": "object", "required": ["profile", "rebuild"], "properties": {
    "profile": {"type": "string"}, "rebuild": {"type": "boolean"}}},
  "Pause": {"type": "object", "required": ["profile", "paused"], "properties": {
    "profile": {"type": "string"}, "paused": {"type": "boolean"}}}
}
})json";

} // namespace ci::http
