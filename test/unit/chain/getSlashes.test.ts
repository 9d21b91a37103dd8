import { expect, test } from 'vitest'
import { getSlashes } from '../../../src/chain/actions/getSlashes.ts'
import type { ChainContext } from '../../../src/chain/context.ts'
import type { Address, Hash } from '../../../src/domain/hex.ts'

const node: Address = `0x${'ab'.repeat(20)}`
const one: Hash = `0x${'01'.repeat(32)}`

type Log = { eventName: string; args: object; logIndex: number }

/** A chain of one block, at 1,000 s, in which one transaction left `logs`. */
function createFakeContext(logs: readonly Log[]): ChainContext {
  const place = { blockNumber: 5n, blockTimestamp: 1_000n, transactionHash: one }
  const client = {
    getBlock: async () => ({ number: 5n, hash: one, timestamp: 1_000n }),
    getContractEvents: async ({ eventName }: { eventName: string }) => logs.filter((log) => log.eventName === eventName).map((log) => ({ ...log, ...place })),
  }
  return { client, deployment: { contracts: {}, deploymentBlock: 1 } } as unknown as ChainContext
}

const slashed = (logIndex: number, bondWei: bigint) => {
  return { eventName: 'Slashed', logIndex, args: { node, caseId: 3n, bondWei, thawingBondWei: 0n, votesWei: 0n, paidWei: 0n } }
}
const fined = (logIndex: number, round: number, silent: boolean) => {
  return { eventName: 'JurorFined', logIndex, args: { node, caseId: 3n, round, amountWei: 1n, silent } }
}

test('two fines of one juror in one transaction keep their own reasons', async () => {
  const slashes = await getSlashes(createFakeContext([slashed(0, 1n), fined(1, 0, false), slashed(2, 5n), fined(3, 1, true)]), node)
  expect(slashes.map(({ bondWei, reason }) => [bondWei, reason])).toEqual([
    [1n, 'as a juror in case 3, round 1, it voted against the final verdict'],
    [5n, 'as a juror in case 3, round 2, it did not reveal its vote'],
  ])
  expect(slashes[0]).toMatchObject({ at: 1_000, blockNumber: 5n, transaction: one, caseId: 3n })
})

test('penalties and slashes come in the order of their events, each penalty with its claim', async () => {
  const penalised = (logIndex: number, amountWei: bigint) => ({ eventName: 'Penalised', logIndex, args: { node, amountWei } })
  const claim = (logIndex: number, claimId: bigint) => ({ eventName: 'ClaimPenalised', logIndex, args: { claimId, penaltyWei: 1n } })
  const logs = [penalised(0, 7n), claim(1, 11n), slashed(2, 5n), fined(3, 0, true), penalised(4, 8n), claim(5, 12n)]
  expect((await getSlashes(createFakeContext(logs), node)).map(({ bondWei, reason }) => [bondWei, reason])).toEqual([
    [7n, 'claim 11 on its bond was not covered in time'],
    [5n, 'as a juror in case 3, round 1, it did not reveal its vote'],
    [8n, 'claim 12 on its bond was not covered in time'],
  ])
})

test('a node that was never slashed asks the court nothing', async () => {
  expect(await getSlashes(createFakeContext([fined(0, 0, true)]), node)).toEqual([])
})
