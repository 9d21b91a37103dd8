import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventStreamParser, encodeEventStream } from '../../../src/api/sse.ts'

test.each([
  ['LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['several lines of data', 'data: a\ndata: b\n\n', ['a\nb']],
  ['no space after the colon', 'data:a\n\n', ['a']],
  ['only one space is taken away', 'data:  a\n\n', [' a']],
  ['no colon at all', 'data\n\n', ['']],
  ['comments and other fields', ': hello\nevent: x\nid: 1\nretry: 5\ndata: a\nfoo: bar\n\n', ['a']],
  ['blank lines without data', '\n\n\ndata: a\n\n', ['a']],
  ['a byte order mark', '\uFEFFdata: a\n\n', ['a']],
  ['an event that is not finished', 'data: a\n\ndata: b\n', ['a']],
  ['U+2028, which is no line end here', 'data: a\u2028b\n\n', ['a\u2028b']],
])('reads %s', (_name, text, expected) => {
  expect(new EventStreamParser().push(text)).toEqual(expected)
})

test('reads the same however the text is cut', () => {
  const line = fc.constantFrom('data: x', 'data:', 'data: {"a":1}', ': c', 'event: e', '', 'datax: y')
  const end = fc.constantFrom('\n', '\r', '\r\n')
  const document = fc
    .array(
      fc.tuple(line, end).map((pair) => pair.join('')),
      { maxLength: 20 },
    )
    .map((lines) => lines.join(''))
  fc.assert(
    fc.property(document, fc.array(fc.nat(5), { maxLength: 60 }), (text, cuts) => {
      const whole = new EventStreamParser().push(text)
      const parser = new EventStreamParser()
      const pieces: string[] = []
      let rest = text
      for (const size of cuts) {
        pieces.push(...parser.push(rest.slice(0, size)))
        rest = rest.slice(size)
      }
      pieces.push(...parser.push(rest))
      expect(pieces).toEqual(whole)
    }),
  )
})

const options = {
  encodeEvent: (event: unknown) => JSON.stringify(event),
  encodeError: (error: unknown) => JSON.stringify({ error: String(error) }),
  doneMarker: true,
  keepAliveMs: 10_000,
  signal: new AbortController().signal,
}

test('what is encoded is read back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json(), { maxLength: 5 }), async (events) => {
      const parser = new EventStreamParser()
      const read: string[] = []
      for await (const piece of encodeEventStream(
        (async function* () {
          yield* events
        })(),
        options,
      ))
        read.push(...parser.push(piece))
      expect(read).toEqual([...events.map((event) => JSON.stringify(event)), '[DONE]'])
    }),
  )
})

test.each([0, 20])('an abort %i ms in ends the stream even when its source hangs, and the source is told', async (delayMs) => {
  const controller = new AbortController()
  let returned = false
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => undefined),
      return: async () => {
        returned = true
        return { done: true, value: undefined }
      },
    }),
  }
  const pieces: string[] = []
  if (delayMs === 0) controller.abort()
  else setTimeout(() => controller.abort(), delayMs)
  for await (const piece of encodeEventStream(source, { ...options, signal: controller.signal })) pieces.push(piece)
  expect([pieces, returned]).toEqual([[], true])
})
