import { describe, expect, it } from 'vitest'
import type { Chain } from '../../../src/domain/chainPort.ts'
import type { DisputeRecord, RoundRecord, SlashRecord } from '../../../src/domain/dispute.ts'
import type { Address } from '../../../src/domain/hex.ts'
import { exitFrozen } from '../../../src/errors/staking.ts'
import { chainTime, createEscrow, createFakeChain, createNode, operator, otherNode, owner } from '../../support/cli.ts'
import { runJson, runText } from '../../support/runCli.ts'

process.env['TZ'] = 'UTC'
const cai = 10n ** 18n
const day = 86_400
const third: Address = `0x${'44'.repeat(20)}`
/** as the contract makes it: node << 96 | kind << 64 | releaseAt */
const thawId = (node: Address, kind: 0n | 1n, releaseAt: number) => (BigInt(node) << 96n) | (kind << 64n) | BigInt(releaseAt)

function createDispute(caseId: bigint, fields: Partial<DisputeRecord>): DisputeRecord {
  return {
    caseId,
    accused: owner,
    challenger: third,
    issuedAt: chainTime - day,
    stage: 'committing',
    round: 0,
    baseWei: 30_000n * cai,
    feeWei: 5n * cai,
    verdict: 'none',
    ...fields,
  }
}

const round = { round: 0, commitEndsAt: chainTime + 3_600, revealEndsAt: chainTime + 7_200, appealEndsAt: null } as RoundRecord

function createSlash(node: Address, fields: Partial<SlashRecord>): SlashRecord {
  return {
    node,
    caseId: 4n,
    bondWei: 3_000n * cai,
    thawingBondWei: 0n,
    votesWei: 0n,
    at: chainTime - 5 * day,
    blockNumber: 3n,
    transaction: `0x${'cd'.repeat(32)}`,
    reason: 'a jury found the output of task 0xabab…abab false',
    evidence: [`0x${'ab'.repeat(32)}`],
    ...fields,
  }
}

/** Everything that can be there at once: a jailed miner that once coordinated nothing, votes, thaws, claims, the court's money. */
function createFullAccount() {
  const node = createNode(owner, { active: false, away: true, jailedUntil: chainTime + 2 * day, bondWei: 30_000n * cai })
  const bondExit = { id: thawId(owner, 0n, chainTime + 601_260), node: owner, kind: 'bond' as const, amountWei: 300n * cai, releaseAt: chainTime + 601_260 }
  const votesExit = { id: thawId(otherNode, 1n, chainTime - 5), node: otherNode, kind: 'votes' as const, amountWei: 100n * cai, releaseAt: chainTime - 5 }
  const account = {
    freeWei: 700n * cai,
    bondWei: 30_000n * cai,
    rewardsWei: cai / 2n,
    votes: [{ node: otherNode, shares: 5n, amountWei: 899n * cai }],
    thaws: [bondExit, votesExit],
    node,
    credits: { creditWei: 5n * cai, cuts: [{ caseId: 9n, amountWei: 250n * cai, releaseAt: chainTime + 3 * day }] },
  }
  const claim = {
    id: 7n,
    coordinator: otherNode,
    miner: owner,
    amountWei: 10n * cai,
    worthWei: 9n * cai,
    coverUntil: chainTime,
    releaseAt: chainTime + 4 * day,
    penalised: false,
  }
  const slashes = {
    [owner]: [createSlash(owner, { thawingBondWei: 30n * cai })],
    [otherNode]: [createSlash(otherNode, { caseId: 2n, votesWei: cai, at: chainTime - 9 * day, reason: 'two results of one assignment', evidence: [] })],
  }
  return createFakeChain(account, {
    getClaims: async (party) => ('miner' in party ? [claim] : []),
    getConvictions: async (address) => ({ node: address, step: 1, stepAt: chainTime - 5 * day, stepBps: 1_000, openDisputes: 1, frozenWei: 3_000n * cai }),
    listOpenDisputes: async () => [
      createDispute(12n, {}),
      createDispute(11n, { accused: third, challenger: owner, stage: 'sealing', round: 1 }),
      createDispute(10n, { accused: third, challenger: operator }),
    ],
    getRounds: async (caseId) => (caseId === 12n ? [round] : [round, { ...round, round: 1, commitEndsAt: null }]),
    getSlashes: async (address) => slashes[address] ?? [],
    getEarnings: async () => [
      { startsAt: chainTime - 2 * day, ownerRewardsWei: cai, votersRewardsWei: cai, ownerIncomeWei: cai, votersIncomeWei: cai, claimedWei: 0n },
    ],
  })
}

