/** What generates load on a coordinator in another process: its miners' handshakes, and requests without a client of ours in between. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Pool } from 'undici'
import { type ClientSession, createSessionRequest, verifySessionAccept } from '../../src/api/sessionHandshake.ts'
import { protocolVersion, zAssignment, zResult } from '../../src/api/wire.ts'
import type { Hash } from '../../src/domain/hex.ts'
import { toAssignmentDigest, toResultDigest } from '../../src/domain/receipt.ts'
import { toOutputHash } from '../../src/domain/task.ts'
import { coordinatorNode, coordinatorSigner, createLetterManifest, toMinerNode, toMinerSigner, verifier } from '../support/coordinatorRig.ts'
import { testDomainSeparator as domainSeparator } from '../support/minerFakes.ts'

const clock = { nowMs: () => Date.now() }
const tokenizerJson = Buffer.from('{"letters":true}')

export interface Served {
  child: ChildProcess
  url: string
  apiKey: string
}

export async function startServer(...args: string[]): Promise<Served> {
  const child = fork(new URL('./coordinatorServer.ts', import.meta.url), args)
  const [message] = (await once(child, 'message')) as [{ url: string; apiKey: string }]
  return { child, ...message }
}

export async function measureServer({ child }: Served): Promise<{ cpuMs: number; rssMib: number }> {
  child.send('measure')
  return ((await once(child, 'message')) as [{ cpuMs: number; rssMib: number }])[0]
}

export async function stopServer({ child }: Served): Promise<void> {
  child.disconnect()
  await once(child, 'exit')
}

export async function send(pool: Pool, method: 'POST' | 'PUT', path: string, body: Buffer, headers: Record<string, string>): Promise<unknown> {
  const answer = await pool.request({ method, path, body, headers })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
  return JSON.parse(text)
}

export async function openMiner(pool: Pool, index: number): Promise<ClientSession> {
  const signer = toMinerSigner(index)
  const pending = createSessionRequest({ node: toMinerNode(index), coordinator: coordinatorNode, signer, domainSeparator, clock })
  const models = [{ manifest: createLetterManifest(), device: 'cpu', unitsPerSecond: 0 }]
  const body = Buffer.from(JSON.stringify({ protocolVersion, client: 'bench', slots: 2, minUnitPriceWei: '0', models, ...pending.request }))
  const accept = (await send(pool, 'POST', '/miner/v1/session', body, { 'content-type': 'application/json' })) as Parameters<
    typeof verifySessionAccept
  >[0]['accept'] & { wanted: Hash[] }
  const session = verifySessionAccept({ pending, accept, operators: [coordinatorSigner.address], verifier, domainSeparator, clock })
  for (const hash of accept.wanted) {
    const path = `/miner/v1/blobs/${hash}`
    await send(pool, 'PUT', path, tokenizerJson, { 'content-type': 'application/octet-stream', ...session.sign({ method: 'PUT', path, body: tokenizerJson }) })
  }
  return session
}

/** A polled task as it came over the wire. */
export interface WireTask {
  assignment: unknown
  content: { input: { tokenIds: number[] } }
}

/** A miner that answers at once, with four tokens. */
export function createMiner(pool: Pool, session: ClientSession, index: number) {
  const signer = toMinerSigner(index)
  const post = (path: string, value: unknown) => {
    const body = Buffer.from(JSON.stringify(value))
    return send(pool, 'POST', path, body, { 'content-type': 'application/json', ...session.sign({ method: 'POST', path, body }) })
  }
  return {
    poll: async (waitMs: number) => ((await post('/miner/v1/poll', { free: 1, waitMs })) as { task: WireTask | null }).task,
    async answer(task: WireTask): Promise<void> {
      const assignment = zAssignment.parse(task.assignment)
      const output = { tokenIds: [110, 111, 112, 113], finishReason: 'length' as const }
      const result = { assignment: toAssignmentDigest(domainSeparator, assignment), outputHash: toOutputHash(output), units: 4n, finishReason: 2 }
      const signature = signer.sign(toResultDigest(domainSeparator, result))
      await post(`/miner/v1/tasks/${assignment.taskId}/${assignment.attempt}/result`, { result: zResult.encode(result), signature, output })
    },
  }
}
