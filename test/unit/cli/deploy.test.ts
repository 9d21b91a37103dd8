import { describe, expect, it } from 'vitest'
import type { DeployRequest, Ports } from '../../../src/cli/ports.ts'
import { devnetParameters, publicParameters } from '../../../src/domain/networkParameters.ts'
import { contracts, createFakeChain, owner } from '../../support/cli.ts'
import { runJson, runText } from '../../support/runCli.ts'

const cai = 10n ** 18n

/** A port that deploys nothing and keeps what it was asked for. */
function createDeployer(): { requests: DeployRequest[]; overrides: Partial<Ports> } {
  const requests: DeployRequest[] = []
  const deploy: Ports['deploy'] = async (request) => {
    requests.push(request)
    const dryRun = request.transaction.dryRun ?? false
    return {
      deployment: { network: request.network, chainId: 99, contracts, randomness: request.randomness ?? 'drand', deploymentBlock: 7, rpcUrls: [] },
      path: dryRun ? null : '/nowhere/home/networks/mine.json',
      transaction: {
        action: 'deploy',
        from: owner,
        to: null,
        valueWei: 0n,
        gas: 9_000_000n,
        feeWei: cai / 100n,
        dryRun,
        hash: dryRun ? null : `0x${'ab'.repeat(32)}`,
        blockNumber: dryRun ? null : 8n,
      },
    }
  }
  return { requests, overrides: { deploy } }
}

const deploy = ['deploy', '--network', 'mine', '--yes']

describe('deploy', () => {
  it('puts the public parameters on a chain, and prints all five addresses', async () => {
    const { requests, overrides } = createDeployer()
    expect(await runText(createFakeChain(), deploy, { overrides })).toMatchInlineSnapshot(`
      "The contracts are on 'mine', chain 99:
        staking    0x5555555555555555555555555555555555555555
        payments   0x6666666666666666666666666666666666666666
        court      0x7777777777777777777777777777777777777777
        epochs     0x8888888888888888888888888888888888888888
        randomness 0x9999999999999999999999999999999999999999 (drand)
      Written to /nowhere/home/networks/mine.json
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.01 CAI for gas
      exit 0"
    `)
    expect(requests).toMatchObject([{ network: 'mine', parameters: publicParameters, randomness: undefined }])
  })

  it('--dry-run says where they would be', async () => {
    const { overrides } = createDeployer()
    expect(await runText(createFakeChain(), [...deploy, '--dry-run'], { overrides })).toMatchInlineSnapshot(`
      "The contracts would be on 'mine', chain 99:
        staking    0x5555555555555555555555555555555555555555
        payments   0x6666666666666666666666666666666666666666
        court      0x7777777777777777777777777777777777777777
        epochs     0x8888888888888888888888888888888888888888
        randomness 0x9999999999999999999999999999999999999999 (drand)
      Would send 'deploy' from 0x1111111111111111111111111111111111111111
        value 0 CAI, gas 9000000, at most 0.01 CAI for gas
      Nothing was sent.
      exit 0"
    `)
  })

  it('a flag replaces one parameter of the preset', async () => {
    const { requests, overrides } = createDeployer()
    const flags = ['--preset', 'devnet', '--thaw', '1h', '--top-up', '90s', '--juror-fee', '0.5', '--seats', '1,3,9', '--randomness', 'blockhash']
    const { parameters, randomness } = await runJson(createFakeChain(), [...deploy, ...flags], overrides)
    const expected = { ...devnetParameters, thawSeconds: 3_600, topUpSeconds: 90, jurorFeeWei: cai / 2n, seats: [1, 3, 9] }
    expect(requests).toMatchObject([{ parameters: expected, randomness: 'blockhash' }])
    expect({ parameters, randomness }).toEqual({ parameters: { ...expected, jurorFeeWei: String(cai / 2n) }, randomness: 'blockhash' })
  })

  it.each([
    [['--thaw', '6d'], "'6d' (--thaw) is refused: evidenceSeconds 172800 + three rounds of 390600 = 563400 must be below thawSeconds 518400"],
    [['--freeze', '4d'], "'4d' (--freeze) is refused: three rounds of 390600 must not be over freezeSeconds 345600"],
    [['--top-up', '7d'], "'7d' (--top-up) is refused: topUpSeconds is 604800, not a whole number of 1 to 604799 seconds"],
    [['--epoch', '24h'], "'1d' (--epoch) is refused: seal + commit + reveal = 87000 must not be over epochSeconds 86400"],
    [['--juror-fee', '0'], "'0' (--juror-fee) is refused"],
    [['--seats', '7,15,15'], "'7,15,15' (--seats) is refused: seats 7, 15, 15 must be odd, rise"],
    [['--seats', '7,15'], "'7,15' (--seats) is not three numbers like 7,15,63"],
    [['--commit', 'soon'], "'soon' (--commit) is not a duration like 90s, 15m, 12h or 7d"],
    [['--randomness', 'dice'], "'dice' (--randomness) is not one of drand, blockhash"],
  ])('refuses %j before anything is asked or sent', async (flags, text) => {
    const { requests, overrides } = createDeployer()
    const seen = await runText(createFakeChain(), [...deploy, ...flags], { overrides })
    expect(seen).toContain(text)
    expect(seen).toContain('CUCKOO_CLI_VALUE_INVALID')
    expect(seen).toContain('exit 2')
    expect(requests).toEqual([])
  })
})