describe('status', () => {
  it('shows every bucket, release, dispute and slash, and how the node stands', async () => {
    expect(await runText(createFullAccount(), ['status'])).toMatchInlineSnapshot(`
      "0x1111111111111111111111111111111111111111 on fakenet, block 7

      bucket           amount  what it is
      wallet          100 CAI  outside the contracts
      free            700 CAI  no weight, no risk
      bond          30000 CAI  the own node's, at risk
      votes           899 CAI  for nodes, at risk
      thawing         300 CAI  on its way out, still at risk
      rewards         0.5 CAI  earned by the own node, not yet claimed
      claims            9 CAI  on coordinators' bonds, for vouchers
      court           255 CAI  pay, returned bonds, parts of slashes
      withdrawable    800 CAI  free and released

      votes for    name   amount  node
      0x2222…2222  Ada   899 CAI  active

      released                        CAI  what               command
      now                             0.5  rewards            claim
      now                               5  at the court       jury collect
      now                             100  votes 0x2222…2222  withdraw
      2026-01-04 00:00 (in 3 d)       250  part of a slash    jury collect
      2026-01-05 00:00 (in 4 d)         9  claim 0x2222…2222  vouchers collect
      2026-01-07 23:01 (in 6 d 23 h)  300  bond               withdraw

      miner Ada, inactive
        jailed until 2026-01-03 00:00 (in 2 d); from then on \`cuckoo node rejoin\`
        weight 21000 CAI, 25.0 % of all active miners
        bond 30000 CAI, votes 1000 CAI, operator 0x3333…3333
        convicted 1 time, last 2025-12-27 00:00
        open disputes could take 3000 CAI: that much of the bond cannot leave
          meanwhile

      open disputes
      case 12 against this node, by 0x4444…4444: \`cuckoo jury status 12\`
        round 1, committing until 2026-01-01 01:00 (in 1 h)
      case 11 by this account, against 0x4444…4444: \`cuckoo jury status 11\`
        round 2, sealing

      slashes
      2025-12-23 00:00 0x2222…2222 lost 3000 CAI of bond, 1 CAI of votes
        case 2: two results of one assignment
      2025-12-27 00:00 this node lost 3000 CAI of bond, 30 CAI of thawing bond
        case 4: a jury found the output of task 0xabab…abab false
        evidence 0xabababababababababababababababababababababababababababababababab

      epoch from        rewards  tasks  voters: rewards  tasks  claimed
      2025-12-30 00:00        1      1                1      1        0
      exit 0"
    `)
  })

  it('in JSON has ids as decimal strings, and releases in the order of their time', async () => {
    const value = await runJson(createFullAccount(), ['status', 'alice'])
    expect(value).toMatchObject({
      withdrawableWei: String(800n * cai),
      thaws: [
        { id: String(thawId(owner, 0n, chainTime + 601_260)), released: false },
        { id: String(thawId(otherNode, 1n, chainTime - 5)), released: true },
      ],
      disputes: [
        { caseId: '12', stageEndsAt: chainTime + 3_600 },
        { caseId: '11', stageEndsAt: null },
      ],
      slashes: [{ node: otherNode }, { node: owner, transaction: `0x${'cd'.repeat(32)}` }],
      escrow: null,
    })
    const releases = value['releases'] as { what: string; command: string; released: boolean }[]
    expect(releases.map(({ what, command, released }) => [what, command, released])).toEqual([
      ['rewards', 'claim', true],
      ['credit', 'jury collect', true],
      ['votes', 'withdraw', true],
      ['cut', 'jury collect', false],
      ['claim', 'vouchers collect', false],
      ['bond', 'withdraw', false],
    ])
  })

  it('of a coordinator has its escrow, and claims on its bond with what to do', async () => {
    const claim = {
      id: 3n,
      coordinator: owner,
      miner: otherNode,
      amountWei: 4n * cai,
      worthWei: 4n * cai,
      coverUntil: chainTime + day,
      releaseAt: chainTime + 5 * day,
      penalised: false,
    }
    const fake = createFakeChain(
      { node: createNode(owner, { role: 'coordinator', active: false, suspended: true, bondWei: 2_100_000n * cai }), bondWei: 2_100_000n * cai },
      {
        getEscrow: async (coordinator) =>
          createEscrow(coordinator, { escrowWei: 60n * cai, thawingWei: 10n * cai, releaseAt: chainTime + day, openWei: 50n * cai, claimsWei: 4n * cai }),
        getClaims: async (party) => ('coordinator' in party ? [claim] : []),
      },
    )
    expect(await runText(fake, ['status'])).toMatchInlineSnapshot(`
      "0x1111111111111111111111111111111111111111 on fakenet, block 7

      bucket             amount  what it is
      wallet            100 CAI  outside the contracts
      free                0 CAI  no weight, no risk
      bond          2100000 CAI  the own node's, at risk
      votes               0 CAI  for nodes, at risk
      thawing             0 CAI  on its way out, still at risk
      rewards             0 CAI  earned by the own node, not yet claimed
      escrow             60 CAI  for vouchers; lines of 50 CAI are open
      withdrawable        0 CAI  free and released

      released                   CAI  what    command
      2026-01-02 00:00 (in 1 d)   10  escrow  escrow withdraw

      coordinator Ada, inactive
        suspended until it reveals its draw secret: \`cuckoo coordinator serve\` does at
          its start
        weight 21000 CAI, 25.0 % of all active coordinators
        bond 2100000 CAI, votes 1000 CAI, operator 0x3333…3333

      claims on the own bond
      claim 3 of 0x2222…2222: 4 CAI
        \`cuckoo escrow cover\` until 2026-01-02 00:00 (in 1 d), then 10 % is lost
      exit 0"
    `)
  })

  it('of a plain account asks nothing that only nodes have', async () => {
    const refuse = () => Promise.reject(new Error('not for this account'))
    const reads: Partial<Chain> = {
      getEscrow: refuse,
      getClaims: refuse,
      getConvictions: refuse,
      getEarnings: refuse,
      getSlashes: refuse,
      getTotalWeight: refuse,
    }
    expect(await runJson(createFakeChain({}, reads), ['status'])).toMatchObject({ releases: [], disputes: [], escrow: null, convictions: null })
  })
})

