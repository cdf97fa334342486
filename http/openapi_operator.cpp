#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_operator = R"json({
"GET /healthz": {
  "operationId": "healthz", "tags": ["operator"], "summary": "Whether the process answers",
  "responses": {
    "200": {"description": "It does.", "content": {"application/json": {"schema": {
      "type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}}}}}}},
"GET /readyz": {
  "operationId": "readyz", "tags": ["operator"], "summary": "Whether the service decides",
  "description": "GitHub being away does not make the service unready.",
  "responses": {
    "200": {"description": "A crank has ended lately.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}},
    "503": {"description": "No crank has ended (lately), or the service is stopping.",
      "content": {"application/problem+json": {"schema": {"anyOf": [
        {"$ref": "#/components/schemas/ReadinessProblem"}, {"$ref": "#/components/schemas/Problem"}]}}}}}},
"GET /metrics": {
  "operationId": "metrics", "tags": ["operator"], "summary": "Prometheus metrics",
  "responses": {
    "200": {"description": "The text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}}},
"GET /history.json": {
  "operationId": "history", "tags": ["operator"], "summary": "What happened, the newest first",
  "description": "Kept for 30 days, 100,000 events at most. Pages: repeat the request with before set to next. For those at the host itself, the token is not needed.",
  "parameters": [
    {"name": "before", "in": "query", "description": "Only events with smaller numbers.", "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "limit", "in": "query", "description": "So many at most.", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}},
    {"name": "runner", "in": "query", "description": "Of this runner.", "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "profile", "in": "query", "description": "Of this profile, configured or not.", "schema": {"type": "string"}},
    {"name": "event", "in": "query", "description": "Of this kind.", "schema": {"type": "string"}},
    {"name": "since", "in": "query", "description": "From then on.", "schema": {"$ref": "#/components/schemas/Time"}},
    {"name": "until", "in": "query", "description": "Before then.", "schema": {"$ref": "#/components/schemas/Time"}}],
  "responses": {
    "200": {"description": "A page of it.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/History"}}}},
    "503": "The store can't be read, or others read it; repeat it."}},
"GET /usage.json": {
  "operationId": "usage", "tags": ["operator"], "summary": "How the pools were used in a span of time",
  "description": "Computed from the history; history_since tells how far that reaches back. For those at the host itself, the token is not needed.",
  "parameters": [
    {"name": "since", "in": "query", "description": "From then on.", "schema": {"$ref": "#/components/schemas/Time"}},
    {"name": "until", "in": "query", "description": "Before then; now, where it is missing or later.", "schema": {"$ref": "#/components/schemas/Time"}},
    {"name": "hours", "in": "query", "description": "So many before the end, in place of since.", "schema": {"type": "integer", "minimum": 1, "maximum": 720, "default": 24}}],
  "responses": {
    "200": {"description": "By profile, and of all.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/UsageReport"}}}},
    "503": "The store can't be read, or others read it; repeat it."}},
"POST /github/webhook": {
  "operationId": "githubWebhook", "tags": ["operator"], "summary": "What GitHub tells by itself",
  "description": "For the events workflow_job and workflow_run of the scope whose runners these are; others are taken and ignored. A delivery makes the service ask GitHub at once, and is never needed: late, repeated and lost ones do no harm.",
  "parameters": [
    {"name": "X-Hub-Signature-256", "in": "header", "required": true, "description": "sha256= and the HMAC-SHA256 of the body's bytes with GITHUB_WEBHOOK_SECRET, in hex.",
      "schema": {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"}},
    {"name": "X-GitHub-Event", "in": "header", "required": true, "description": "Which event it is.", "schema": {"type": "string"}},
    {"name": "X-GitHub-Delivery", "in": "header", "description": "The delivery's id; a repeated one makes no difference.", "schema": {"type": "string"}}],
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "additionalProperties": true}}}},
  "responses": {
    "202": {"description": "Taken; what follows from it comes afterwards."},
    "400": "The signature is right, but the content type is not application/json, the event is not named, or the body is not as GitHub describes it.",
    "403": "X-Hub-Signature-256 is missing or wrong.",
    "404": "No webhook secret is set.",
    "429": "The signature is wrong, and too many such came from this address.",
    "503": "The first crank is not over, or too many deliveries wait."}},
"GET /openapi.json": {
  "operationId": "openapi", "tags": ["operator"], "summary": "This description", "cacheable": true,
  "responses": {
    "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {
      "type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": true}}}}}}
})json";

} // namespace ci::http
