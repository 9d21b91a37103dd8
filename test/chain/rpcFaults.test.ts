import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { createChain } from '../../src/chain/createChain.ts'
import * as errors from '../../src/errors/chain.ts'
import { CuckooError } from '../../src/errors/cuckooError.ts'
import { cai, useTestNetwork } from '../support/chainFixtures.ts'
import { type RpcAnswer, type RpcCall, type RpcServer, startRpcServer } from '../support/rpcServer.ts'

const network = useTestNetwork()
const servers: RpcServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))

async function serve(answer: (call: RpcCall, count: number) => RpcAnswer): Promise<RpcServer> {
  const server = await startRpcServer(answer)
  servers.push(server)
  return server
}

async function catchError(promise: Promise<unknown>): Promise<CuckooError> {
  const error = await promise.then(
    () => null,
    (caught: unknown) => caught,
  )
  if (!(error instanceof CuckooError)) throw new Error(`expected a CuckooError, got ${error}`)
  return error
}

/** Connects through `urls`, with little patience. */
const connect = (...urls: string[]) => createChain({ deployment: network().deployment, rpcUrls: urls, timeoutMs: 300 })
const forward = (): RpcAnswer => ({ forward: network().rpcUrl })

test('an RPC that nobody listens on', async () => {
  const server = await startRpcServer(() => ({ result: '0x1' }))
  await server.close()
  const error = await catchError(connect(server.url))
  expect(error).toMatchObject({ code: errors.rpcUnavailable.code, kind: 'unavailable', facts: { url: server.url, reason: 'ECONNREFUSED' } })
})

test.each<[string, RpcAnswer, string]>([
  ['does not answer', { hang: true }, 'no answer in time'],
  ['is asked too much', { status: 429, headers: { 'retry-after': '3600' } }, 'too many requests (HTTP 429)'],
  ['is asked too much and says so in JSON', { error: { code: -32005, message: 'slow down' } }, 'too many requests'],
  ['is out of order', { status: 503, body: '<html>' }, 'HTTP 503'],
  ['is a web page', { status: 200, body: '<html>' }, 'it does not speak JSON-RPC'],
  ['answers something else', { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }, 'it does not speak JSON-RPC'],
])('an RPC that %s', async (_what, answer, reason) => {
  const { url } = await serve(() => answer)
  const startedMs = performance.now()
  const error = await catchError(connect(url))
  expect(error).toMatchObject({ code: errors.rpcUnavailable.code, facts: { url, reason } })
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test('an RPC that is down for a moment is asked again', async () => {
  const { url } = await serve((_call, count) => (count === 1 ? { status: 503 } : forward()))
  const chain = await connect(url)
  expect((await chain.getBlocks()).latest.number).toBeGreaterThan(0n)
})

test('the second RPC takes over from a first that is down or slow', async () => {
  for (const answer of [{ status: 500 }, { status: 429 }, { hang: true }] as const) {
    const { url, calls } = await serve(() => answer)
    const chain = await connect(url, network().rpcUrl)
    await chain.stake(network().signer(1), { amountWei: cai(1) })
    expect(calls.length).toBeGreaterThan(0)
  }
})

test('an RPC on another chain is refused before anything is read', async () => {
  const { url, calls } = await serve((call) => (call.method === 'eth_chainId' ? { result: '0x1' } : forward()))
  const error = await catchError(connect(url))
  expect(error).toMatchObject({ code: errors.chainMismatch.code, kind: 'config', facts: { found: 1, expected: 31337, url } })
  expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['eth_chainId']))
})

test('a fallback RPC on another chain is refused when it is needed', async () => {
  const { url } = await serve((call) => (call.method === 'eth_chainId' ? { result: '0x1' } : forward()))
  let isDown = false
  const first = await serve(() => (isDown ? { status: 500 } : forward()))
  const chain = await connect(first.url, url)
  isDown = true
  expect((await catchError(chain.getBlocks())).code).toBe(errors.chainMismatch.code)
})

test('an address without the contract', async () => {
  const { deployment } = network()
  const elsewhere = { ...deployment, contracts: { ...deployment.contracts, staking: `0x${'77'.repeat(20)}` } as const }
  expect(await catchError(createChain({ deployment: elsewhere }))).toMatchObject({ code: errors.contractMissing.code, kind: 'config' })
  const { url } = await serve((call) => (call.method === 'eth_call' ? { result: `0x${'12'.repeat(32)}` } : forward()))
  expect(await catchError(connect(url))).toMatchObject({ code: errors.contractMissing.code, facts: { reason: 'another contract is there' } })
})

test('URLs that cannot be used', async () => {
  expect((await catchError(connect())).code).toBe(errors.rpcUrlMissing.code)
  expect((await catchError(connect('ws://127.0.0.1:1'))).code).toBe(errors.rpcUrlInvalid.code)
  const secret = await catchError(connect('https//me:secret@rpc.test'))
  expect(secret.code).toBe(errors.rpcUrlInvalid.code)
  expect(secret.message).not.toContain('secret')
})

