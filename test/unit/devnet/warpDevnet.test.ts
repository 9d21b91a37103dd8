import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { warpDevnet } from '../../../src/devnet/controlDevnet.ts'
import { type DevnetState, saveDevnetState } from '../../../src/devnet/devnetState.ts'
import { devnetPollMs } from '../../../src/domain/chainTime.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-warp-'))
const calls: { method: string; params: unknown[]; atMs: number }[] = []
const chain = createServer(async (request, response) => {
  const { method, params } = JSON.parse(await text(request)) as { method: string; params: unknown[] }
  calls.push({ method, params, atMs: performance.now() })
  response.end(JSON.stringify({ result: { timestamp: '0x65' } }))
})
afterEach(async () => {
  await new Promise((resolve) => chain.close(resolve))
  rmSync(home, { recursive: true })
})

test('a warp moves the clock, mines a block there, and gives coordinator and miners time for two looks at it', async () => {
  await new Promise<void>((resolve) => chain.listen(0, '127.0.0.1', resolve))
  const rpcUrl = `http://127.0.0.1:${(chain.address() as AddressInfo).port}`
  saveDevnetState(home, { pid: process.pid, startedAt: Math.floor(Date.now() / 1000), rpcUrl } as DevnetState)
  expect(await warpDevnet(home, 60)).toBe(0x65)
  const endedMs = performance.now()
  expect(calls.slice(0, 2)).toMatchObject([{ method: 'evm_increaseTime', params: [60] }, { method: 'evm_mine' }])
  expect(endedMs - (calls[1]?.atMs as number)).toBeGreaterThanOrEqual(2 * devnetPollMs)
})
