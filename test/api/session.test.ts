import { createSecretKey } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { ReplayWindow, signRequest, toSessionHeaders } from '../../src/api/session.ts'
import { acceptSession, createSessionRequest, verifySessionAccept } from '../../src/api/sessionHandshake.ts'
import { createSessionRegistry } from '../../src/api/sessionRegistry.ts'
import { createLocalSigner } from '../../src/chain/signer.ts'
import { toDigest, toDomainSeparator } from '../../src/domain/eip712.ts'
import { session as sessionStructure } from '../../src/domain/signedStructures.ts'
import { CuckooError } from '../../src/errors/cuckooError.ts'
import {
  coordinatorNode,
  coordinatorSigner,
  createTestClock,
  domainSeparator,
  minerNode,
  minerOffer,
  minerSigner,
  openTestSession,
  otherNode,
  startServer,
  type TestServer,
  verifier,
} from './fixtures.ts'

let server: TestServer | undefined
afterEach(() => server?.stop())

const poll = { method: 'POST', path: '/miner/v1/poll', body: Buffer.from('{"free":1,"waitMs":0}') }

async function send(headers: Record<string, string>, request: { method: string; path: string; body: Uint8Array } = poll) {
  const response = await fetch(`${server?.url}${request.path}`, {
    method: request.method,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(request.body),
  })
  const body = (await response.json()) as { error?: { code: string; message: string } }
  return { status: response.status, code: body.error?.code, message: body.error?.message }
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof CuckooError ? error.code : String(error)
  }
  return 'no error'
}

test('the MAC of a request is pinned', () => {
  const key = createSecretKey(Buffer.from('07'.repeat(32), 'hex'))
  expect(signRequest(key, { ...poll, time: 1_700_000_000, sequence: 1 })).toMatchInlineSnapshot(
    `"3c561d635138937c4ae7cc54063f089f882a0df71dbbfd6cc0e020c23fe8e769"`,
  )
})

test('a replayed request is refused with 401, its twin with another number is not', async () => {
  server = await startServer()
  const session = await openTestSession(server)
  const headers = session.sign(poll)
  expect(await send(headers)).toMatchObject({ status: 200 })
  expect(await send(headers)).toMatchObject({ status: 401, code: 'CUCKOO_SESSION_REPLAYED' })
  expect(await send(session.sign(poll))).toMatchObject({ status: 200 })
})

test('requests may overtake each other inside the window, each accepted once', async () => {
  server = await startServer()
  const session = await openTestSession(server)
  const [first, second, third] = [session.sign(poll), session.sign(poll), session.sign(poll)]
  for (const headers of [third, first, second]) expect(await send(headers)).toMatchObject({ status: 200 })
  for (const headers of [first, second, third]) expect(await send(headers)).toMatchObject({ status: 401, code: 'CUCKOO_SESSION_REPLAYED' })
})

test('whatever the MAC covers cannot be changed', async () => {
  server = await startServer()
  const session = await openTestSession(server)
  const invalid = { status: 401, code: 'CUCKOO_SESSION_INVALID' }
  expect(await send(session.sign(poll), { ...poll, body: Buffer.from('{"free":2,"waitMs":0}') })).toMatchObject(invalid)
  expect(await send(session.sign(poll), { ...poll, path: '/miner/v1/poll?x=1' })).toMatchObject(invalid)
  expect(await send({ ...session.sign(poll), 'x-cuckoo-sequence': '77' })).toMatchObject(invalid)
  const headers = session.sign(poll)
  expect(await send({ ...headers, 'x-cuckoo-time': String(Number(headers['x-cuckoo-time']) + 1) })).toMatchObject(invalid)
  expect(await send({ ...headers, 'x-cuckoo-mac': '' })).toMatchObject(invalid)
  expect(await send({ ...headers, 'x-cuckoo-session': `0x${'00'.repeat(32)}` })).toMatchObject(invalid)
  // None of the attempts used up the number.
  expect(await send(headers)).toMatchObject({ status: 200 })
})

