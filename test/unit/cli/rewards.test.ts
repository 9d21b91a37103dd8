import { describe, expect, it } from 'vitest'
import { publicParameters } from '../../../src/domain/networkParameters.ts'
import { chainTime, createFakeChain, createFakePorts, createNode, type FakeChain, operator, otherNode, owner, runMain } from '../../support/cli.ts'
import { runJson, runText } from '../../support/runCli.ts'

process.env['TZ'] = 'UTC'
const cai = 10n ** 18n
const day = 86_400

/** A miner of 30,000 CAI of bond and 10,000 of votes among 80,000 CAI of weight, and a stream of 0.01 CAI per second. */
function createEarner(ownerWei = 12n * cai): FakeChain {
  const fake = createFakeChain(
    {},
    {
      getRewards: async (node) => ({ node, ownerWei, drip: { waitingWei: 3n * cai, endsAt: chainTime + 7_200 } }),
      getStream: async () => ({ rateWei: cai / 100n, endsAt: chainTime + 3 * day, nextWei: 500n * cai, weightWei: 80_000n * cai }),
      getUndistributed: async () => 7n,
      getEarnings: async () =>
        [0, 1].map((epoch) => ({
          startsAt: chainTime - (2 - epoch) * 2 * day,
          ownerRewardsWei: 10n * cai + BigInt(epoch),
          votersRewardsWei: 3n * cai,
          ownerIncomeWei: cai / 3n,
          votersIncomeWei: 1n,
          claimedWei: epoch === 0 ? 0n : 10n * cai,
        })),
    },
  )
  fake.nodes.set(
    owner,
    createNode(owner, { bondWei: 30_000n * cai, votesWei: 10_000n * cai, voteShares: 10_000n * cai, weightWei: 40_000n * cai, voterShareBps: 2_000 }),
  )
  return fake
}

describe('rewards', () => {
  it('shows what can be claimed, the stream, yields with their assumption, and each epoch', async () => {
    expect(await runText(createEarner(), ['rewards'])).toMatchInlineSnapshot(`
      "Ada: miner
        claimable  12 CAI: \`cuckoo claim\`
        drip       3 CAI to its voters until 2026-01-01 02:00 (in 2 h)
        stream     864 CAI a day to all miners until 2026-01-04 00:00 (in 3 d)
                   500 CAI wait for the period after it
        its part   50.0 %, by weight
        pool       0.000000000000000007 CAI of slashes and penalties: \`cuckoo pour\`
        owner      126144 CAI a year, 420.48 % of the bond
        voters     31536 CAI a year, 315.36 % of the votes (their share: 20 %)
      Assumes today's rate (864 CAI a day to all miners), weights and shares for a
        year, though this period ends on 2026-01-04 00:00, in 3 d; without task
        income, slashes and compounding.

      epoch from        rewards   tasks  voters: rewards    tasks  claimed
      2025-12-30 00:00       10  0.3333                3  <0.0001       10
      2025-12-28 00:00       10  0.3333                3  <0.0001        0
      ~1.333333 CAI of what is claimable is newer than that: the next transaction of
        the node settles it
      exit 0"
    `)
  })

  it('yields are shares of the stream over a year, to the wei', async () => {
    const year = 31_536_000n
    const node = (year * (cai / 100n)) / 2n
    expect(await runJson(createEarner(), ['rewards'])).toMatchObject({
      claimableWei: String(12n * cai),
      poolWei: '7',
      yields: {
        owner: { stakeWei: String(30_000n * cai), yearlyWei: String((node * 8n) / 10n), bps: 42_048 },
        voters: { stakeWei: String(10_000n * cai), yearlyWei: String((node * 2n) / 10n), bps: 31_536 },
      },
      earnings: [{ ownerIncomeWei: String(cai / 3n) }, { claimedWei: String(10n * cai) }],
    })
  })

  it('counts nothing where no period runs, and says how to start one', async () => {
    const fake = createFakeChain()
    expect(await runText(fake, ['rewards', otherNode])).toMatchInlineSnapshot(`
      "Ada: miner
        claimable  0 CAI
        stream     nothing flows to the miners now
        pool       0 CAI of slashes and penalties
        owner      0 CAI a year, 0 % of the bond
        voters     0 CAI a year, 0 % of the votes (their share: 50 %)
      No reward period of the miners runs now, so the yield counts nothing; \`cuckoo
        fund miner <amount>\` starts one.

      Nothing earned so far.
      exit 0"
    `)
  })

  it('of a stranger is an error', async () => {
    const { code, stderr } = await runMain(['rewards', operator], { compose: createFakePorts(createFakeChain()) })
    expect([code, stderr.includes('CUCKOO_STAKING_NOT_REGISTERED')]).toEqual([10, true])
  })
})

