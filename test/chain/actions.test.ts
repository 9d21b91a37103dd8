import { describe, expect, test } from 'vitest'
import { createChain } from '../../src/chain/createChain.ts'
import { signRegistration } from '../../src/chain/registration.ts'
import type { RegistrationRequest, TxStage } from '../../src/domain/chainPort.ts'
import type { Address, Hex } from '../../src/domain/hex.ts'
import { bondThresholdWei, toWeight } from '../../src/domain/node.ts'
import type { Signer } from '../../src/domain/ports.ts'
import * as chainErrors from '../../src/errors/chain.ts'
import { CuckooError } from '../../src/errors/cuckooError.ts'
import * as errors from '../../src/errors/staking.ts'
import { cai, testEpochSeconds, testParameters, testThawSeconds, useTestNetwork } from '../support/chainFixtures.ts'
import { startRpcServer } from '../support/rpcServer.ts'

const network = useTestNetwork()

async function catchError(promise: Promise<unknown>): Promise<CuckooError> {
  const error = await promise.then(
    () => null,
    (caught: unknown) => caught,
  )
  if (!(error instanceof CuckooError)) throw new Error(`expected a CuckooError, got ${error}`)
  return error
}

const nobody: Address = `0x${'ab'.repeat(20)}`

describe('stake', () => {
  test('puts wallet CAI into free and reports what was sent', async () => {
    const { chain, signer, deployment } = network()
    const stages: TxStage[] = []
    const report = await chain.stake(signer(1), { amountWei: cai(100) }, { onStage: (stage) => stages.push(stage) })
    expect(report).toMatchObject({ action: 'stake', from: signer(1).address, to: deployment.contracts.staking, valueWei: cai(100), dryRun: false })
    expect(stages).toEqual([
      { stage: 'sent', hash: report.hash },
      { stage: 'mined', hash: report.hash, blockNumber: report.blockNumber },
    ])
    const account = await chain.getAccount(signer(1).address)
    expect(account).toMatchObject({ freeWei: cai(100), bondWei: 0n, votes: [], thaws: [], node: null, blockNumber: report.blockNumber })
    expect(account.walletWei).toBe(cai(1_000_000_000) - cai(100) - report.feeWei)
  })

  test('with dryRun costs and changes nothing', async () => {
    const { chain, signer } = network()
    const before = await chain.getAccount(signer(1).address)
    const report = await chain.stake(signer(1), { amountWei: cai(100) }, { dryRun: true })
    expect(report).toMatchObject({ action: 'stake', dryRun: true, hash: null, blockNumber: null })
    expect(report.gas).toBeGreaterThan(21_000n)
    expect(report.feeWei).toBeGreaterThan(0n)
    expect(await chain.getAccount(signer(1).address)).toEqual(before)
    const sent = await chain.stake(signer(1), { amountWei: cai(100) })
    expect(report.feeWei).toBeGreaterThanOrEqual(sent.feeWei)
  })

  test('refuses nothing, and more than there is', async () => {
    const { chain, signer, setBalance } = network()
    expect(await catchError(chain.stake(signer(1), { amountWei: 0n }))).toMatchObject({ code: errors.amountZero.code, kind: 'usage' })
    await setBalance(signer(1).address, cai(5))
    const error = await catchError(chain.stake(signer(1), { amountWei: cai(6) }))
    expect(error).toMatchObject({ code: chainErrors.walletTooLow.code, kind: 'rejected', facts: { availableCai: '5', neededCai: '6', feeCai: '0' } })
    expect(error.hint).toBe(`Get some with \`cuckoo faucet ${signer(1).address}\`.`)
    const forGas = await catchError(chain.stake(signer(1), { amountWei: cai(5) }))
    expect(forGas).toMatchObject({ code: chainErrors.walletTooLow.code, facts: { availableCai: '5' } })
    expect(forGas.facts['feeCai']).not.toBe('0')
  })

  test('on a public network too little CAI says where to get it', () => {
    const { hint } = chainErrors.walletTooLow({ account: nobody, availableCai: '0', neededCai: '1', feeCai: '0', network: 'cuckoo' })
    expect(hint).toBe(
      `Get CAI for ${nobody} at https://cuckoo.network/portal, or ask on Telegram https://cuckoo.network/tg or Discord https://cuckoo.network/dc.`,
    )
  })

  test('twenty at once and five one after another each get their own nonce', async () => {
    const { chain, signer } = network()
    await Promise.all(Array.from({ length: 20 }, () => chain.stake(signer(1), { amountWei: cai(1) })))
    for (let count = 0; count < 5; count++) await chain.stake(signer(1), { amountWei: cai(1) })
    expect((await chain.getAccount(signer(1).address)).freeWei).toBe(cai(25))
  })

  test('a transaction that fails takes no nonce with it', async () => {
    const { chain, signer } = network()
    const results = await Promise.allSettled([
      chain.stake(signer(1), { amountWei: cai(1) }),
      chain.bond(signer(1), { amountWei: cai(1) }),
      chain.stake(signer(1), { amountWei: cai(1) }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await chain.stake(signer(1), { amountWei: cai(1) })
    expect((await chain.getAccount(signer(1).address)).freeWei).toBe(cai(3))
  })
})

describe('register', () => {
  const prepare = async (owner: Signer, operator: Signer, change: Partial<RegistrationRequest> = {}): Promise<RegistrationRequest> => {
    const { deployment, now } = network()
    const deadline = (await now()) + 600
    return {
      role: 'miner',
      operator: operator.address,
      voterShareBps: 2_500,
      bondWei: cai(21_000),
      valueWei: cai(21_000),
      profile: { name: 'Miñer ⛏', url: 'https://miner.test', description: 'mines' },
      deadline,
      operatorSignature: signRegistration(operator, deployment, { owner: owner.address, role: 'miner', nonce: 0n, deadline }),
      ...change,
    }
  }

  test('makes a node that everything can be read of', async () => {
    const { chain, signer, now } = network()
    const [owner, operator] = [signer(1), signer(2)]
    const request = await prepare(owner, operator)
    const report = await chain.register(owner, request)
    const node = await chain.getNode(owner.address)
    expect(node).toMatchObject({
      node: owner.address,
      role: 'miner',
      active: true,
      operator: operator.address,
      voterShareBps: 2_500,
      registeredAt: await now(),
      bondWei: cai(21_000),
      votesWei: 0n,
      weightWei: cai(21_000),
      nonce: 1n,
      profile: request.profile,
    })
    expect(report.valueWei).toBe(cai(21_000))
    expect(await chain.getNodes('miner')).toEqual([node])
    expect(await chain.getNodes('coordinator')).toEqual([])
    expect(await chain.getTotalWeight('miner')).toBe(cai(21_000))
    expect(await chain.findOperator(operator.address)).toEqual({ node: owner.address, validUntil: 2n ** 64n - 1n })
    expect(await chain.findOperator(owner.address)).toBeNull()
    expect(await chain.getOperators(owner.address)).toEqual([operator.address])
    expect((await chain.getAccount(owner.address)).node).toEqual(node)
  })

  test('a coordinator needs over two million', async () => {
    const { chain, signer, registerCoordinator } = network()
    await registerCoordinator({ owner: signer(1), operator: signer(2), bondWei: bondThresholdWei.coordinator + 1n })
    expect(await chain.getNode(signer(1).address)).toMatchObject({ role: 'coordinator', active: true })
  })

  test.each<[string, Partial<RegistrationRequest>, { code: string }]>([
    ['exactly the threshold', { bondWei: bondThresholdWei.miner }, errors.bondTooLow],
    ['more bond than is free', { valueWei: cai(20_999) }, errors.freeTooLow],
    ['a voter share over 100 %', { voterShareBps: 10_001 }, errors.voterShareTooHigh],
    ['no name', { profile: { name: '', url: '', description: '' } }, errors.profileInvalid],
    ['a long name', { profile: { name: 'é'.repeat(33), url: '', description: '' } }, errors.profileInvalid],
    ['a deadline that is over', { deadline: 1 }, errors.signatureExpired],
    ['the zero address as operator', { operator: `0x${'0'.repeat(40)}` }, errors.operatorZero],
    ['a signature for another role', { role: 'coordinator', bondWei: cai(2_000_001), valueWei: cai(2_000_001) }, errors.operatorSignatureInvalid],
    ['a malformed signature', { operatorSignature: '0x1234' }, errors.operatorSignatureInvalid],
    ['an operator who has not signed', { operator: nobody }, errors.operatorSignatureInvalid],
  ])('refuses %s', async (_what, change, expected) => {
    const { chain, signer } = network()
    const error = await catchError(chain.register(signer(1), await prepare(signer(1), signer(2), change)))
    expect(error).toMatchObject({ code: expected.code })
    expect((await chain.getNode(signer(1).address)).role).toBe('none')
  })

  test('says how much is missing, as a command', async () => {
    const { chain, signer } = network()
    const error = await catchError(chain.register(signer(1), await prepare(signer(1), signer(2), { valueWei: cai(20_000) })))
    expect(error.message).toMatchInlineSnapshot(`"20000 CAI are free in the contract; this needs 21000 CAI."`)
    expect(error.hint).toMatchInlineSnapshot(`"Stake what is missing: \`cuckoo stake 1000\`."`)
  })

  test('once only, and an operator key belongs to one owner', async () => {
    const { chain, signer } = network()
    await chain.register(signer(1), await prepare(signer(1), signer(2)))
    expect(await catchError(chain.register(signer(1), await prepare(signer(1), signer(2))))).toMatchObject({ code: errors.nodeRegistered.code })
    const taken = await catchError(chain.register(signer(3), await prepare(signer(3), signer(2))))
    expect(taken).toMatchObject({ code: errors.operatorTaken.code, facts: { operator: signer(2).address, owner: signer(1).address } })
  })
})

describe('bond, vote, unvote, unbond, withdraw', () => {
  test('move CAI through every bucket and out again', async () => {
    const { chain, signer, registerMiner, warp, now } = network()
    const [owner, operator, voter] = [signer(1), signer(2), signer(3)]
    await registerMiner({ owner, operator, bondWei: cai(25_000) })
    await chain.stake(owner, { amountWei: cai(500) })
    await chain.bond(owner, { amountWei: cai(400) })
    await chain.stake(voter, { amountWei: cai(1_000) })
    await chain.vote(voter, { node: owner.address, amountWei: cai(900), minShares: 0n })

    const node = await chain.getNode(owner.address)
    expect(node).toMatchObject({ bondWei: cai(25_400), votesWei: cai(900), weightWei: cai(26_300) })
    expect(toWeight(node)).toBe(node.weightWei)
    const voted = await chain.getAccount(voter.address)
    expect(voted).toMatchObject({ freeWei: cai(100), votes: [{ node: owner.address, amountWei: cai(900) }], node: null })

    const shares = voted.votes[0]?.shares ?? 0n
    await chain.unvote(voter, { node: owner.address, shares, minAmountWei: cai(900) })
    const votesReleaseAt = (await now()) + testThawSeconds
    await chain.unbond(owner, { amountWei: cai(100) })
    const releaseAt = (await now()) + testThawSeconds
    const leaving = await chain.getAccount(voter.address)
    expect(leaving.votes).toEqual([])
    const toThawId = (kind: bigint, at: number): bigint => (BigInt(owner.address) << 96n) | (kind << 64n) | BigInt(at)
    const votesThaw = { id: toThawId(1n, votesReleaseAt), node: owner.address, kind: 'votes', amountWei: cai(900), releaseAt: votesReleaseAt }
    expect(leaving.thaws).toEqual([votesThaw])
    const id = toThawId(0n, releaseAt)
    expect((await chain.getAccount(owner.address)).thaws).toEqual([{ id, node: owner.address, kind: 'bond', amountWei: cai(100), releaseAt }])

    const early = await catchError(chain.withdraw(owner, { thawIds: [id], freeWei: 'all', to: owner.address }))
    expect(early).toMatchObject({ code: errors.thawNotReleased.code, facts: { id, releaseAt } })
    await warp(testThawSeconds)
    await chain.withdraw(owner, { thawIds: [id], freeWei: 0n, to: owner.address })
    expect(await chain.getAccount(owner.address)).toMatchObject({ freeWei: cai(200), thaws: [] })
    const wallet = (await chain.getAccount(nobody)).walletWei
    await chain.withdraw(owner, { thawIds: [], freeWei: 'all', to: nobody })
    expect((await chain.getAccount(nobody)).walletWei - wallet).toBe(cai(200))
    expect(await catchError(chain.withdraw(owner, { thawIds: [id], freeWei: 0n, to: nobody }))).toMatchObject({ code: errors.thawUnknown.code })
  })

  test('exits of one second are one, and many are listed over several pages', async () => {
    const { chain, signer, registerMiner, anvil, now } = network()
    await registerMiner({ owner: signer(1), operator: signer(2), bondWei: cai(25_000) })
    await anvil.request('evm_setAutomine', [false])
    const first = Promise.all([1n, 2n].map((amountWei) => chain.unbond(signer(1), { amountWei })))
    while ((await anvil.request<{ pending: string }>('txpool_status')).pending !== '0x2') await new Promise((resolve) => setTimeout(resolve, 20))
    await anvil.request('evm_mine')
    await anvil.request('evm_setAutomine', [true])
    await first
    const together = await chain.getAccount(signer(1).address)
    expect(together.thaws).toMatchObject([{ amountWei: 3n, releaseAt: together.blockTimestamp + testThawSeconds }])
    const startsAt = await now()
    for (let count = 1; count <= 120; count++) {
      await anvil.request('evm_setNextBlockTimestamp', [startsAt + count])
      await chain.unbond(signer(1), { amountWei: 1n })
    }
    const { thaws } = await chain.getAccount(signer(1).address)
    expect(thaws).toHaveLength(121)
    expect(thaws.map(({ releaseAt }) => releaseAt)).toEqual(Array.from({ length: 121 }, (_, count) => startsAt + count + testThawSeconds))
  })

  test('refuse what is not there', async () => {
    const { chain, signer, registerMiner } = network()
    const [owner, operator, voter] = [signer(1), signer(2), signer(3)]
    await registerMiner({ owner, operator, bondWei: cai(20_001) })
    await chain.stake(voter, { amountWei: cai(500_000) })
    const node = owner.address
    const expectCode = async (promise: Promise<unknown>, factory: { code: string }) => expect((await catchError(promise)).code).toBe(factory.code)
    await expectCode(chain.bond(owner, { amountWei: 1n }), errors.freeTooLow)
    await expectCode(chain.bond(voter, { amountWei: 1n }), errors.nodeNotRegistered)
    await expectCode(chain.unbond(owner, { amountWei: cai(20_002) }), errors.bondInsufficient)
    await expectCode(chain.vote(voter, { node: nobody, amountWei: cai(1), minShares: 0n }), errors.nodeNotRegistered)
    await expectCode(chain.vote(voter, { node, amountWei: cai(1) - 1n, minShares: 0n }), errors.voteTooSmall)
    await expectCode(chain.vote(voter, { node, amountWei: cai(16 * 20_001) + 1n, minShares: 0n }), errors.votesOverLimit)
    await expectCode(chain.vote(voter, { node, amountWei: cai(1), minShares: 2n ** 200n }), errors.sharesSlipped)
    await expectCode(chain.unvote(voter, { node, shares: 1n, minAmountWei: 0n }), errors.sharesInsufficient)
    await chain.vote(voter, { node, amountWei: cai(10), minShares: 1n })
    const shares = (await chain.getAccount(voter.address)).votes[0]?.shares ?? 0n
    await expectCode(chain.unvote(voter, { node, shares, minAmountWei: cai(11) }), errors.amountSlipped)
    await expectCode(chain.unvote(voter, { node, shares: shares - 1n, minAmountWei: 0n }), errors.voteTooSmall)
    await expectCode(chain.withdraw(voter, { thawIds: [], freeWei: cai(1_000_000), to: voter.address }), errors.freeTooLow)
    await expectCode(chain.withdraw(voter, { thawIds: [], freeWei: 1n, to: network().deployment.contracts.staking }), errors.payoutFailed)
    await expectCode(chain.withdraw(voter, { thawIds: [], freeWei: 1n, to: `0x${'0'.repeat(40)}` }), errors.parameterInvalid)
  })
})

describe('changing a node', () => {
  test('setProfile replaces what is shown', async () => {
    const { chain, signer, registerMiner } = network()
    await registerMiner({ owner: signer(1), operator: signer(2) })
    const profile = { name: 'New name', url: 'https://new.test', description: 'all new' }
    await chain.setProfile(signer(1), { profile })
    expect((await chain.getNode(signer(1).address)).profile).toEqual(profile)
    expect((await catchError(chain.setProfile(signer(3), { profile }))).code).toBe(errors.nodeNotRegistered.code)
  })

  test('setOperator needs the new key, and the old one counts for a thaw more', async () => {
    const { chain, signer, registerMiner, deployment, now } = network()
    const [owner, old, next] = [signer(1), signer(2), signer(3)]
    await registerMiner({ owner, operator: old })
    const deadline = (await now()) + 600
    const sign = (nonce: bigint): Hex => signRegistration(next, deployment, { owner: owner.address, role: 'miner', nonce, deadline })
    const replayed = chain.setOperator(owner, { operator: next.address, deadline, operatorSignature: sign(0n) })
    expect(await catchError(replayed)).toMatchObject({ code: errors.operatorSignatureInvalid.code, kind: 'denied' })
    await chain.setOperator(owner, { operator: next.address, deadline, operatorSignature: sign(1n) })
    expect(await chain.getOperators(owner.address)).toEqual([next.address, old.address])
    expect(await chain.findOperator(old.address)).toEqual({ node: owner.address, validUntil: BigInt((await now()) + testThawSeconds) })
    expect(await chain.getNode(owner.address)).toMatchObject({ operator: next.address, nonce: 2n })
  })

  test('setVoterShare rises at once and drops after a thaw', async () => {
    const { chain, signer, registerMiner, warp } = network()
    await registerMiner({ owner: signer(1), operator: signer(2), voterShareBps: 1_000 })
    const getShare = async () => (await chain.getNode(signer(1).address)).voterShareBps
    await chain.setVoterShare(signer(1), { voterShareBps: 3_000 })
    expect(await getShare()).toBe(3_000)
    await chain.setVoterShare(signer(1), { voterShareBps: 0 })
    expect(await getShare()).toBe(3_000)
    await warp(testThawSeconds)
    expect(await getShare()).toBe(0)
  })

  test('deregister leaves the list and thaws the bond', async () => {
    const { chain, signer, registerMiner } = network()
    await registerMiner({ owner: signer(1), operator: signer(2) })
    await registerMiner({ owner: signer(3), operator: signer(4) })
    await chain.deregister(signer(1))
    expect((await chain.getNodes('miner')).map(({ node }) => node)).toEqual([signer(3).address])
    const account = await chain.getAccount(signer(1).address)
    expect(account).toMatchObject({ bondWei: 0n, thaws: [{ kind: 'bond', amountWei: cai(25_000) }], node: { role: 'none', active: false, nonce: 1n } })
    expect((await catchError(chain.deregister(signer(1)))).code).toBe(errors.nodeNotRegistered.code)
  })

  test('a role is kept as long as its bond counts in an epoch', async () => {
    const { chain, signer, registerMiner, registerCoordinator, warp } = network()
    await registerMiner({ owner: signer(1), operator: signer(2) })
    await warp(testEpochSeconds)
    await chain.deregister(signer(1))
    const error = await catchError(registerCoordinator({ owner: signer(1), operator: signer(2) }))
    expect(error).toMatchObject({ code: errors.roleLocked.code, facts: { previous: 'miner' } })
    await warp(2 * testEpochSeconds)
    await registerCoordinator({ owner: signer(1), operator: signer(2) })
    expect((await chain.getNode(signer(1).address)).role).toBe('coordinator')
  })
})

test('transfer moves wallet CAI', async () => {
  const { chain, signer } = network()
  const before = (await chain.getAccount(nobody)).walletWei
  const report = await chain.transfer(signer(1), { to: nobody, amountWei: cai(3) })
  expect(report).toMatchObject({ action: 'transfer', to: nobody, valueWei: cai(3), gas: 21_000n })
  expect((await chain.getAccount(nobody)).walletWei - before).toBe(cai(3))
})

test('a call that reverts only in its block says so and why', async () => {
  const { chain, signer, registerMiner, rpcUrl, deployment } = network()
  const [node, voter, faster] = [signer(1).address, signer(3), signer(4)]
  await registerMiner({ owner: signer(1), operator: signer(2), bondWei: cai(25_000) })
  for (const staker of [voter, faster]) await chain.stake(staker, { amountWei: cai(300_000) })
  const vote = { node, amountWei: cai(300_000), minShares: 0n }
  // After the check and before the block, somebody else takes what is left of the limit.
  const proxy = await startRpcServer(async ({ method }) => {
    if (method === 'eth_sendRawTransaction') await chain.vote(faster, vote)
    return { forward: rpcUrl }
  })
  try {
    const slower = await createChain({ deployment, rpcUrls: [proxy.url] })
    expect(await catchError(slower.vote(voter, vote))).toMatchObject({ code: chainErrors.txReverted.code, cause: { code: errors.votesOverLimit.code } })
  } finally {
    await proxy.close()
  }
})

test('parameters and blocks are those of the chain', async () => {
  const { chain, mine, deployment } = network()
  expect(await chain.getParameters()).toEqual(testParameters)
  const before = (await chain.getBlocks()).latest
  expect(before.number).toBe(BigInt(deployment.deploymentBlock + 4))
  await mine(3)
  const { latest, finalized } = await chain.getBlocks()
  expect(latest.number).toBe(before.number + 3n)
  expect(finalized).toEqual(latest)
})