describe('withdraw', () => {
  const exit = (releaseAt: number, kind: 'bond' | 'votes' = 'bond') => ({
    id: thawId(owner, kind === 'bond' ? 0n : 1n, releaseAt),
    node: owner,
    kind,
    amountWei: 10n * cai,
    releaseAt,
  })

  it('goes around an exit that open disputes hold, and says until when', async () => {
    const [held, loose] = [exit(chainTime - 2), exit(chainTime - 1, 'votes')]
    const fake = createFakeChain({ thaws: [held, loose] })
    const { withdraw } = fake.chain
    Object.assign(fake.chain, {
      withdraw: async (...[signer, input, tx]: Parameters<Chain['withdraw']>) => {
        if (input.thawIds.includes(held.id)) throw exitFrozen({ id: held.id, until: chainTime + day })
        return withdraw(signer, input, tx)
      },
    })
    expect(await runText(fake, ['withdraw'])).toMatchInlineSnapshot(`
      "Withdrew 10 CAI to 0x1111111111111111111111111111111111111111.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      warning: open disputes hold 10 CAI of bond until 2026-01-02 00:00: it stays for now
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ input: { thawIds: [loose.id], freeWei: 'all' } }])
    expect(await runText(fake, ['withdraw', '11'])).toContain('CUCKOO_STAKING_EXIT_FROZEN')
    fake.account.thaws = [held]
    expect(await runText(fake, ['withdraw'])).toContain('CUCKOO_STAKING_EXIT_FROZEN')
    expect(fake.sent).toHaveLength(1)
  })

  it('says what a freeze kept of an exit', async () => {
    const fake = createFakeChain({ thaws: [exit(chainTime - 2)] })
    const { withdraw } = fake.chain
    Object.assign(fake.chain, {
      withdraw: async (...args: Parameters<Chain['withdraw']>) => {
        fake.account.thaws = [{ ...exit(chainTime - 2), amountWei: 4n * cai }]
        return withdraw(...args)
      },
    })
    expect(await runText(fake, ['withdraw'])).toMatch(/Withdrew 6 CAI[\s\S]*warning: open disputes hold 4 CAI of bond/)
  })
})