describe('claim', () => {
  it('claims for the own node, and says where the money is', async () => {
    const fake = createEarner()
    expect(await runText(fake, ['claim'])).toMatchInlineSnapshot(`
      "Claimed 12 CAI: free now, for 0x1111111111111111111111111111111111111111.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'claim', input: { node: owner } }])
  })

  it('as an operator claims for the node that it runs', async () => {
    const fake = createEarner()
    const overrides = {
      getOwn: async () => ({ name: 'alice-op', address: operator }),
      getSigner: async () => ({ address: operator, sign: () => '0x' as const }),
    }
    Object.assign(fake.chain, { findOperator: async () => ({ node: owner, validUntil: 2n ** 63n }) })
    expect(await runJson(fake, ['claim'], overrides)).toMatchObject({ node: owner, from: operator, amountWei: String(12n * cai) })
  })

  it('with nothing to claim sends nothing', async () => {
    const fake = createEarner(0n)
    expect(await runText(fake, ['claim'])).toMatchInlineSnapshot(`
      "error: The node 0x1111111111111111111111111111111111111111 has nothing to claim. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: \`cuckoo rewards\` shows what it earns, and when.
      exit 10"
    `)
    expect(fake.sent).toEqual([])
  })
})

describe('fund and pour', () => {
  it('fund says from when the money flows, and asks', async () => {
    const fake = createEarner()
    expect(await runText(fake, ['fund', 'miner', '100'], { answers: ['n'] })).toContain('CUCKOO_CLI_ANSWERED_NO')
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['fund', 'miner', '100', '--yes'])).toMatchInlineSnapshot(`
      "Gave 100 CAI to the rewards of all miners.
      From 2026-01-04 00:00 (in 3 d) they share 600 CAI, evenly until 2026-01-11 00:00
        (in 10 d).
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'fund', input: { role: 'miner', amountWei: 100n * cai } }])
  })

  it('fund starts a period at once where none runs', async () => {
    const report = await runJson(createFakeChain(), ['fund', 'coordinator', '7', '--dry-run'])
    expect(report).toMatchObject({ startsAt: chainTime, endsAt: chainTime + publicParameters.rewardSeconds, flowsWei: String(7n * cai) })
  })

  it('fund refuses what is no role', async () => {
    expect(await runText(createFakeChain(), ['fund', 'pool', '5'])).toMatchInlineSnapshot(`
      "error: 'pool' (<miner|coordinator>) is not one of miner, coordinator. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo fund --help\` shows what it takes.
      exit 2"
    `)
  })

  it('pour halves the pool, an odd wei to the miners', async () => {
    expect(await runJson(createEarner(), ['pour'])).toMatchObject({ minersWei: '4', coordinatorsWei: '3' })
    expect(await runText(createFakeChain(), ['pour'])).toMatchInlineSnapshot(`
      "error: The reward pool is empty. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: \`cuckoo fund <miner|coordinator> <amount>\` gives to a stream directly.
      exit 10"
    `)
  })
})

