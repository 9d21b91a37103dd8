import { describe, expect, test } from 'vitest'
import { cai, testThawSeconds, useTestNetwork } from '../support/chainFixtures.ts'

const network = useTestNetwork()

describe('stake', () => {
  test('puts wallet CAI into free and reports what was sent', async () => {
    const { chain, signer, deployment } = network()
    const report = await chain.stake(signer(1), { amountWei: cai(100) })
    expect(report).toMatchObject({ action: 'stake', from: signer(1).address, to: deployment.contracts.staking, valueWei: cai(100), dryRun: false })
    expect(report.hash).toMatch(/^0x[0-9a-f]{64}$/)
    const account = await chain.getAccount(signer(1).address)
    expect(account).toMatchObject({ freeWei: cai(100), bondWei: 0n, votes: [], thaws: [], node: null })
    expect(account.walletWei).toBe(cai(1_000_000_000) - cai(100) - report.feeWei)
    expect(testThawSeconds).toBe(600)
  })
})
