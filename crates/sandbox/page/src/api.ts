// Requests to the control API. The secret is this tab's own, and lives as long as the tab.

const KEY = 'sandbox-page-secret';

let secret = '';

export class Refused extends Error {
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

export function currentSecret(): string {
  return secret;
}

/** Takes the ticket out of the address, and changes it for a secret. */
export async function enter(): Promise<URLSearchParams> {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const ticket = parameters.get('ticket');
  if (ticket) {
    parameters.delete('ticket');
    const rest = parameters.toString();
    history.replaceState(null, '', location.pathname + (rest ? `#${rest}` : ''));
    const answer = await send('POST', 'page/sessions', { ticket });
    secret = answer.secret;
    sessionStorage.setItem(KEY, secret);
  } else {
    secret = sessionStorage.getItem(KEY) ?? '';
  }
  return parameters;
}

async function send(method: string, path: string, body?: unknown): Promise<any> {
  const headers: Record<string, string> = {};
  if (secret) headers.authorization = `Bearer ${secret}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`/sandbox/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, 'The sandbox cannot be reached.');
  }
  const text = await response.text();
  let value: any = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    value = text;
  }
  if (!response.ok) throw new Refused(response.status, value?.error ?? `The sandbox answered ${response.status}.`);
  return value;
}

export const get = (path: string, query?: Record<string, string | undefined>) => {
  const given = Object.entries(query ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const text = new URLSearchParams(given).toString();
  return send('GET', text ? `${path}?${text}` : path);
};
export const post = (path: string, body: unknown = {}) => send('POST', path, body);
export const put = (path: string, body: unknown = {}) => send('PUT', path, body);
export const patch = (path: string, body: unknown = {}) => send('PATCH', path, body);
export const del = (path: string, body: unknown = {}) => send('DELETE', path, body);

export const segment = encodeURIComponent;
