/** Reads a watch: JSON documents, one a line, arriving in pieces cut anywhere, even inside a UTF-8 character. */
import { type ApiObject, errorFromStatus, parseJson, type Status } from '#machinery';

/** One event of a watch. A bookmark's object carries nothing but metadata.resourceVersion. */
export interface WatchEvent<T extends ApiObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/**
 * The events of a watch's body. Throws ApiError when the server ends the watch with an ERROR event (410 when the
 * history is gone), SyntaxError on a line that is no JSON; a last line without newline is dropped as cut off.
 */
export async function* watchEvents<T extends ApiObject>(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(body)) {
    // The server's type for this resource; the parser sees only JSON.
    const event = parseJson(line) as unknown as { type: string; object: unknown };
    if (event.type === 'ERROR') throw errorFromStatus(event.object as Status);
    if (isEventType(event.type)) yield { type: event.type, object: event.object as T };
  }
}

function isEventType(type: string): type is WatchEvent<ApiObject>['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}

/** Splits a body into its complete, non-empty lines. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Pieces of a long line are joined once, so a line of n pieces costs O(n).
  let pieces: string[] = [];
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end));
      const line = pieces.join('').trim();
      pieces = [];
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < text.length) pieces.push(text.slice(start));
  }
}

/** The whole body as text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
