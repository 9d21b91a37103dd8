import { describe, expect, it } from 'vitest'
import type { Ports } from '../../../src/cli/ports.ts'
import type { Chain } from '../../../src/domain/chainPort.ts'
import type { Address } from '../../../src/domain/hex.ts'
import type { ClaimRecord, EscrowRecord, LineRecord } from '../../../src/domain/payments.ts'
import type { CoordinatorPayments } from '../../../src/domain/storePorts.ts'
import { signatureInvalid } from '../../../src/errors/payments.ts'
import { chainTime, createEscrow, createFakeChain, createLine, createNode, type FakeChain, operator, otherNode, owner } from '../../support/cli.ts'
import { runJson, runText } from '../../support/runCli.ts'

process.env['TZ'] = 'UTC'
const cai = 10n ** 18n
const day = 86_400
const third: Address = `0x${'44'.repeat(20)}`

function createClaim(id: bigint, fields: Partial<ClaimRecord> = {}): ClaimRecord {
  return {
    id,
    coordinator: owner,
    miner: otherNode,
    amountWei: 10n * cai,
    worthWei: 10n * cai,
    coverUntil: chainTime + day,
    releaseAt: chainTime + 5 * day,
    penalised: false,
    ...fields,
  }
}

/** The account's own coordinator with 2,100,000 CAI of bond. */
function createCoordinator(escrow: Partial<EscrowRecord>, reads: Partial<Chain> = {}): FakeChain {
  const fake = createFakeChain({}, { getEscrow: async (coordinator) => createEscrow(coordinator, escrow), ...reads })
  fake.nodes.set(owner, createNode(owner, { role: 'coordinator', bondWei: 2_100_000n * cai }))
  return fake
}

