import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DisputeRecord, RoundRecord, SeatRecord } from '../../../src/domain/dispute.ts'
import { toTestHash } from '../../support/minerFakes.ts'
import { createMiner, endRigsAfterEach, minerNode } from '../../support/minerRig.ts'

endRigsAfterEach()

const dispute = { caseId: 7n, round: 0, stage: 'committing' } as DisputeRecord
const round = { round: 0, commitEndsAt: 1_700_000_100, revealEndsAt: 1_700_000_200 } as RoundRecord
const seat = { caseId: 7n, round: 0, node: minerNode, seats: 2, commitment: null, vote: null } as SeatRecord

async function createJuror(first: Partial<SeatRecord> = {}) {
  const court = { dispute, seat: { ...seat, ...first }, looks: 0, isDown: false }
  const rig = await createMiner([], {
    prepare(chain) {
      chain.listOpenDisputes = async () => {
        court.looks++
        if (court.isDown) throw new Error('the RPC is down')
        return [court.dispute]
      }
      chain.getRounds = async () => [round]
      chain.getSeat = async () => court.seat
      const { getParameters } = chain
      chain.getParameters = async () => ({ ...(await getParameters()), commitSeconds: 1, revealSeconds: 1 })
    },
  })
  const duties = () => rig.events.filter((event) => event.type === 'juryDuty')
  const look = async () => {
    const before = court.looks
    for (let tries = 0; court.looks < before + 2 && tries < 300; tries++) await delay(5)
  }
  return { rig, court, duties, look }
}

describe('a miner that sits on a jury', () => {
  it('is told what to do and until when, once for each window', async () => {
    const { court, duties, look } = await createJuror()
    await look()
    await look()
    expect(duties()).toEqual([{ type: 'juryDuty', caseId: 7n, round: 0, duty: 'commit', seats: 2, until: 1_700_000_100 }])
    court.dispute = { ...dispute, stage: 'revealing' }
    court.seat = { ...seat, commitment: toTestHash('vote') }
    await look()
    await look()
    expect(duties()[1]).toEqual({ type: 'juryDuty', caseId: 7n, round: 0, duty: 'reveal', seats: 2, until: 1_700_000_200 })
    expect(duties()).toHaveLength(2)
  })

  it.each<[string, Partial<SeatRecord>, DisputeRecord['stage']]>([
    ['without a seat', { seats: 0 }, 'committing'],
    ['that has committed', { commitment: toTestHash('vote') }, 'committing'],
    ['that has nothing to reveal', {}, 'revealing'],
    ['that has revealed', { commitment: toTestHash('vote'), vote: 'valid' }, 'revealing'],
    ['in no window', {}, 'appealing'],
  ])('is left alone %s', async (_, first, stage) => {
    const { court, duties, look } = await createJuror(first)
    court.dispute = { ...dispute, stage }
    await look()
    expect(duties()).toEqual([])
  })

  it('is told after the RPC was down', async () => {
    const { rig, court, duties, look } = await createJuror()
    court.isDown = true
    await look()
    expect(duties()).toEqual([])
    court.isDown = false
    await rig.waitForEvent('juryDuty')
  })
})