test('credentials of the URL reach the RPC and nothing else', async () => {
  let isDown = false
  const server = await serve(() => (isDown ? { status: 500, body: 'no' } : forward()))
  const url = new URL(server.url)
  url.username = 'user'
  url.password = 'p%40ss'
  url.pathname = '/v3/apikey1234'
  const chain = await connect(url.href)
  expect(server.headers().authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  isDown = true
  const error = await catchError(chain.getBlocks())
  expect(error.code).toBe(errors.rpcUnavailable.code)
  const everything = inspect(error, { depth: 20, showHidden: true }) + String((error.cause as Error)?.stack)
  for (const secret of ['user', 'p@ss', 'p%40ss', 'apikey1234', Buffer.from('user:p@ss').toString('base64')]) expect(everything).not.toContain(secret)
})

test('a transaction whose answer is lost is not sent as another', async () => {
  const { signer, chain } = network()
  let lost = 0
  const { url, calls } = await serve((call) => {
    if (call.method !== 'eth_sendRawTransaction' || lost++ > 0) return forward()
    void fetch(network().rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...call }) })
    return { hang: true }
  })
  const faulty = await connect(url)
  const report = await faulty.stake(signer(1), { amountWei: cai(7) })
  expect(report.hash).toMatch(/^0x/)
  expect((await chain.getAccount(signer(1).address)).freeWei).toBe(cai(7))
  expect(calls.filter(({ method }) => method === 'eth_sendRawTransaction')).toHaveLength(1)
})

test('when the RPC breaks off for good, the hash is named', async () => {
  const { signer } = network()
  let isBroken = false
  const { url } = await serve((call) => {
    isBroken ||= call.method === 'eth_sendRawTransaction'
    return isBroken ? { hang: true } : forward()
  })
  const error = await catchError((await connect(url)).stake(signer(1), { amountWei: cai(1) }))
  expect(error).toMatchObject({ code: errors.txUncertain.code, facts: { action: 'stake', hash: expect.stringMatching(/^0x[0-9a-f]{64}$/) } })
})

test('waiting for the block outlasts an outage, and ends with the time given', async () => {
  const { signer } = network()
  let isDown = false
  const { url } = await serve((call) => {
    if (call.method === 'eth_sendRawTransaction') {
      isDown = true
      setTimeout(() => {
        isDown = false
      }, 1_000)
    }
    return isDown && call.method === 'eth_getTransactionReceipt' ? { status: 502 } : forward()
  })
  expect((await (await connect(url)).stake(signer(1), { amountWei: cai(1) })).blockNumber).toBeGreaterThan(0n)

  const never = await serve((call) => (call.method === 'eth_getTransactionReceipt' ? { result: null } : forward()))
  const error = await catchError((await connect(never.url)).stake(signer(1), { amountWei: cai(1) }, { timeoutMs: 500 }))
  expect(error).toMatchObject({ code: errors.txUnconfirmed.code, kind: 'unavailable', facts: { hash: expect.stringMatching(/^0x/) } })
})

test('an RPC that lags behind does not make a nonce twice', async () => {
  const { signer, chain } = network()
  let stale: unknown
  const { url } = await serve((call) => {
    if (call.method !== 'eth_getTransactionCount') return forward()
    stale ??= '0x0'
    return { result: stale }
  })
  const lagging = await connect(url)
  await lagging.stake(signer(8), { amountWei: cai(1) })
  await lagging.stake(signer(8), { amountWei: cai(2) })
  expect((await chain.getAccount(signer(8).address)).freeWei).toBe(cai(3))
})

test('ranges of events that an RPC refuses are read in halves, without gap or overlap', async () => {
  const { signer, registerMiner, mine, deployment, chain } = network()
  await registerMiner({ owner: signer(1), operator: signer(2) })
  await mine(200)
  await registerMiner({ owner: signer(3), operator: signer(4) })
  const ranges: number[][] = []
  const { url } = await serve((call) => {
    if (call.method !== 'eth_getLogs') return forward()
    const [{ fromBlock, toBlock }] = call.params as [{ fromBlock: string; toBlock: string }]
    if (Number(toBlock) - Number(fromBlock) > 40) return { error: { code: -32602, message: 'block range too large' } }
    ranges.push([Number(fromBlock), Number(toBlock)])
    return forward()
  })
  const { latest } = await chain.getBlocks()
  expect(await (await connect(url)).getOperators(signer(3).address)).toEqual([signer(4).address])
  expect(ranges.length).toBeGreaterThan(4)
  const blocks = ranges.flatMap(([from = 0, to = 0]) => Array.from({ length: to - from + 1 }, (_, index) => from + index))
  expect(blocks).toEqual(Array.from({ length: Number(latest.number) - deployment.deploymentBlock + 1 }, (_, index) => deployment.deploymentBlock + index))
})