test('a clock ten minutes off is refused with the time of the server, at the handshake and after it', async () => {
  const serverClock = createTestClock()
  const minerClock = createTestClock(serverClock.nowMs() + 600_000)
  const now = Math.floor(serverClock.nowMs() / 1000)
  server = await startServer({ clock: serverClock })
  const skewed = { code: 'CUCKOO_SESSION_CLOCK_SKEWED', message: `Your clock says ${now + 600}, mine says ${now} (unix seconds): more than 60 s apart.` }
  await expect(openTestSession(server, minerClock)).rejects.toMatchObject({ ...skewed, httpStatus: 401 })
  minerClock.advance(-600_000)
  const session = await openTestSession(server, minerClock)
  expect(await send(session.sign(poll))).toMatchObject({ status: 200 })
  minerClock.advance(600_000)
  expect(await send(session.sign(poll))).toMatchObject({ ...skewed, status: 401 })
})

test('a second session of one operator key is refused while the first lives', async () => {
  const clock = createTestClock()
  server = await startServer({ clock, silenceMs: 30_000 })
  const first = await openTestSession(server, clock)
  await expect(openTestSession(server, clock)).rejects.toMatchObject({ code: 'CUCKOO_SESSION_TAKEN', httpStatus: 409 })
  clock.advance(20_000)
  expect(await send(first.sign(poll))).toMatchObject({ status: 200 })
  clock.advance(20_000)
  await expect(openTestSession(server, clock)).rejects.toMatchObject({ code: 'CUCKOO_SESSION_TAKEN' })
  clock.advance(30_001)
  const second = await openTestSession(server, clock)
  expect(await send(first.sign(poll))).toMatchObject({ status: 401, code: 'CUCKOO_SESSION_INVALID' })
  expect(await send(second.sign(poll))).toMatchObject({ status: 200 })
})

test('a session with a long poll under way does not fall silent; it does once its miner is gone', async () => {
  const clock = createTestClock()
  server = await startServer({ clock, silenceMs: 1_000 })
  const session = await openTestSession(server, clock)
  const client = server.connect({ session })
  const polling = client.pollTask({ body: { free: 1, waitMs: 20_000 } }).catch((error: unknown) => error)
  await expect.poll(() => server?.sessions.list().length).toBe(1)
  // The poll has to be in before the clock moves, or the session is silent by right.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  clock.advance(5_000)
  expect(server.sessions.findByNode(minerNode)?.id).toBe(session.id)
  await client.close()
  await polling
  await expect.poll(() => server?.observations.at(-1)).toMatchObject({ routeId: 'pollTask', status: 499 })
  expect(server.sessions.findByNode(minerNode)?.id).toBe(session.id)
  clock.advance(1_001)
  expect(server.sessions.findByNode(minerNode)).toBeUndefined()
})

test('a closed session frees its operator key at once', async () => {
  server = await startServer()
  const client = server.connect({ session: await openTestSession(server) })
  await client.closeSession({})
  await expect(client.pollTask({ body: { free: 1, waitMs: 0 } })).rejects.toMatchObject({ code: 'CUCKOO_SESSION_INVALID' })
  await expect(openTestSession(server)).resolves.toBeDefined()
})

test('a handshake played again is refused, also after its session has ended', async () => {
  const clock = createTestClock()
  server = await startServer({ clock })
  const { request } = createSessionRequest({ node: minerNode, coordinator: coordinatorNode, signer: minerSigner, domainSeparator, clock })
  const client = server.connect()
  const { sessionId } = await client.openSession({ body: { ...request, ...minerOffer } })
  server.sessions.close(sessionId)
  clock.advance(50_000)
  await expect(client.openSession({ body: { ...request, ...minerOffer } })).rejects.toMatchObject({ code: 'CUCKOO_SESSION_INVALID', httpStatus: 401 })
})

const clock = createTestClock()
const ports = { verifier, domainSeparator, clock }
const ask = () => createSessionRequest({ node: minerNode, coordinator: coordinatorNode, signer: minerSigner, domainSeparator, clock })
const accept = (input: Partial<Parameters<typeof acceptSession>[0]> = {}) =>
  acceptSession({ request: ask().request, operators: [minerSigner.address], coordinator: coordinatorNode, signer: coordinatorSigner, ...ports, ...input })

