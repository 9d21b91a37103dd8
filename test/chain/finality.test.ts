import { expect, test } from 'vitest'
import type { TxStage } from '../../src/domain/chainPort.ts'
import { txNotFinal, txReorged } from '../../src/errors/chain.ts'
import { cai, useTestNetwork } from '../support/chainFixtures.ts'

// Finalized trails the latest block by twice this.
const network = useTestNetwork({ finalityDepth: 2 })

type FinalityStage = Extract<TxStage, { stage: 'finality' }>

test('waits until the block is final, and says how far it is', async () => {
  const { chain, signer, mine, anvil } = network()
  const stages: TxStage[] = []
  const sending = chain.stake(signer(1), { amountWei: cai(1) }, { waitForFinality: true, onStage: (stage) => stages.push(stage) })
  const finalities = (): FinalityStage[] => stages.filter((stage): stage is FinalityStage => stage.stage === 'finality')
  while (finalities().length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  const blockNumber = BigInt(await anvil.request<string>('eth_blockNumber'))
  expect(finalities()[0]).toMatchObject({ blockNumber })
  expect(finalities()[0]?.finalizedBlock).toBeLessThan(blockNumber)
  await mine(3)
  expect(await Promise.race([sending.then(() => 'final'), new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))])).toBe('waiting')
  await mine(1)
  expect(await sending).toMatchObject({ blockNumber })
  expect(finalities().at(-1)).toEqual({ stage: 'finality', blockNumber, finalizedBlock: blockNumber })
  expect(stages.slice(0, 2).map(({ stage }) => stage)).toEqual(['sent', 'mined'])
})

test('ends after the time given with what is known', async () => {
  const { chain, signer } = network()
  const error = await chain.stake(signer(1), { amountWei: cai(1) }, { waitForFinality: true, timeoutMs: 3_000 }).catch((caught) => caught)
  expect(error).toMatchObject({ code: txNotFinal.code, kind: 'unavailable', facts: { action: 'stake', hash: expect.stringMatching(/^0x/) } })
  expect((await chain.getAccount(signer(1).address)).freeWei).toBe(cai(1))
})

test('a transaction that the chain drops while it is waited for is not called final', async () => {
  const { chain, signer, mine, anvil } = network()
  let isMined = false
  const sending = chain.stake(signer(1), { amountWei: cai(1) }, { waitForFinality: true, onStage: ({ stage }) => (isMined ||= stage === 'mined') })
  const outcome = sending.catch((caught) => caught)
  while (!isMined) await new Promise((resolve) => setTimeout(resolve, 10))
  await anvil.request('anvil_reorg', [1, []])
  await anvil.request('anvil_dropAllTransactions')
  await mine(5)
  expect(await outcome).toMatchObject({ code: txReorged.code })
})
