import { encodeFunctionData } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import { stakingAbi } from '../../src/chain/contracts.generated.ts'
import { createChain } from '../../src/chain/createChain.ts'
import { signRegistration } from '../../src/chain/registration.ts'
import type { NodeSet, NodeSetWatch } from '../../src/domain/chainPort.ts'
import type { Hash } from '../../src/domain/hex.ts'
import { contractMissing, rpcUnavailable } from '../../src/errors/chain.ts'
import { cai, testParameters, testThawSeconds, useTestNetwork } from '../support/chainFixtures.ts'
import { startRpcServer } from '../support/rpcServer.ts'

const network = useTestNetwork()
const watches: NodeSetWatch[] = []
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()))
})

async function watch(options: { confirmations?: number; onError?: (error: unknown) => void; rpcUrl?: string } = {}): Promise<NodeSetWatch> {
  const { confirmations = 0, onError, rpcUrl } = options
  const { deployment, chain } = network()
  const reader = rpcUrl === undefined ? chain : await createChain({ deployment, rpcUrls: [rpcUrl], timeoutMs: 300 })
  const started = await reader.watchNodes({ pollMs: 20, confirmations, ...(onError && { onError }) })
  watches.push(started)
  return started
}

/** The set once it is what `isThere` wants. */
async function waitFor(watched: NodeSetWatch, isThere: (set: NodeSet) => boolean): Promise<NodeSet> {
  const deadline = performance.now() + 10_000
  while (!isThere(watched.current())) {
    if (performance.now() > deadline) throw new Error(`the set did not come: block ${watched.current().blockNumber}, ${watched.current().nodes.size} nodes`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return watched.current()
}

async function waitForHead(watched: NodeSetWatch): Promise<NodeSet> {
  const { latest } = await network().chain.getBlocks()
  return waitFor(watched, ({ blockNumber }) => blockNumber === latest.number)
}

/** What somebody who starts now sees: followed by events or read afresh, it must be the same. */
async function readFresh(): Promise<NodeSet> {
  const fresh = await network().chain.watchNodes({ pollMs: 60_000, confirmations: 0 })
  await fresh.stop()
  return fresh.current()
}

test('an empty network is an empty set', async () => {
  expect((await watch()).current().nodes.size).toBe(0)
})

test('what events change is what a fresh reading sees, field by field', async () => {
  const { chain, signer, registerMiner, registerCoordinator, deployment } = network()
  await registerMiner({ owner: signer(1), operator: signer(2), profile: { url: 'https://first.test' } })
  const watched = await watch()
  expect(watched.current()).toEqual(await readFresh())
  const steps = [
    () => registerCoordinator({ owner: signer(3), operator: signer(4), profile: { url: 'https://coordinator.test' } }),
    () => chain.stake(signer(5), { amountWei: cai(100_000) }),
    () => chain.vote(signer(5), { node: signer(1).address, amountWei: cai(5_000), minShares: 0n }),
    () => chain.setProfile(signer(1), { profile: { name: 'renamed', url: '', description: 'x' } }),
    () => chain.setVoterShare(signer(3), { voterShareBps: 9_000 }),
    () => chain.unbond(signer(1), { amountWei: cai(5_000) }),
    () => registerMiner({ owner: signer(6), operator: signer(7) }),
    () => chain.deregister(signer(1)),
    async () =>
      chain.unvote(signer(5), { node: signer(1).address, shares: (await chain.getAccount(signer(5).address)).votes[0]?.shares ?? 0n, minAmountWei: 0n }),
    () => registerMiner({ owner: signer(1), operator: signer(8) }),
  ]
  for (const step of steps) {
    await step()
    expect(await waitForHead(watched)).toEqual(await readFresh())
  }
  const set = watched.current()
  expect([...set.nodes.keys()].sort()).toEqual([1, 3, 6].map((index) => signer(index).address).sort())
  expect(set.nodes.get(signer(3).address)).toMatchObject({ role: 'coordinator', voterShareBps: 9_000, profile: { url: 'https://coordinator.test' } })
  expect(set.nodes.get(signer(1).address)).toMatchObject({ operator: signer(8).address, nonce: 2n })
  expect(deployment.deploymentBlock).toBe(1)
})

test('who rests, is suspended, jailed or changes its operator is followed too', async () => {
  const { chain, signer, registerMiner, registerCoordinator, deployment, anvil, warp, warpTo, now } = network()
  await registerMiner({ owner: signer(1), operator: signer(2) })
  await registerCoordinator({ owner: signer(3), operator: signer(4) })
  const [miner, coordinator] = [signer(1).address, signer(3).address]
  const watched = await watch()
  const follow = async (step: () => Promise<unknown>): Promise<NodeSet> => {
    await step()
    const set = await waitForHead(watched)
    expect(set).toEqual(await readFresh())
    return set
  }
  const rested = await follow(() => chain.rest(signer(2), { node: miner }))
  expect(rested.nodes.get(miner)).toMatchObject({ active: false, away: true, weightWei: 0n })
  const back = await follow(() => chain.rejoin(signer(2), { node: miner }))
  expect(back.nodes.get(miner)).toMatchObject({ active: true, away: false, weightWei: cai(25_000) })

  await warpTo(0, testParameters.drawSeconds)
  const epoch = BigInt(Math.floor((await now()) / testParameters.drawSeconds))
  const secret: Hash = `0x${'5e'.repeat(32)}`
  await chain.commitEpoch(signer(4), { coordinator, epoch, commitment: chain.toEpochCommitment(coordinator, epoch, secret) })
  await warp(2 * testParameters.drawSeconds + testParameters.graceSeconds)
  const suspended = await follow(() => chain.suspendCoordinator(signer(5), { coordinator, epoch }))
  expect(suspended.nodes.get(coordinator)).toMatchObject({ active: false, suspended: true })
  const resumed = await follow(() => chain.revealEpoch(signer(5), { coordinator, epoch, secret }))
  expect(resumed.nodes.get(coordinator)).toMatchObject({ active: true, suspended: false })

  const until = (await now()) + 100
  const data = encodeFunctionData({ abi: stakingAbi, functionName: 'jail', args: [miner, BigInt(until)] })
  await network().setBalance(deployment.contracts.court, cai(1))
  const jailed = await follow(() => anvil.sendAs(deployment.contracts.court, { to: deployment.contracts.staking, data }))
  expect(jailed.nodes.get(miner)).toMatchObject({ active: false, away: true, jailedUntil: until })

  const deadline = (await now()) + 600
  const fields = { owner: miner, role: 'miner', nonce: 1n, deadline } as const
  const operatorSignature = signRegistration(signer(6), deployment, fields)
  const changed = await follow(() => chain.setOperator(signer(1), { operator: signer(6).address, deadline, operatorSignature }))
  expect(changed.nodes.get(miner)).toMatchObject({ operator: signer(6).address, nonce: 2n })
})

test('a bond that falls to the threshold makes the node inactive', async () => {
  const { chain, signer, registerMiner } = network()
  await registerMiner({ owner: signer(1), operator: signer(2), bondWei: cai(25_000) })
  const watched = await watch()
  await chain.unbond(signer(1), { amountWei: cai(5_000) })
  const set = await waitFor(watched, ({ nodes }) => nodes.get(signer(1).address)?.active === false)
  expect(set.nodes.get(signer(1).address)).toMatchObject({ role: 'miner', bondWei: cai(20_000), weightWei: 0n })
})

test('a lower voter share takes effect by time, without an event', async () => {
  const { chain, signer, registerMiner, warp } = network()
  await registerMiner({ owner: signer(1), operator: signer(2), voterShareBps: 4_000 })
  const before = await watch()
  await chain.setVoterShare(signer(1), { voterShareBps: 100 })
  const during = await watch()
  for (const watched of [before, during]) expect((await waitForHead(watched)).nodes.get(signer(1).address)?.voterShareBps).toBe(4_000)
  await warp(testThawSeconds)
  for (const watched of [before, during]) await waitFor(watched, ({ nodes }) => nodes.get(signer(1).address)?.voterShareBps === 100)
})

test('listeners hear of changes, and of nothing else', async () => {
  const { signer, registerMiner, mine } = network()
  const watched = await watch()
  const heard: number[] = []
  const stopListening = watched.onChange(({ nodes }) => heard.push(nodes.size))
  await mine(3)
  await waitForHead(watched)
  expect(heard).toEqual([])
  await registerMiner({ owner: signer(1), operator: signer(2) })
  await waitForHead(watched)
  expect(heard).toEqual([1])
  stopListening()
  await registerMiner({ owner: signer(3), operator: signer(4) })
  await waitForHead(watched)
  expect(heard).toEqual([1])
})

test('stays as many blocks behind as asked', async () => {
  const { signer, registerMiner, mine, chain } = network()
  await mine(10)
  const watched = await watch({ confirmations: 3 })
  const head = (await chain.getBlocks()).latest.number
  expect(watched.current().blockNumber).toBe(head - 3n)
  await registerMiner({ owner: signer(1), operator: signer(2) })
  await waitFor(watched, ({ blockNumber }) => blockNumber === head - 2n)
  expect(watched.current().nodes.size).toBe(0)
  await mine(3)
  await waitFor(watched, ({ blockNumber }) => blockNumber === head + 1n)
  expect(watched.current().nodes.size).toBe(1)
})

describe('a reorg', () => {
  test('of depth 3 with other transactions ends in the state of the new chain', async () => {
    const { chain, signer, registerMiner, anvil } = network()
    await registerMiner({ owner: signer(1), operator: signer(2) })
    const watched = await watch()
    await registerMiner({ owner: signer(3), operator: signer(4) })
    await chain.stake(signer(5), { amountWei: cai(10) })
    await chain.vote(signer(5), { node: signer(1).address, amountWei: cai(10), minShares: 0n })
    await waitForHead(watched)
    expect(watched.current().nodes.size).toBe(2)
    const before = await anvil.request<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
    await anvil.request('anvil_reorg', [3, []])
    const after = await anvil.request<{ hash: string; number: string }>('eth_getBlockByNumber', ['latest', false])
    expect(after.hash).not.toBe(before.hash)
    // anvil drops the three blocks before it mines their successors: the watch may see the chain in between.
    const set = await waitFor(watched, ({ nodes, blockNumber }) => nodes.size === 1 && blockNumber === BigInt(after.number))
    expect(set).toEqual(await readFresh())
    expect(set.nodes.get(signer(1).address)?.votesWei).toBe(0n)
  })

  test('to a shorter chain, as after a restored snapshot', async () => {
    const { signer, registerMiner, anvil, mine } = network()
    const snapshot = await anvil.request<string>('evm_snapshot')
    await registerMiner({ owner: signer(1), operator: signer(2) })
    await mine(5)
    const watched = await watch()
    expect(watched.current().nodes.size).toBe(1)
    await anvil.request('evm_revert', [snapshot])
    const set = await waitFor(watched, ({ nodes }) => nodes.size === 0)
    expect(set).toEqual(await readFresh())
  })

  test('in the middle of a reading is noticed', async () => {
    const { signer, registerMiner, anvil, rpcUrl, deployment } = network()
    await registerMiner({ owner: signer(1), operator: signer(2) })
    await registerMiner({ owner: signer(3), operator: signer(4) })
    const { latest } = await network().chain.getBlocks()
    let isReplaced = false
    const proxy = await startRpcServer(async ({ method, params }) => {
      const isLookingBack = method === 'eth_getBlockByNumber' && Number(params[0]) === Number(latest.number)
      if (isLookingBack && !isReplaced) await anvil.request('anvil_reorg', [1, []])
      isReplaced ||= isLookingBack
      return { forward: rpcUrl }
    })
    try {
      const reader = await createChain({ deployment, rpcUrls: [proxy.url] })
      expect(await reader.getNodes('miner')).toEqual([await network().chain.getNode(signer(1).address)])
      expect(isReplaced).toBe(true)
    } finally {
      await proxy.close()
    }
  })

  test('to a chain that has grown past the old one by the next look', async () => {
    const { signer, registerMiner, anvil, mine } = network()
    const watched = await watch()
    const snapshot = await anvil.request<string>('evm_snapshot')
    await registerMiner({ owner: signer(1), operator: signer(2) })
    await waitForHead(watched)
    await anvil.request('evm_revert', [snapshot])
    await registerMiner({ owner: signer(3), operator: signer(4) })
    await mine(4)
    const set = await waitForHead(watched)
    expect([...set.nodes.keys()]).toEqual([signer(3).address])
    expect(set).toEqual(await readFresh())
  })
})

test('when the RPC fails the last set stays, its age grows, and it goes on afterwards', async () => {
  const { signer, registerMiner, rpcUrl } = network()
  await registerMiner({ owner: signer(1), operator: signer(2) })
  let isDown = false
  const proxy = await startRpcServer(() => (isDown ? { status: 503 } : { forward: rpcUrl }))
  try {
    const failures: unknown[] = []
    const watched = await watch({ rpcUrl: proxy.url, onError: (error) => failures.push(error) })
    isDown = true
    while (failures.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
    await registerMiner({ owner: signer(3), operator: signer(4) })
    expect(failures[0]).toMatchObject({ code: rpcUnavailable.code })
    expect(watched.current().nodes.size).toBe(1)
    expect(watched.ageMs()).toBeGreaterThan(400)
    isDown = false
    await waitFor(watched, ({ nodes }) => nodes.size === 2)
    expect(watched.ageMs()).toBeLessThan(400)
  } finally {
    await proxy.close()
  }
})

test('stopping ends what is under way at once', async () => {
  let isDown = false
  const proxy = await startRpcServer(() => (isDown ? { hang: true } : { forward: network().rpcUrl }))
  try {
    const { deployment } = network()
    const chain = await createChain({ deployment, rpcUrls: [proxy.url], timeoutMs: 60_000 })
    const failures: unknown[] = []
    const watched = await chain.watchNodes({ pollMs: 10, confirmations: 0, onError: (error) => failures.push(error) })
    isDown = true
    const calls = proxy.calls.length
    while (proxy.calls.length === calls) await new Promise((resolve) => setTimeout(resolve, 5))
    const startedMs = performance.now()
    await watched.stop()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(failures).toEqual([])
  } finally {
    await proxy.close()
  }
})

test('a first reading that fails is an error, not an empty set', async () => {
  const { deployment, anvil, chain } = network()
  await anvil.request('anvil_setCode', [deployment.contracts.staking, '0x'])
  await expect(chain.watchNodes({ pollMs: 10, confirmations: 0 })).rejects.toEqual(expect.objectContaining({ code: contractMissing.code }))
})
