/** Answers that clients may keep: they ask whether what they have is still the same. */
import type { ServerRequest, ServerResponse } from './message.ts';

/** The answer with its tag; 304 without a body for a client that has it already. It depends on what is accepted. */
export function tagged({ headers }: ServerRequest, response: ServerResponse, hash: string): ServerResponse {
  const marks = { etag: `"${hash}"`, vary: 'Accept' };
  const known = (headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(marks.etag) || known.includes('*')) return { status: 304, headers: marks, body: new Uint8Array() };
  return { ...response, headers: { ...response.headers, ...marks } };
}

/** FNV-1a in two lanes: it changes with the text; no secrecy is asked of it. */
export function hashOf(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).toUpperCase().padStart(8, '0')).join('');
}
