#include "http/openapi.hpp"

namespace ci::http {

const char* const openapi_dashboard = R"json({
"GET /": {
  "operationId": "page", "tags": ["dashboard"], "summary": "The dashboard page", "cacheable": true,
  "responses": {
    "200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
    "503": "The first crank is not over."}},
"GET /dashboard.html": {
  "operationId": "dashboardHtml", "tags": ["dashboard"], "summary": "The page's contents alone, for live updates", "cacheable": true,
  "responses": {
    "200": {"description": "A part of a page.", "content": {"text/html": {"schema": {"type": "string"}}}},
    "503": "The first crank is not over."}},
"GET /dashboard.json": {
  "operationId": "dashboardJson", "tags": ["dashboard"], "summary": "The dashboard for machines", "cacheable": true,
  "responses": {
    "200": {"description": "Profiles, runners, reservations, health.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Dashboard"}}}},
    "503": "The first crank is not over."}},
"GET /profile/{profile_key}/screenshot.png": {
  "operationId": "profileScreenshot", "tags": ["dashboard"], "summary": "The last picture of the profile's rebuild guest", "cacheable": true,
  "responses": {
    "200": {"description": "The picture.", "content": {"image/png": {}}, "headers": {"Last-Modified": {"$ref": "#/components/headers/LastModified"}}},
    "404": "There is no such profile, or no picture.",
    "503": "The picture can't be read now, or not in time."}},
"GET /runner/{runner_id}/screenshot": {
  "operationId": "runnerScreenshotRedirect", "tags": ["dashboard"], "summary": "Leads to the runner's last picture",
  "responses": {
    "302": {"description": "To its screenshot.png.", "headers": {"Location": {"$ref": "#/components/headers/Location"}}},
    "404": "There is no such runner."}},
"GET /runner/{runner_id}/screenshot.png": {
  "operationId": "runnerScreenshot", "tags": ["dashboard"], "summary": "The last picture of the runner's guest", "cacheable": true,
  "responses": {
    "200": {"description": "The picture.", "content": {"image/png": {}}, "headers": {"Last-Modified": {"$ref": "#/components/headers/LastModified"}}},
    "404": "There is no such runner, or no picture.",
    "503": "The picture can't be read now, or not in time."}},
"GET /runner/{runner_id}/screenshot/now": {
  "operationId": "runnerScreenshotNow", "tags": ["dashboard"], "summary": "A picture of the runner's guest taken now",
  "responses": {
    "200": {"description": "The picture.", "content": {"image/png": {}}},
    "404": "There is no such runner, or it has no guest.",
    "429": "Too many pictures are asked for from this address.",
    "503": "The guest is off, or no picture could be taken in time."}}
})json";

} // namespace ci::http
