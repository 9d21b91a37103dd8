import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../../src/domain/hex.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import {
  coordinatorParty,
  coordinatorSigner,
  createCoordinator,
  createMiner,
  endRigsAfterEach,
  holdTexts,
  type MinerRig,
  minerNode,
  minerRecord,
  toRecord,
} from '../../support/minerRig.ts'

endRigsAfterEach()

const secondNode: Address = `0x${'dd'.repeat(20)}`
const second = { node: secondNode, signer: coordinatorSigner }

function findState(rig: MinerRig, node: Address) {
  return rig.miner.state().coordinators.find((coordinator) => coordinator.node === node)
}

describe('coordinators of the chain', () => {
  it('are joined when they appear and drained when they are no longer active', async () => {
    const [one, two] = [await createCoordinator(), await createCoordinator({ node: secondNode })]
    const rig = await createMiner([])
    await rig.waitForEvent('coordinatorsMissing')
    rig.chain.setNodes([minerRecord, toRecord(one)])
    await rig.waitForEvent('sessionOpened', ({ coordinator }) => coordinator.node === one.node)
    const release = holdTexts(rig)
    one.queue(createTestTask(coordinatorParty, minerNode, 'still running'))
    await rig.waitForEvent('taskStarted')
    rig.chain.setNodes([minerRecord, toRecord(one, { active: false }), toRecord(two)])
    await rig.waitForEvent('sessionOpened', ({ coordinator }) => coordinator.node === two.node)
    expect(findState(rig, one.node)?.session).toBe('draining')
    release()
    await rig.waitForEvent('sessionClosed', ({ coordinator }) => coordinator.node === one.node)
    expect(one.calls.submitResult).toHaveLength(1)
    expect(findState(rig, one.node)).toBeUndefined()
    rig.chain.setNodes([minerRecord, toRecord(one), toRecord(two)])
    await waitFor(() => findState(rig, one.node)?.session === 'open', 'the first one again')
  })

  it('that come back while a task of theirs still runs wait for its end: no second session beside the first', async () => {
    const one = await createCoordinator()
    const rig = await createMiner([toRecord(one)])
    const release = holdTexts(rig)
    one.queue(createTestTask(coordinatorParty, minerNode, 'across'))
    await rig.waitForEvent('taskStarted')
    rig.chain.setNodes([minerRecord, toRecord(one, { active: false })])
    rig.chain.setNodes([minerRecord, toRecord(one)])
    await delay(60)
    expect(one.calls.openSession).toHaveLength(1)
    release()
    await one.waitForCalls('openSession', 2)
    await rig.waitForEvent('taskDone')
    expect(rig.events.filter(({ type }) => type === 'sessionFailed')).toEqual([])
  })

  it('without a URL, inactive or blocked ones are left alone', async () => {
    const [one, two] = [await createCoordinator(), await createCoordinator({ node: secondNode })]
    const third: Address = `0x${'ee'.repeat(20)}`
    const rig = await createMiner([toRecord(one), toRecord(two), toRecord({ node: third, url: '' })], { config: { blocked: [secondNode] } })
    await rig.waitForEvent('sessionOpened')
    await delay(50)
    expect(rig.miner.state().coordinators.map(({ node }) => node)).toEqual([one.node])
    expect(two.calls.openSession).toEqual([])
  })

  it('get slots by weight; those of one that does not answer go to the others meanwhile', async () => {
    const [one, two] = [await createCoordinator(), await createCoordinator({ node: secondNode })]
    const rig = await createMiner([toRecord(one, { weightCai: 9_000_000 }), toRecord(two, { weightCai: 3_000_000 })], { config: { slots: 4 } })
    await waitFor(() => findState(rig, one.node)?.session === 'open' && findState(rig, two.node)?.session === 'open', 'both sessions')
    expect([findState(rig, one.node)?.slots, findState(rig, two.node)?.slots]).toEqual([3, 1])
    await one.kill()
    await waitFor(() => findState(rig, two.node)?.slots === 4, 'the slots of the one that is gone')
    await one.restart()
    await waitFor(() => findState(rig, one.node)?.slots === 3 && findState(rig, two.node)?.slots === 1, 'the old spread')
  })

  it('beyond the number of slots stand by, and step in when the heavier one is gone', async () => {
    const [one, two] = [await createCoordinator(), await createCoordinator({ node: secondNode })]
    const rig = await createMiner([toRecord(one, { weightCai: 9_000_000 }), toRecord(two)], { config: { slots: 1 }, random: () => 0.5 })
    await waitFor(() => findState(rig, one.node)?.session === 'open', 'the heavier one')
    await waitFor(() => findState(rig, two.node)?.session === 'standby', 'the lighter one standing by')
    await one.kill()
    await waitFor(() => findState(rig, two.node)?.session === 'open', 'the lighter one stepping in')
    two.queue(createTestTask(second, minerNode, 'instead'))
    await rig.waitForEvent('taskDone', ({ coordinator }) => coordinator.node === two.node)
  })
})

describe('coordinators that the operator names', () => {
  it('by address or URL are the only ones', async () => {
    const [one, two] = [await createCoordinator(), await createCoordinator({ node: secondNode })]
    for (const named of [two.node, two.node.toUpperCase().replace('0X', '0x'), two.url, `${two.url}/`]) {
      const rig = await createMiner([toRecord(one), toRecord(two)], { config: { coordinators: [named] } })
      await rig.waitForEvent('sessionOpened')
      expect(rig.miner.state().coordinators).toMatchObject([{ node: two.node, slots: 2 }])
      await rig.miner.stop()
    }
    expect(one.calls.openSession).toEqual([])
  })

  it('by a URL that no profile has must prove to be who they say', async () => {
    const coordinator = await createCoordinator()
    const record = toRecord({ node: coordinator.node, url: 'https://elsewhere.example.org' })
    const rig = await createMiner([record], { config: { coordinators: [coordinator.url] } })
    expect(await rig.waitForEvent('sessionOpened')).toMatchObject({ coordinator: { url: coordinator.url, node: coordinator.node } })
    const stranger = await createCoordinator({ node: secondNode })
    const other = await createMiner([record], { config: { coordinators: [stranger.url] } })
    expect((await other.waitForEvent('sessionFailed')).error.code).toBe('CUCKOO_MINER_COORDINATOR_UNKNOWN')
    expect(stranger.calls.openSession).toEqual([])
    const asleep = await createMiner([{ ...record, active: false }], { config: { coordinators: [coordinator.url] } })
    expect((await asleep.waitForEvent('sessionFailed')).error.message).toContain('is not active')
  })

  it('by an address that is no active coordinator stop the start', async () => {
    for (const named of [secondNode, 'nonsense'])
      await expect(createMiner([], { config: { coordinators: [named] } })).rejects.toMatchObject({ code: 'CUCKOO_MINER_COORDINATOR_UNKNOWN' })
  })
})