test('a coordinator accepts only what is signed by the miner for it, on this chain', () => {
  expect(codeOf(() => accept())).toBe('no error')
  expect(codeOf(() => accept({ operators: [coordinatorSigner.address] }))).toBe('CUCKOO_API_SIGNATURE_FOREIGN')
  expect(codeOf(() => accept({ coordinator: otherNode }))).toBe('CUCKOO_SESSION_INVALID')
  expect(codeOf(() => accept({ request: { ...ask().request, node: otherNode } }))).toBe('CUCKOO_API_SIGNATURE_FOREIGN')
  const elsewhere = toDomainSeparator({ chainId: 1, verifyingContract: otherNode })
  expect(codeOf(() => accept({ domainSeparator: elsewhere }))).toBe('CUCKOO_API_SIGNATURE_FOREIGN')
})

test('a public key of small order is refused', () => {
  const unsigned = { ...ask().request, publicKey: `0x${'00'.repeat(32)}` as const }
  // Signed as it stands, so that the signature is not what stops it.
  const digest = toDigest(domainSeparator, sessionStructure, { ...unsigned, issuedAt: BigInt(unsigned.issuedAt) })
  expect(codeOf(() => accept({ request: { ...unsigned, signature: minerSigner.sign(digest) } }))).toBe('CUCKOO_SESSION_INVALID')
})

test('a miner accepts only its own coordinator’s answer to its own request', () => {
  const pending = ask()
  const { accept: answer } = accept({ request: pending.request })
  const verify = (input: object) => codeOf(() => verifySessionAccept({ pending, accept: answer, operators: [coordinatorSigner.address], ...ports, ...input }))
  expect(verify({})).toBe('no error')
  expect(verify({ operators: [createLocalSigner(`0x${'33'.repeat(32)}`).address] })).toBe('CUCKOO_API_SIGNATURE_FOREIGN')
  expect(verify({ accept: { ...answer, coordinator: otherNode } })).toBe('CUCKOO_SESSION_INVALID')
  expect(verify({ accept: { ...answer, sessionId: `0x${'00'.repeat(32)}` } })).toBe('CUCKOO_SESSION_INVALID')
  expect(verify({ accept: accept().accept })).toBe('CUCKOO_API_SIGNATURE_FOREIGN')
})

test('the replay window takes each of 1,024 numbers once, in any order', () => {
  const window = new ReplayWindow()
  const numbers = Array.from({ length: 1024 }, (_, index) => index + 1).sort(() => Math.random() - 0.5)
  expect(numbers.every((number) => window.accept(number))).toBe(true)
  expect(numbers.some((number) => window.accept(number))).toBe(false)
  expect([window.accept(2_100), window.accept(1_077), window.accept(1_076), window.accept(2_100)]).toEqual([true, true, false, false])
  expect([window.accept(10 ** 15 - 1), window.accept(2_101), window.accept(10 ** 15 - 1024), window.accept(10 ** 15 - 1)]).toEqual([true, false, true, false])
})

test('a registry tells once of each session that ends', () => {
  const ended: string[] = []
  const sessions = createSessionRegistry({ clock, silenceMs: 10, onEnd: (session, reason) => ended.push(`${session.node} ${reason}`) })
  const first = sessions.open(accept().agreed)
  clock.advance(11)
  expect(sessions.list()).toEqual([])
  const second = sessions.open(accept().agreed)
  expect([sessions.close(first.id), sessions.close(second.id), sessions.close(second.id)]).toEqual([false, true, false])
  expect(ended).toEqual([`${minerNode} silent`, `${minerNode} closed`])
})

test('headers carry nothing that a proxy would change', () => {
  const key = createSecretKey(Buffer.alloc(32, 1))
  const headers = toSessionHeaders(`0x${'ee'.repeat(32)}`, key, { ...poll, time: 1_700_000_000, sequence: 9 })
  expect(Object.keys(headers)).toEqual(['x-cuckoo-session', 'x-cuckoo-time', 'x-cuckoo-sequence', 'x-cuckoo-mac'])
  expect(Object.values(headers).every((value) => /^[0-9a-fx]+$/.test(value))).toBe(true)
})
