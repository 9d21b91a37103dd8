/**
 * A miner in a process of its own that a task can kill: its model aborts the process over the token 666, as a crash in native code
 * does. Prints its events as lines of JSON. Arguments: the store's directory, the coordinator's URL, node and operator.
 */
import { weiPerCai } from '../../src/domain/amount.ts'
import type { Address } from '../../src/domain/hex.ts'
import { startMiner } from '../../src/miner/startMiner.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { createFakeChain } from './fakeChain.ts'
import { createTestSigner } from './minerCoordinator.ts'
import { createFakeEngine, createNodeRecord } from './minerFakes.ts'
import { createMinerSetup } from './minerSetup.ts'

const [directory, url, coordinator, operator] = process.argv.slice(2) as [string, string, Address, Address]
const node: Address = `0x${'11'.repeat(20)}`
const signer = createTestSigner(1)
const records = [createNodeRecord(node, 'miner', signer.address), createNodeRecord(coordinator, 'coordinator', operator, { url })]
const engine = createFakeEngine(async ({ input, onTokens }) => {
  onTokens([1])
  if (input.tokenIds.includes(666)) process.abort()
  return { tokenIds: [1], finishReason: 'stop' }
})
const store = await openMinerStore({ directory })
const miner = await startMiner({
  ...createMinerSetup('test/counter'),
  node,
  signer,
  chain: createFakeChain(records, { capWei: 100n * weiPerCai }),
  store,
  engine,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`),
})
process.once('SIGTERM', () => void miner.stop())
await miner.done
await store.close()
