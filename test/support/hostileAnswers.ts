import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CallOptions, createClient } from '../../src/api/client.ts'
import type { ClientSession } from '../../src/api/sessionHandshake.ts'
import type { CuckooError } from '../../src/errors/cuckooError.ts'

/**
 * A process that asks a hostile coordinator for polls and handshakes, once per answer, and prints what it makes of them. The
 * coordinator is in the same process and sends small chunks, so that what fills the heap is what the client keeps.
 */
const tokenIds = '{"task":{"content":{"kind":"completion","input":{"tokenIds":['
const answers: Record<string, { head: string; element: string; count: number; tail: string }> = {
  'pollTask, wrong reasons': { head: '{"task":null,"reasons":[1', element: ',1', count: 6_000_000, tail: ']}' },
  'pollTask, empty objects': { head: '{"x":[{}', element: ',{}', count: 4_000_000, tail: ']}' },
  'pollTask, empty objects without end': { head: '{"x":[{}', element: ',{}', count: 22_000_000, tail: ']}' },
  'pollTask, unknown keys': { head: '{"task":{"assignment":{"a":0', element: ',"%%%%%%%":0', count: 390_000, tail: '}}}' },
  'pollTask, wrong token ids': { head: `${tokenIds}-1`, element: ',-1', count: 1_000_000, tail: ']}}}}' },
  'pollTask, texts as token ids': { head: `${tokenIds}""`, element: ',""', count: 390_000, tail: ']}}}}' },
  'pollTask, too many token ids': { head: `${tokenIds}1`, element: ',1', count: 2 ** 20, tail: ']}}}}' },
  'openSession, wrong refusals': { head: '{"refused":[{}', element: ',{}', count: 32_000, tail: ']}' },
  'openSession, more wrong refusals': { head: '{"refused":[{}', element: ',{}', count: 340_000, tail: ']}' },
  'openSession, wrong hashes': { head: '{"wanted":[1', element: ',1', count: 500_000, tail: ']}' },
  'renewLease, numbers': { head: '{"x":[1', element: ',1', count: 6_000_000, tail: ']}' },
}

let nextKey = 1_000_000
const server = createServer(async (request, response) => {
  request.resume()
  const { head, element, count, tail } = answers[request.headers['x-answer'] as string] as (typeof answers)[string]
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(head)
  const perChunk = Math.floor(65_536 / element.length)
  const chunk = element.repeat(perChunk)
  for (let left = count; left > 0 && !response.destroyed; left -= perChunk) {
    const text = (left >= perChunk ? chunk : element.repeat(left)).replaceAll('%%%%%%%', () => String(nextKey++))
    if (!response.write(text)) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve))
  }
  response.end(tail)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const session: ClientSession = { id: `0x${'00'.repeat(32)}`, sign: () => ({}) }
const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, allowPrivate: true, session, timeoutMs: 60_000 })

const handshake = {
  protocolVersion: 1,
  node: `0x${'11'.repeat(20)}`,
  coordinator: `0x${'22'.repeat(20)}`,
  publicKey: session.id,
  issuedAt: 1,
  nonce: session.id,
  signature: `0x${'00'.repeat(65)}`,
  client: 'test',
  slots: 1,
  minUnitPriceWei: 0n,
  models: [],
} as const
const ask: Record<string, (options: CallOptions) => Promise<unknown>> = {
  pollTask: (options) => client.pollTask({ body: { free: 1, waitMs: 0 } }, options),
  openSession: (options) => client.openSession({ body: { ...handshake, models: [] } }, options),
  renewLease: (options) => client.renewLease({ params: { taskId: session.id, attempt: 1 }, body: { unitsDone: 0 } }, options),
}
for (const name of Object.keys(answers)) {
  const route = name.split(',', 1)[0] as string
  await ask[route]?.({ headers: { 'x-answer': name } }).catch(({ code, message }: CuckooError) =>
    process.stdout.write(`${JSON.stringify([name, code, message])}\n`),
  )
}
await client.close()
server.closeAllConnections()
server.close()