describe('escrow deposit', () => {
  it('pays into the own escrow, or into anybody’s', async () => {
    const fake = createCoordinator({ escrowWei: 5n * cai })
    fake.nodes.set(otherNode, createNode(otherNode, { role: 'coordinator' }))
    expect(await runText(fake, ['escrow', 'deposit', '7'])).toMatchInlineSnapshot(`
      "Added 7 CAI; the escrow of 0x1111111111111111111111111111111111111111 is 12 CAI.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(await runJson(fake, ['escrow', 'deposit', '1wei', '--coordinator', otherNode])).toMatchObject({ coordinator: otherNode, amountWei: '1' })
    expect(fake.sent.map(({ input }) => input)).toEqual([
      { coordinator: owner, amountWei: 7n * cai },
      { coordinator: otherNode, amountWei: 1n },
    ])
  })

  it('refuses a node that is no coordinator, and what is no amount, before it sends', async () => {
    const fake = createFakeChain()
    expect(await runText(fake, ['escrow', 'deposit', '7', '--coordinator', otherNode])).toContain('CUCKOO_CLI_COORDINATOR_NOT_REGISTERED')
    expect(await runText(fake, ['escrow', 'deposit', '7K'])).toContain('CUCKOO_AMOUNT_INVALID')
    expect(fake.sent).toEqual([])
  })
})

describe('escrow withdraw', () => {
  it('with an amount asks back, and says what is next', async () => {
    const fake = createCoordinator({ escrowWei: 100n * cai, openWei: 20n * cai })
    expect(await runText(fake, ['escrow', 'withdraw', '40'])).toMatchInlineSnapshot(`
      "Asked 40 CAI back. 40 CAI thaws until 2026-01-08 00:00 (in 7 d).
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      Next: \`cuckoo escrow withdraw\` after that takes out what vouchers have left of
        it.
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'requestEscrow', input: { amountWei: 40n * cai } }])
  })

  it('all asks back what lines leave', async () => {
    // 100 CAI of escrow and 1,050,000 of half the bond stand for lines of 1,050,030.
    const fake = createCoordinator({ escrowWei: 100n * cai, openWei: 1_050_030n * cai })
    expect(await runJson(fake, ['escrow', 'withdraw', 'all'])).toMatchObject({ taken: null, asked: { amountWei: String(70n * cai) } })
    expect(await runText(fake, ['escrow', 'withdraw', '70.000000000000000001'])).toMatchInlineSnapshot(`
      "error: Of the escrow of 100 CAI, 70 CAI can be asked back: 0 CAI is asked back already, and lines of 1050030 CAI need the rest, with half the bond. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: Lower lines with \`cuckoo escrow notice <miner> <cap>\`; \`cuckoo escrow lines\` lists them.
      exit 10"
    `)
    expect(fake.sent).toHaveLength(1)
  })

  it('without an amount takes out what has thawed, less what vouchers took of it', async () => {
    const fake = createCoordinator({ escrowWei: 30n * cai, thawingWei: 40n * cai, releaseAt: chainTime })
    expect(await runText(fake, ['escrow', 'withdraw', '--to', third])).toMatchInlineSnapshot(`
      "Took 30 CAI of escrow out, to 0x4444444444444444444444444444444444444444.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'withdrawEscrow', input: { to: third } }])
  })

  it('with an amount takes out what has thawed first: asking would start its thaw anew', async () => {
    const fake = createCoordinator({ escrowWei: 100n * cai, thawingWei: 40n * cai, releaseAt: chainTime - 1 })
    const { taken, asked } = await runJson(fake, ['escrow', 'withdraw', 'all'])
    expect([taken, asked]).toMatchObject([
      { amountWei: String(40n * cai), recipient: owner },
      { amountWei: String(60n * cai), thawingWei: String(60n * cai), releaseAt: chainTime + 7 * day },
    ])
    expect(fake.sent.map(({ verb }) => verb)).toEqual(['withdrawEscrow', 'requestEscrow'])
  })

  it('asks before a thaw under way starts anew', async () => {
    const fake = createCoordinator({ escrowWei: 100n * cai, thawingWei: 40n * cai, releaseAt: chainTime + 5 })
    expect(await runText(fake, ['escrow', 'withdraw', '1'])).toMatchInlineSnapshot(`
      "error: There is no terminal to ask on: 40 CAI asked back before will thaw anew, for 7 d. Go on? (CUCKOO_CLI_TERMINAL_REQUIRED)
      hint: Give --yes (or CUCKOO_YES=true) to answer it beforehand.
      exit 2"
    `)
    expect(fake.sent).toEqual([])
    expect(await runJson(fake, ['escrow', 'withdraw', '1', '--yes'])).toMatchObject({ asked: { thawingWei: String(41n * cai) } })
  })

  it('with nothing to take says what is missing', async () => {
    const thawing = createCoordinator({ escrowWei: 100n * cai, thawingWei: 40n * cai, releaseAt: chainTime + 2 * day })
    expect(await runText(thawing, ['escrow', 'withdraw'])).toMatchInlineSnapshot(`
      "error: Nothing can be taken out yet: 40 CAI thaws until 2026-01-03 00:00 (in 2 d). (CUCKOO_CLI_NOTHING_TO_DO)
      hint: Try again then.
      exit 10"
    `)
    expect(await runText(createCoordinator({ escrowWei: cai }), ['escrow', 'withdraw'])).toMatchInlineSnapshot(`
      "error: Nothing is asked back. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: Ask first: \`cuckoo escrow withdraw <amount|all>\`.
      exit 10"
    `)
    expect(await runText(createCoordinator({}), ['escrow', 'withdraw', 'all'])).toContain('There is no escrow to ask back')
  })
})

describe('lines', () => {
  const lines: LineRecord[] = [
    createLine(owner, otherNode, { capWei: 50n * cai, redeemedWei: 20n * cai, lineWei: 30n * cai }),
    createLine(owner, third, { capWei: 9n * cai, redeemedWei: 2n * cai, lineWei: 7n * cai, notice: { capWei: 5n * cai, at: chainTime + day } }),
  ]
  const withLines = (escrow: Partial<EscrowRecord> = { escrowWei: 40n * cai, openWei: 37n * cai }) =>
    createCoordinator(escrow, {
      getLines: async () => lines,
      getLine: async (coordinator, miner) => lines.find((line) => line.miner === miner) ?? createLine(coordinator, miner),
    })

  it('are listed with what is open, redeemed and noticed', async () => {
    expect(await runText(withLines(), ['escrow', 'lines'])).toMatchInlineSnapshot(`
      "line of      open  redeemed  cap  notice
      0x2222…2222    30        20   50
      0x4444…4444     7         2    9  5 from 2026-01-02 00:00 (in 1 d)
      Open: 37 CAI. Lines may rise by 1050003 CAI more.
      exit 0"
    `)
    expect(await runJson(withLines(), ['escrow', 'lines', 'alice'])).toMatchObject({ spareWei: String(1_050_003n * cai), lines: [{ miner: otherNode }, {}] })
  })

  it('raise adds to a line', async () => {
    const fake = withLines()
    expect(await runText(fake, ['escrow', 'raise', otherNode, '5'])).toMatchInlineSnapshot(`
      "0x2222222222222222222222222222222222222222 can redeem 35 CAI now, 5 CAI more
        than before.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'raiseLines', input: { coordinator: owner, lines: [{ miner: otherNode, addedWei: 5n * cai }] } }])
  })

  it('an operator commits escrow alone, the owner half the bond too', async () => {
    const fake = withLines()
    Object.assign(fake.chain, { findOperator: async () => ({ node: owner, validUntil: 2n ** 63n }) })
    const asOperator: Partial<Ports> = {
      getOwn: async () => ({ name: 'op', address: operator }),
      getSigner: async () => ({ address: operator, sign: () => '0x' as const }),
    }
    expect(await runText(fake, ['escrow', 'raise', otherNode, '3.5'], { overrides: asOperator })).toMatchInlineSnapshot(`
      "error: Lines of 37 CAI may rise by 3 CAI, not 3.5 CAI: there is 40 CAI of escrow, and an operator may not commit the bond. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: Add escrow: \`cuckoo escrow deposit <amount>\`, or use the owner's account.
      exit 10"
    `)
    expect(fake.sent).toEqual([])
    expect(await runJson(fake, ['escrow', 'raise', otherNode, '3'], asOperator)).toMatchObject({ lineWei: String(33n * cai) })
    expect(await runJson(fake, ['escrow', 'raise', otherNode, '1050003'])).toMatchObject({ from: owner })
    expect(await runText(fake, ['escrow', 'raise', otherNode, '1050003.1'])).toContain('may rise by 1050003 CAI, not 1050003.1 CAI')
  })

  it('notice lowers a cap one thaw later, and says what is next', async () => {
    const fake = withLines()
    expect(await runText(fake, ['escrow', 'notice', otherNode, '20'])).toMatchInlineSnapshot(`
      "Gave notice to 0x2222222222222222222222222222222222222222: 20 CAI in all from
        2026-01-08 00:00 (in 7 d).
      Next: \`cuckoo escrow notice 0x2222222222222222222222222222222222222222\` after
        that frees what the line binds.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'noticeLine', input: { coordinator: owner, miner: otherNode, capWei: 20n * cai } }])
  })

  it.each(['19.9', '50', '51'])('notice refuses a cap of %s CAI', async (cap) => {
    const fake = withLines()
    expect(await runText(fake, ['escrow', 'notice', otherNode, cap])).toContain('can sink from 50 CAI to 20 CAI, which is redeemed')
    expect(fake.sent).toEqual([])
  })

  it('notice without a cap carries out one that is over', async () => {
    const fake = withLines()
    expect(await runText(fake, ['escrow', 'notice', otherNode])).toContain('There is no notice')
    expect(await runText(fake, ['escrow', 'notice', third])).toContain('is over on 2026-01-02 00:00 (in 1 d)')
    Object.assign(fake.chain, {
      getBlocks: async () => ({ latest: { number: 9n, timestamp: chainTime + day }, finalized: { number: 9n, timestamp: chainTime } }),
    })
    expect(await runJson(fake, ['escrow', 'notice', third])).toMatchObject({ applied: true, capWei: String(5n * cai) })
    expect(fake.sent).toMatchObject([{ verb: 'applyNotice', input: { coordinator: owner, miner: third } }])
  })
})

describe('claims on the bond', () => {
  const claims = [
    createClaim(1n, { penalised: true, coverUntil: chainTime - 2 * day, releaseAt: chainTime + 2 * day }),
    createClaim(2n, { coverUntil: chainTime - 1, releaseAt: chainTime + 3 * day, worthWei: 9n * cai }),
    createClaim(3n, { amountWei: 4n * cai, worthWei: 4n * cai, miner: third }),
    createClaim(4n, { penalised: true, releaseAt: chainTime }),
  ]

  it('escrow show lists them with what to do, the most urgent first', async () => {
    const escrow = {
      escrowWei: 12n * cai,
      thawingWei: 2n * cai,
      releaseAt: chainTime + day,
      openWei: 5n * cai,
      claimsWei: 34n * cai,
      requiredBondWei: 3n * cai,
    }
    const fake = createCoordinator(escrow, {
      getClaims: async () => claims,
      getLines: async () => [createLine(owner, third, { capWei: 5n * cai, lineWei: 5n * cai })],
    })
    expect(await runText(fake, ['escrow', 'show'])).toMatchInlineSnapshot(`
      "0x1111111111111111111111111111111111111111
        escrow   12 CAI
        free     10 CAI not asked back
        thawing  2 CAI asked back, until 2026-01-02 00:00 (in 1 d)
        lines    5 CAI open, 1050003.5 CAI more possible
        claims   34 CAI on the bond
        bond     2100000 CAI, of which 3 CAI must stay

      line of      open  redeemed  cap  notice
      0x4444…4444     5         0    5

      claim 2 of 0x2222…2222: 10 CAI (worth 9 CAI after a slash)
        10 % penalty is due; \`cuckoo escrow cover\` until 2026-01-04 00:00 (in 3 d),
          then the bond pays
      claim 3 of 0x4444…4444: 4 CAI
        \`cuckoo escrow cover\` until 2026-01-02 00:00 (in 1 d), then 10 % is lost
      claim 1 of 0x2222…2222: 10 CAI
        10 % penalty is lost; \`cuckoo escrow cover\` until 2026-01-03 00:00 (in 2 d),
          then the bond pays
      claim 4 of 0x2222…2222: 10 CAI
        the miner can collect it from the bond now
      exit 0"
    `)
    expect(await runJson(fake, ['escrow', 'show'])).toMatchObject({ requiredBondWei: String(3n * cai), claims: [{ id: '1' }, {}, {}, {}] })
  })

  it('escrow show of one that has left still shows what is to be taken back', async () => {
    const fake = createFakeChain({}, { getEscrow: async (coordinator) => createEscrow(coordinator, { escrowWei: cai }) })
    expect(await runJson(fake, ['escrow', 'show', owner])).toMatchObject({ escrowWei: String(cai), bondWei: '0' })
    expect(await runText(createFakeChain(), ['escrow', 'show', owner])).toContain('CUCKOO_CLI_COORDINATOR_NOT_REGISTERED')
  })

  it('escrow cover pays the most urgent that fit, and says what the others need', async () => {
    const fake = createCoordinator({ escrowWei: 15n * cai }, { getClaims: async () => claims })
    expect(await runText(fake, ['escrow', 'cover'])).toMatchInlineSnapshot(`
      "Covered 2 claims with 14 CAI of escrow.
      They were late: 1 CAI of the bond went to the reward pool.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      warning: 2 of 4 claims stay open: \`cuckoo escrow deposit <amount>\` with 19 CAI more covers all.
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'coverClaims', input: { claimIds: [2n, 3n] } }])
  })

  it('escrow cover sends nothing that escrow cannot pay', async () => {
    const fake = createCoordinator({ escrowWei: 3n * cai }, { getClaims: async () => claims })
    expect(await runText(fake, ['escrow', 'cover'])).toMatchInlineSnapshot(`
      "error: The escrow of 3 CAI covers none of 4 open claims. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: \`cuckoo escrow deposit <amount>\` with 31 CAI more covers all.
      exit 10"
    `)
    expect(await runText(createCoordinator({}), ['escrow', 'cover'])).toContain('There are no claims')
    expect(fake.sent).toEqual([])
  })
})

describe('vouchers', () => {
  const signature = `0x${'ab'.repeat(65)}` as const
  const hold = (coordinator: Address, owedWei: bigint, cumulativeWei: bigint | null): CoordinatorPayments => ({
    coordinator,
    owedWei,
    results: 31,
    unpaidResults: 1,
    voucher: cumulativeWei === null ? null : { voucher: { coordinator, miner: owner, cumulativeWei, issuedAt: BigInt(chainTime - 60) }, signature },
    paymentRecord: 1,
  })
  const payments = [hold(otherNode, 25n * cai, 24n * cai), hold(third, 3n * cai, 3n * cai), hold(operator, cai, null)]
  const lines = [
    createLine(otherNode, owner, { capWei: 20n * cai, redeemedWei: 5n * cai, lineWei: 15n * cai, notice: { capWei: 10n * cai, at: chainTime + day } }),
    createLine(third, owner, { capWei: 5n * cai, redeemedWei: 3n * cai, lineWei: 2n * cai }),
  ]
  const claims = [
    createClaim(7n, { coordinator: otherNode, miner: owner, releaseAt: chainTime }),
    createClaim(8n, { coordinator: third, miner: owner, worthWei: cai }),
  ]
  const holding: Partial<Ports> = { readPayments: async () => payments }
  const createMiner = (reads: Partial<Chain> = {}) => {
    const preview = async (coordinator: Address) => (coordinator === otherNode ? { paidWei: 11n * cai, claimedWei: 4n * cai } : { paidWei: 0n, claimedWei: 0n })
    const fake = createFakeChain({}, { getLines: async () => lines, getClaims: async () => claims, previewRedeem: preview, ...reads })
    fake.nodes.set(owner, createNode(owner))
    return fake
  }

  it('list shows what is held, what the line takes, and what redeeming would do', async () => {
    expect(await runText(createMiner(), ['vouchers', 'list'], { overrides: holding })).toMatchInlineSnapshot(`
      "0x2222…2222 Ada
        owed      25 CAI for 31 results, 1 CAI of it in no voucher yet
        voucher   24 CAI, signed 2025-12-31 23:59
        redeemed  5 CAI of at most 20 CAI
        line      15 CAI, less from 2026-01-02 00:00 (in 1 d): redeem before
                  4 CAI of the voucher is over it and waits for a higher line
        now       11 CAI would be paid at once
                  4 CAI would become a claim on its bond

      0x4444…4444
        owed      3 CAI for 31 results
        voucher   3 CAI, signed 2025-12-31 23:59
        redeemed  3 CAI of at most 5 CAI
        line      2 CAI

      0x3333…3333
        owed      1 CAI for 31 results, 1 CAI of it in no voucher yet
        voucher   none yet
        redeemed  0 CAI of at most 0 CAI
        line      0 CAI

      claim 7 on 0x2222…2222: 10 CAI; \`cuckoo vouchers collect\` now
      claim 8 on 0x4444…4444: 10 CAI, worth 1 CAI after a slash; paid on 2026-01-06
        00:00 (in 5 d) or when it is covered
      \`cuckoo vouchers redeem\` pays 11 CAI now and claims 4 CAI.
      exit 0"
    `)
    expect(await runJson(createMiner(), ['vouchers', 'list'], holding)).toMatchObject({
      paidWei: String(11n * cai),
      claimedWei: String(4n * cai),
      holdings: [{ overLineWei: String(4n * cai), unsignedWei: String(cai) }, { paidWei: '0' }, { voucher: null, capWei: '0' }],
    })
  })

  it('list of a miner that never ran here says so', async () => {
    const fake = createMiner({ getLines: async () => [], getClaims: async () => [] })
    expect(await runText(fake, ['vouchers', 'list'], { overrides: { readPayments: async () => [] } })).toContain('holds no vouchers here')
  })

  it('redeem sends those that pay in one batch, and says what waits', async () => {
    const fake = createMiner()
    expect(await runText(fake, ['vouchers', 'redeem'], { overrides: holding })).toMatchInlineSnapshot(`
      "0x2222…2222: 11 CAI is paid at once, 4 CAI is claimed on its bond
      What is claimed waits until 2026-01-08 00:00 (in 7 d); then \`cuckoo vouchers
        collect\`.
      \`cuckoo claim\` moves the owner's part to free.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toEqual([{ verb: 'redeem', input: { vouchers: [payments[0]?.voucher] }, options: expect.anything() }])
  })

  it('redeem leaves out a voucher whose key no longer counts, and goes on with the others', async () => {
    const fake = createMiner({ previewRedeem: async () => ({ paidWei: cai, claimedWei: 0n }), getLines: async () => [] })
    const { redeem } = fake.chain
    Object.assign(fake.chain, {
      redeem: async (...[signer, { vouchers }, tx]: Parameters<Chain['redeem']>) => {
        if (vouchers.some(({ voucher }) => voucher.coordinator === otherNode)) throw signatureInvalid({ signer: operator, node: otherNode })
        return redeem(signer, { vouchers }, tx)
      },
    })
    expect(await runText(fake, ['vouchers', 'redeem'], { overrides: holding })).toMatch(
      /0x4444…4444: 1 CAI is paid[\s\S]*warning: the voucher of 0x2222[\s\S]*exit 0/,
    )
    expect(fake.sent).toMatchObject([{ input: { vouchers: [{ voucher: { coordinator: third } }] } }])
    const only = await runText(fake, ['vouchers', 'redeem', '--coordinator', otherNode], { overrides: holding })
    expect(only).toContain('CUCKOO_PAYMENTS_SIGNATURE_INVALID')
  })

  it('redeem of one coordinator only, and of nothing', async () => {
    const fake = createMiner()
    expect(await runText(fake, ['vouchers', 'redeem', '--coordinator', third], { overrides: holding })).toMatchInlineSnapshot(`
      "error: No voucher of 0x1111111111111111111111111111111111111111 on this machine pays anything now. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: \`cuckoo vouchers list\` shows what it holds, and each line.
      exit 10"
    `)
    expect(fake.sent).toEqual([])
    expect(await runJson(fake, ['vouchers', 'redeem', '--coordinator', third, '--coordinator', otherNode, '--dry-run'], holding)).toMatchObject({
      dryRun: true,
      releaseAt: chainTime + 7 * day,
      redeemed: [{ coordinator: otherNode }],
    })
  })

  it('collect takes each claim that is due', async () => {
    const fake = createMiner()
    expect(await runText(fake, ['vouchers', 'collect'])).toMatchInlineSnapshot(`
      "Claim 7: the bond of 0x2222…2222 paid 10 CAI of 10 CAI.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'collectClaim', input: { claimId: 7n } }])
    expect(await runText(createMiner({ getClaims: async () => [claims[1] as ClaimRecord] }), ['vouchers', 'collect'])).toMatchInlineSnapshot(`
      "error: No claim of 0x1111111111111111111111111111111111111111 can be collected now. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: The next one can be on 2026-01-06 00:00 (in 5 d).
      exit 10"
    `)
  })
})
