import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { commandEntries } from '../../../src/cli/commands/index.ts'
import { chainTime, createFakeChain, createFakePorts, createNode, operator, otherNode, owner, runMain, staking } from '../../support/cli.ts'
import { runJson, runText } from '../../support/runCli.ts'

const cai = 10n ** 18n
const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-commands-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('money', () => {
  it('stake sends the amount, to the wei', async () => {
    const fake = createFakeChain()
    const report = await runJson(fake, ['stake', '3.000000000000000001'])
    expect(report).toMatchObject({ action: 'stake', amountWei: '3000000000000000001', dryRun: false, gas: '50000', from: owner })
    expect(fake.sent).toMatchObject([{ verb: 'stake', input: { amountWei: 3_000_000_000_000_000_001n } }])
  })

  it('stake all leaves twice the gas in the wallet', async () => {
    const fake = createFakeChain({ walletWei: cai })
    await runJson(fake, ['stake', 'all'])
    expect(fake.sent.at(-1)?.input).toEqual({ amountWei: cai - 2n * 50_000n * 10n ** 9n })
  })

  it.each([
    { flags: [], timeoutMs: 120_000 },
    { flags: ['--wait-finality'], timeoutMs: undefined },
    { flags: ['--wait-finality', '--timeout', '5m'], timeoutMs: 300_000 },
  ])('with $flags the chain waits at most $timeoutMs ms', async ({ flags, timeoutMs }) => {
    const fake = createFakeChain()
    await runJson(fake, ['stake', '5', ...flags])
    expect(fake.sent[0]?.options?.timeoutMs).toBe(timeoutMs)
  })

  it('--dry-run reaches the chain and says that nothing was sent', async () => {
    const fake = createFakeChain()
    expect(await runText(fake, ['stake', '5', '--dry-run'])).toMatchInlineSnapshot(`
      "Would send 'stake' from 0x1111111111111111111111111111111111111111
        to 0x5555555555555555555555555555555555555555
        value 5 CAI, gas 50000, at most 0.00005 CAI for gas
      Nothing was sent.
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ options: { dryRun: true } }])
  })

  it('refuses more than is there before it sends, and says where more comes from', async () => {
    const fake = createFakeChain({
      freeWei: 5n * cai,
      votes: [{ node: otherNode, name: 'Ada', amountWei: 3n * cai, shares: 3n * cai, active: true }] as never,
      thaws: [{ id: 1n, node: otherNode, kind: 'votes', amountWei: cai, releaseAt: chainTime + 3_600 }],
    })
    expect(await runText(fake, ['withdraw', '6'])).toMatch(/Only 5 CAI can be withdrawn now, not 6 CAI.*\n.*The next thaw is over on .*in 1 h/)
    expect(await runText(fake, ['unvote', otherNode, '4'])).toMatch(/has 3 CAI of votes for 0x22+, not 4 CAI.*\n.*`cuckoo unvote <node> all`/)
    expect(fake.sent).toEqual([])
  })

  it('withdraw takes free money and matured thaws only', async () => {
    const thaw = (id: bigint, releaseAt: number) => ({ id, node: otherNode, kind: 'votes' as const, amountWei: 10n * cai, releaseAt })
    const fake = createFakeChain({ freeWei: 5n * cai, thaws: [thaw(1n, chainTime), thaw(2n, chainTime + 1)] })
    expect(await runJson(fake, ['withdraw'])).toMatchObject({ amountWei: String(15n * cai), releasedThaws: 1, recipient: owner })
    expect(fake.sent).toMatchObject([{ verb: 'withdraw', input: { thawIds: [1n], freeWei: 'all', to: owner } }])
  })

  it('withdraw with nothing to take says when there will be', async () => {
    const fake = createFakeChain({ thaws: [{ id: 1n, node: otherNode, kind: 'bond', amountWei: cai, releaseAt: chainTime + 601_260 }] })
    const { code, stderr } = await runMain(['withdraw'], { compose: createFakePorts(fake) })
    expect(code).toBe(10)
    expect(stderr).toContain('(in 6 d 23 h)')
    expect(fake.sent).toEqual([])
  })

  it('vote says what can be lost, then asks, and sends only after yes', async () => {
    const fake = createFakeChain({ freeWei: 5n * cai })
    const refused = await runText(fake, ['vote', otherNode, '5'], { answers: ['n'] })
    expect(refused).toMatch(/your votes lose a tenth of\s+that part, 2 % at most/)
    expect(refused).toMatch(/Leaving\s+takes 7 d/)
    expect(refused).toContain('CUCKOO_CLI_ANSWERED_NO')
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['vote', otherNode, '5'], { answers: ['y'] })).toContain(`Voted 5 CAI for ${otherNode}`)
    // 1 share is worth 1 CAI in the fake's pool; 1 % may slip.
    expect(fake.sent).toMatchObject([{ verb: 'vote', input: { node: otherNode, amountWei: 5n * cai, minShares: (5n * cai * 99n) / 100n } }])
  })

  it('vote refuses a node that is not registered before it asks anything', async () => {
    const { code, stderr } = await runMain(['vote', `0x${'99'.repeat(20)}`, '5'], { compose: createFakePorts(createFakeChain()) })
    expect(code).toBe(10)
    expect(stderr).toContain('CUCKOO_STAKING_NOT_REGISTERED')
  })

  it('unvote turns an amount into shares, rounded up', async () => {
    const fake = createFakeChain({ votes: [{ node: otherNode, shares: 1_000n, amountWei: 3n }] })
    await runJson(fake, ['unvote', otherNode, '1wei'])
    await runJson(fake, ['unvote', otherNode, 'all'])
    expect(fake.sent.map(({ input }) => (input as { shares: bigint }).shares)).toEqual([334n, 1_000n])
  })

  it('unbond asks before the node goes inactive, and not otherwise', async () => {
    const bonded = (bondWei: bigint) => createFakeChain({ bondWei, node: createNode(owner, { bondWei }) })
    expect(await runText(bonded(30_000n * cai), ['unbond', '5000'])).toContain('of bond thaws until')
    const fake = bonded(30_000n * cai)
    expect(await runText(fake, ['unbond', '10000'])).toContain('CUCKOO_CLI_TERMINAL_REQUIRED')
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['unbond', '10000', '--yes'])).toContain('exit 0')
  })
})

describe('nodes', () => {
  it('register bonds all that is free and warns of one key for two', async () => {
    const fake = createFakeChain({ freeWei: 21_000n * cai })
    const report = await runJson(fake, ['register', 'miner', '--name', 'Ada', '--operator-account', 'op', '--voter-share', '12.5', '--yes'])
    expect(report).toMatchObject({ node: owner, operator, role: 'miner', bondWei: String(21_000n * cai), voterShareBps: 1_250 })
    expect(fake.sent[0]?.input).toMatchObject({
      role: 'miner',
      operator,
      bondWei: 21_000n * cai,
      voterShareBps: 1_250,
      deadline: chainTime + 3_600,
      valueWei: 0n,
    })
    const same = createFakePorts(fake, { getNamedSigner: async () => ({ address: owner, sign: () => '0x' }) })
    const { stderr } = await runMain(['register', 'miner', '--name', 'Ada', '--operator-account', 'alice', '--yes'], { compose: same })
    expect(stderr).toContain('warning: operator and owner are the same key')
  })

  it('register with a signature made elsewhere checks what it was made for', async () => {
    const fake = createFakeChain({ freeWei: 21_000n * cai })
    const file = join(folder, 'op.json')
    const made = await runJson(fake, ['node', 'sign-operator', owner, 'miner', '--out', file])
    expect(made).toMatchObject({ owner, operator: owner, role: 'miner', chainId: 99, staking })
    const register = ['register', 'miner', '--name', 'Ada', '--operator-signature-file', file, '--yes']
    const ports = createFakePorts(fake, { getOwn: async () => ({ name: 'alice', address: owner }) })
    expect((await runMain(register, { compose: ports })).code).toBe(0)
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), chainId: 1 }))
    const { code, stderr } = await runMain(register, { compose: ports })
    expect(code).toBe(2)
    expect(stderr).toContain('its chainId is 1, not 99')
  })

  it('register without an operator says how to prove one', async () => {
    const fake = createFakeChain({ freeWei: 21_000n * cai })
    const { stderr } = await runMain(['register', 'miner', '--name', 'Ada'], { compose: createFakePorts(fake) })
    expect(stderr).toContain('CUCKOO_CLI_OPERATOR_UNPROVEN')
    expect(stderr).toContain('--operator-signature-file <file>')
  })

  it('set-profile keeps what is not given', async () => {
    const fake = createFakeChain()
    fake.nodes.set(owner, createNode(owner))
    await runJson(fake, ['node', 'set-profile', '--url', 'https://new.example'])
    expect(fake.sent[0]?.input).toEqual({ profile: { name: 'Ada', url: 'https://new.example', description: '' } })
  })

  it('nodes and node show', async () => {
    const fake = createFakeChain()
    expect(await runText(fake, ['nodes'])).toMatchInlineSnapshot(`
      "miners                                      name  weight   share
      0x2222222222222222222222222222222222222222  Ada    21000  25.0 %

      exit 0"
    `)
    expect(await runJson(fake, ['nodes', '--role', 'miner'])).toMatchObject({ nodes: [{ node: otherNode, bondWei: '20000000000000000000001' }] })
    expect(await runJson(fake, ['node', 'show', otherNode])).toMatchObject({ node: otherNode, operators: [operator] })
  })
})

describe('status', () => {
  it('shows every bucket with dates and distances', async () => {
    process.env['TZ'] = 'UTC'
    const fake = createFakeChain({
      freeWei: 700n * cai,
      votes: [{ node: otherNode, shares: 5n, amountWei: 899n * cai }],
      thaws: [
        { id: 0n, node: otherNode, kind: 'votes', amountWei: 100n * cai, releaseAt: chainTime - 5 },
        { id: 1n, node: owner, kind: 'bond', amountWei: 300n * cai, releaseAt: chainTime + 601_260 },
      ],
    })
    expect(await runText(fake, ['status'])).toMatchInlineSnapshot(`
      "0x1111111111111111111111111111111111111111 on fakenet, block 7

      bucket         amount  what it is
      wallet        100 CAI  outside the contracts
      free          700 CAI  no weight, no risk
      bond            0 CAI  the own node's, at risk
      votes         899 CAI  for nodes, at risk
      thawing       300 CAI  on its way out, still at risk
      withdrawable  800 CAI  free and released

      votes for    name   amount  node
      0x2222…2222  Ada   899 CAI  active

      released                        CAI  what               command
      now                             100  votes 0x2222…2222  withdraw
      2026-01-07 23:01 (in 6 d 23 h)  300  bond               withdraw
      exit 0"
    `)
    expect(await runJson(fake, ['status', 'alice'])).toMatchObject({
      freeWei: String(700n * cai),
      withdrawableWei: String(800n * cai),
      thaws: [{ released: true }, { released: false, releaseAt: chainTime + 601_260 }],
      votes: [{ name: 'Ada', active: true }],
    })
  })
})

describe('apps', () => {
  it('the key is shown once, and kept as its hash', async () => {
    const kept: unknown[] = []
    const store = { createApp: async (app: unknown) => void kept.push(app), listApps: async () => kept, close: async () => {} }
    const overrides = { openAppStore: async () => store as never, listCoordinatorStores: async () => [otherNode] }
    const { key } = (await runJson(createFakeChain(), ['apps', 'create', 'my-app'], overrides)) as { key: string }
    expect(JSON.stringify(kept)).not.toContain(key)
    expect(await runJson(createFakeChain(), ['apps', 'list'], overrides)).toMatchObject({
      coordinator: otherNode,
      apps: [{ name: 'my-app', createdAt: chainTime }],
    })
  })

  it('a coordinator must be named where there are several', async () => {
    const compose = createFakePorts(createFakeChain(), { listCoordinatorStores: async () => [otherNode, owner] })
    const { code, stderr } = await runMain(['apps', 'list'], { compose })
    expect([code, stderr.includes(`${otherNode}, ${owner}`)]).toEqual([2, true])
  })
})

describe('faucet', () => {
  it('says where CAI is to be had on networks that are not the devnet', async () => {
    const { code, stderr } = await runMain(['faucet', owner], { compose: createFakePorts(createFakeChain()) })
    expect(code).toBe(78)
    for (const place of ['https://cuckoo.network/portal', 'https://cuckoo.network/tg', 'https://cuckoo.network/dc']) expect(stderr).toContain(place)
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s knows every command and its flags', async (shell) => {
    const { stdout } = await runMain(['completion', shell])
    for (const { path } of commandEntries) expect(stdout, path).toContain(path)
    expect(stdout).toContain('operator-signature-file')
    expect(stdout).toContain('password-fd')
  })
})
