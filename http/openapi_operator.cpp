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
"GET /openapi.json": {
  "operationId": "openapi", "tags": ["operator"], "summary": "This description", "cacheable": true,
  "responses": {
    "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {
      "type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": true}}}}}}
})json";

} // namespace ci::http