describe('rest and rejoin', () => {
  const withNode = (fields: Parameters<typeof createNode>[1]) => {
    const fake = createFakeChain()
    fake.nodes.set(owner, createNode(owner, fields))
    return fake
  }

  it('rest goes away once', async () => {
    const fake = withNode({})
    expect(await runText(fake, ['node', 'rest'])).toMatchInlineSnapshot(`
      "0x1111111111111111111111111111111111111111 rests, inactive until \`cuckoo node
        rejoin\`.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'rest', input: { node: owner } }])
    expect(await runText(withNode({ away: true, active: false }), ['node', 'rest'])).toContain('is away already')
  })

  it('rejoin comes back after a rest, and after a jail', async () => {
    const fake = withNode({ away: true, active: false, jailedUntil: chainTime })
    expect(await runJson(fake, ['node', 'rejoin'])).toMatchObject({ node: owner, active: true })
    expect(fake.sent).toMatchObject([{ verb: 'rejoin' }])
  })

  it.each([
    [{ away: true, active: false, jailedUntil: chainTime + 3_600 }, 'is jailed until 2026-01-01 01:00 (in 1 h)'],
    [{ away: true, active: false, suspended: true }, 'is suspended'],
    [{}, 'is not away'],
  ])('rejoin refuses %j before it sends', async (fields, text) => {
    const fake = withNode(fields)
    expect(await runText(fake, ['node', 'rejoin'])).toContain(text)
    expect(fake.sent).toEqual([])
  })

  it('node show says why a node is not active, and what ends it', async () => {
    const fake = withNode({ role: 'coordinator', active: false, away: true, suspended: true, jailedUntil: chainTime + 60 })
    expect(await runText(fake, ['node', 'show'])).toMatchInlineSnapshot(`
      "Ada: coordinator, inactive
        node         0x1111111111111111111111111111111111111111
        operator     0x3333333333333333333333333333333333333333
        url          https://ada.example
        description  -
        bond         20000.000000000000000001 CAI
        votes        1000 CAI (at most 320000.000000000000000016 CAI count)
        weight       21000 CAI, 25.0 % of all active coordinators
        thawing      0 CAI of bond, 0 CAI of votes
        rewards      0 CAI, for the owner to claim
        voter share  50 % of the income
        registered   2025-12-31 23:43
        needs more than 2000000 CAI of bond: \`cuckoo bond <amount>\`
        suspended until it reveals its draw secret: \`cuckoo coordinator serve\` does at
          its start
        jailed until 2026-01-01 00:01 (in 1 min); from then on \`cuckoo node rejoin\`
      exit 0"
    `)
  })
})

describe('vote --dry-run', () => {
  it('previews exposure, the way out, the record, a drop of the share and the yield', async () => {
    const fake = createEarner()
    Object.assign(fake.chain, {
      findShareDrop: async () => ({ voterShareBps: 1_000, effectiveAt: chainTime + day }),
      getConvictions: async (node: typeof owner) => ({ node, step: 1, stepAt: chainTime - 30 * day, stepBps: 1_000, openDisputes: 2, frozenWei: cai }),
      getSlashes: async () => [{ bondWei: 3_000n * cai, thawingBondWei: 0n, votesWei: 100n * cai, at: chainTime - 30 * day }],
    })
    fake.account.freeWei = 40_000n * cai
    expect(await runText(fake, ['vote', owner, '40000', '--dry-run'])).toMatchInlineSnapshot(`
      "  exposure a slash of this node takes at most 2 % of the vote: 800 CAI
        leaving  takes 7 d: if asked now, until 2026-01-08 00:00 (in 7 d)
        record   slashed 1 time, 3100 CAI in all, last 2025-12-02 00:00, 1 conviction,
          2 open disputes
        share    20 % of the node's income, 10 % from 2026-01-02 00:00 (in 1 d)
        yield    33638.4 CAI a year, 84.09 % of 40000 CAI
      Assumes today's rate (864 CAI a day to all miners), weights and shares for a
        year, though this period ends on 2026-01-04 00:00, in 3 d; without task
        income, slashes and compounding.
      Would send 'vote' from 0x1111111111111111111111111111111111111111
        to 0x5555555555555555555555555555555555555555
        value 0 CAI, gas 50000, at most 0.00005 CAI for gas
      Nothing was sent.
      If this node loses a part of its bond to a slash, your votes lose a tenth of that part, 2 % at most. Leaving takes 7 d, in which a slash still counts.
      exit 0"
    `)
  })

  it('counts the own vote in: more weight, and more to share it with', async () => {
    // 80,000 of 120,000 CAI of weight, a fifth of that to voters, four fifths of which are this vote.
    const yearlyWei = (((((31_536_000n * (cai / 100n) * 80_000n) / 120_000n) * 2n) / 10n) * 4n) / 5n
    const { preview } = (await runJson(createEarner(), ['vote', owner, '40000', '--dry-run'])) as { preview: Record<string, unknown> }
    expect(preview).toMatchObject({
      yield: { yearlyWei: String(yearlyWei) },
      exposureWei: String(800n * cai),
      releaseAt: chainTime + 7 * day,
      convictions: 0,
      lastSlashAt: null,
    })
  })

  it('is not made without --dry-run', async () => {
    expect(await runJson(createEarner(), ['vote', owner, '5', '--yes'])).toMatchObject({ preview: null })
  })
})
