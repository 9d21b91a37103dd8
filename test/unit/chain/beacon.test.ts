import { createHash } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createDrandBeacon, toRoundTime } from '../../../src/chain/beacon.ts'
import { drandEvmnet } from '../../../src/chain/drandEvmnet.ts'
import * as errors from '../../../src/errors/beacon.ts'

// As https://api.drand.sh/04f1…c8c3/public/10000000 answers it.
const round = 10_000_000n
const signature = '2c7b65b5acfe55256910ca71cf0a0fa71ac34c2a1167f86a22930a03e70ebec00f7a530796e7ee38600b06da0390634a9b154e3eebc3b323dde2111e1c8ebdf3'
const published = { round: Number(round), randomness: createHash('sha256').update(signature, 'hex').digest('hex'), signature }
const publishedMs = Number(toRoundTime(round)) * 1_000

const withCode = (factory: { code: string }) => expect.objectContaining({ code: factory.code })

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A relay whose answer the test decides; `paths` are the requests it saw. */
async function startRelay(answer: (response: ServerResponse) => void): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`)
    answer(response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

const sends = (value: unknown) => (response: ServerResponse) => void response.end(typeof value === 'string' ? value : JSON.stringify(value))
const fails = (status: number) => (response: ServerResponse) => void response.writeHead(status).end('no')
const hangs = () => undefined

/** A beacon that asks relays with these answers, an hour after the round unless told. */
async function createBeacon(answers: ((response: ServerResponse) => void)[], { ageMs = 3_600_000, timeoutMs = 2_000 } = {}) {
  const relays = await Promise.all(answers.map(startRelay))
  const beacon = createDrandBeacon({ relayUrls: relays.map(({ url }) => url), timeoutMs, nowMs: () => publishedMs + ageMs })
  return { beacon, relays }
}

describe('constants', () => {
  // drand/drand chain.Info.Hash: period (uint32), genesis (int64), key, genesis seed, name. The seed is published beside them.
  test('are what the chain hash commits to', () => {
    const times = Buffer.alloc(12)
    times.writeUInt32BE(Number(drandEvmnet.periodSeconds), 0)
    times.writeBigInt64BE(drandEvmnet.genesisAt, 4)
    const key = drandEvmnet.groupKey.map((word) => word.toString(16).padStart(64, '0')).join('')
    const genesisSeed = 'cd7ad2f0e0cce5d8c288f2dd016ffe7bc8dc88dbb229b3da2b6ad736490dfed6'
    const hash = createHash('sha256').update(times).update(key, 'hex').update(genesisSeed, 'hex').update('evmnet')
    expect(hash.digest('hex')).toBe(drandEvmnet.chainHash)
  })

  test('round 1 is at genesis, round 2 a period later', () => {
    expect(toRoundTime(1n)).toBe(1_727_521_075n)
    expect(toRoundTime(2n)).toBe(1_727_521_078n)
  })
})

describe('a round that is there', () => {
  test('is asked for by chain hash and number, once, of the first relay', async () => {
    const { beacon, relays } = await createBeacon([sends(published), sends(published)])
    expect(await beacon.fetchProof(round)).toBe(`0x${signature}`)
    expect(relays.map(({ paths }) => paths)).toEqual([[`GET /${drandEvmnet.chainHash}/public/10000000`], []])
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['is down', fails(503)],
    ['does not know it', fails(404)],
    ['hangs', hangs],
    ['hangs up', (response) => void response.destroy()],
    ['stops in the middle', (response) => void response.write('{"round":')],
    ['lies', sends({ ...published, round: 9_999_999 })],
    ['speaks HTML', sends('<html>')],
  ])('is taken from the next relay when the first %s', async (_what, answer) => {
    const { beacon, relays } = await createBeacon([answer, sends(published)], { timeoutMs: 300 })
    expect(await beacon.fetchProof(round)).toBe(`0x${signature}`)
    expect(relays.map(({ paths }) => paths.length)).toEqual([1, 1])
  })

  test('a redirect is not followed', async () => {
    const elsewhere = await startRelay(sends(published))
    const { beacon } = await createBeacon([(response) => void response.writeHead(302, { location: `${elsewhere.url}/` }).end()])
    await expect(beacon.fetchProof(round)).rejects.toEqual(withCode(errors.beaconUnavailable))
    expect(elsewhere.paths).toEqual([])
  })
})

describe('an answer that is no proof', () => {
  test.each<[string, unknown]>([
    ['no JSON', 'hello'],
    ['null', null],
    ['an empty object', {}],
    ['another round', { ...published, round: 10_000_001 }],
    ['a round as text', { ...published, round: '10000000' }],
    ['a shorter signature', { ...published, signature: signature.slice(2) }],
    ['a longer signature', { ...published, signature: `${signature}00` }],
    ['a signature with 0x', { ...published, signature: `0x${signature.slice(2)}` }],
    ['no hex', { ...published, signature: signature.replace('2', 'g') }],
    ['more than 64 KiB', { ...published, padding: 'x'.repeat(64 * 1024) }],
  ])('%s', async (_what, value) => {
    const { beacon } = await createBeacon([sends(value)])
    await expect(beacon.fetchProof(round)).rejects.toEqual(withCode(errors.beaconInvalid))
  })

  test('is what is reported when the others are down', async () => {
    const { beacon, relays } = await createBeacon([fails(500), sends('hello'), fails(500)])
    await expect(beacon.fetchProof(round)).rejects.toMatchObject({ code: errors.beaconInvalid.code, facts: { relay: relays[1]?.url } })
  })

  test('an endless one is cut off', async () => {
    const { beacon } = await createBeacon([
      (response) => {
        const timer = setInterval(() => response.write('x'.repeat(16 * 1024)), 1)
        response.on('close', () => clearInterval(timer))
      },
    ])
    await expect(beacon.fetchProof(round)).rejects.toEqual(withCode(errors.beaconInvalid))
  })
})

describe('a round that is not there', () => {
  test('before its time no relay is asked', async () => {
    const { beacon, relays } = await createBeacon([sends(published)], { ageMs: -1 })
    await expect(beacon.fetchProof(round)).rejects.toMatchObject({ code: errors.beaconRoundNotReached.code, facts: { reachedAt: toRoundTime(round) } })
    expect(relays[0]?.paths).toEqual([])
  })

  test.each([404, 425])('a relay that says %i just after its time is early', async (status) => {
    const { beacon } = await createBeacon([fails(500), fails(status)], { ageMs: 1_000 })
    await expect(beacon.fetchProof(round)).rejects.toEqual(withCode(errors.beaconRoundNotReached))
  })

  test('an hour later every relay is named with its reason, and nothing of a URL that could be secret', async () => {
    const { beacon, relays } = await createBeacon([fails(404), fails(503), hangs], { timeoutMs: 200 })
    const [first, second, third] = relays.map(({ url }) => url)
    await expect(beacon.fetchProof(round)).rejects.toMatchObject({
      code: errors.beaconUnavailable.code,
      message: `Round 10000000 of the randomness beacon cannot be fetched: ${first}: HTTP 404; ${second}: HTTP 503; ${third}: no answer in time.`,
      cause: expect.any(AggregateError),
    })
    const secret = createDrandBeacon({ relayUrls: ['http://me:hush@127.0.0.1:1?key=hush'] }).fetchProof(round)
    await expect(secret).rejects.toMatchObject({ message: expect.not.stringContaining('hush') })
  })

  test('nobody listens', async () => {
    const beacon = createDrandBeacon({ relayUrls: ['http://127.0.0.1:1'] })
    await expect(beacon.fetchProof(round)).rejects.toEqual(withCode(errors.beaconUnavailable))
  })

  test('the caller gives up', async () => {
    const { beacon, relays } = await createBeacon([hangs, sends(published)], { timeoutMs: 60_000 })
    const controller = new AbortController()
    const fetched = beacon.fetchProof(round, controller.signal)
    setTimeout(() => controller.abort(new Error('given up')), 50)
    await expect(fetched).rejects.toThrow('given up')
    expect(relays[1]?.paths).toEqual([])
  })
})
