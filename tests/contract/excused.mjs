// Where GitHub's description contradicts GitHub, or itself. Nothing else is excused; what is excused is counted and shown.

const statuses = {
  '304': 'conditional requests are answered 304 everywhere; the description says so of few operations',
  '401': 'a wrong token is answered 401 everywhere; the description says so of no runner operation',
  '403': 'rate limits and missing rights are answered 403 everywhere; the description says so of few operations',
  '404': 'what does not exist is answered 404; the description leaves that out of several operations',
  '429': 'a secondary rate limit may be answered 429; the description says so nowhere',
  '400': 'what is not JSON is answered 400; the description says so nowhere',
};

/** Why a violation that Prism found is none, or undefined. */
export function excuse(operation, status, violation) {
  const undeclared = violation.location[0] === 'response' && /Unable to match the returned status code/.test(violation.message);
  if (undeclared && statuses[status]) return `${status}: ${statuses[status]}`;
  return undefined;
}
