/**
 * Gas of whole transactions: `npm run bench:gas`. Measures with forge, each call as a transaction of its own, the contracts as
 * they are deployed (the compiler's IR pipeline, 200 optimizer runs). Of several measured cases a row has the dearest. The floor
 * is what the chain takes for any transaction with this calldata: 21,000, 16 per byte, 4 per zero byte. A slash is a call of
 * other contracts: its figure is without the 21,000 of a transaction. Exits 1 when a figure is over its *must*.
 *
 *     node test/bench/gas.ts             prints the table and writes all figures to contracts/snapshots/gas.json
 *     node test/bench/gas.ts --check     exit 1 also when a figure is not the committed one
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeFunctionData, type Hex, hexToBytes, maxUint64, maxUint256, parseEther } from 'viem'
import { createCopy, forge } from '../../contracts/script/createCopy.ts'
import { courtAbi, paymentsAbi, stakingAbi } from '../../src/chain/contracts.generated.ts'

type Row = {
  name: string
  /** Figures of the gas tests. */
  figures: string[]
  must?: number
  stretch?: number
  calldata?: Hex
  isCall?: boolean
}

const TRANSACTION = 21_000
const snapshot = join(import.meta.dirname, '..', '..', 'contracts', 'snapshots', 'gas.json')
const address: Hex = `0x${'a5'.repeat(20)}`
const word: Hex = `0x${'5a'.repeat(32)}`
const signature: Hex = `0x${'c3'.repeat(65)}`
const profile = { name: 'node', url: 'https://node.example/v1', description: 'Two cards in the same rack.' }
const voucher = { coordinator: address, miner: address, cumulativeWei: parseEther('1'), issuedAt: 1_800_000_000n }

const rows: Row[] = [
  {
    name: 'register with bond',
    figures: ['register with bond', 'register with bond, rewards running'],
    must: 200_000,
    stretch: 175_000,
    calldata: encodeFunctionData({
      abi: stakingAbi,
      functionName: 'register',
      args: [1, address, 5_000, parseEther('25000'), profile, maxUint64, signature],
    }),
  },
  {
    name: 'vote, first',
    figures: ['vote, first of account and node', 'vote, first of account and node, rewards running', 'vote, first of account, rewards running'],
    must: 110_000,
    stretch: 95_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'vote', args: [address, parseEther('400'), 0n] }),
  },
  {
    name: 'vote, more',
    figures: ['vote, more', 'vote, more, rewards running'],
    must: 90_000,
    stretch: 75_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'vote', args: [address, parseEther('600'), 0n] }),
  },
  {
    name: 'request exit of votes',
    figures: ['request exit of votes, first of account and node', 'request exit of votes, first, rewards running'],
    must: 125_000,
    stretch: 105_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'unvote', args: [address, parseEther('100'), 0n] }),
  },
  {
    name: 'request exit of bond',
    figures: ['request exit of bond, first', 'request exit of bond, first, rewards running', 'request exit of bond, later epoch'],
    must: 125_000,
    stretch: 105_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'unbond', args: [parseEther('1000')] }),
  },
  {
    name: 'withdraw an exit',
    figures: ['withdraw one exit of votes', 'withdraw one exit of bond'],
    must: 60_000,
    stretch: 50_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'withdraw', args: [[BigInt(word)], maxUint256, address] }),
  },
  {
    name: 'claim rewards',
    figures: ['claim', 'claim, by the operator'],
    must: 65_000,
    stretch: 52_000,
    calldata: encodeFunctionData({ abi: stakingAbi, functionName: 'claim', args: [address] }),
  },
  { name: 'claim, first of an account that never staked', figures: ['claim, first of an account that never staked'] },
  {
    name: 'redeem a voucher',
    figures: [
      'redeem a voucher, first of the line',
      'redeem a voucher, later',
      'redeem a voucher, later with voters',
      'redeem a voucher, notice over',
      'redeem a voucher, escrow asked back',
    ],
    must: 90_000,
    stretch: 75_000,
    calldata: encodeFunctionData({ abi: paymentsAbi, functionName: 'redeem', args: [[voucher], [signature]] }),
  },
  { name: "redeem, a node's first ever with voters", figures: ['redeem a voucher, first with voters'] },
  { name: 'redeem, claimed on the bond', figures: ['redeem a voucher, claimed on the bond'] },
  {
    name: 'slash, with 1 and with 50 voters',
    figures: ['slash, as a transaction', 'slash, as a transaction, 50 voters'],
    must: 90_000,
    stretch: 60_000,
    isCall: true,
  },
  { name: 'raise a line, new', figures: ['raise a line, new'] },
  { name: 'turn a draw epoch', figures: ['turn a draw epoch'] },
  { name: 'report a miner', figures: ['report a miner'] },
  { name: 'report a coordinator', figures: ['report a coordinator'] },
  { name: 'challenge, 1 KB of evidence', figures: ['challenge, 1 KB of evidence'] },
  { name: 'seal a round of drand by its proof', figures: ['seal a round'] },
  { name: "seal a dispute's round, less the proof", figures: ["seal a dispute's round, less the proof"] },
  {
    name: 'commit a vote',
    figures: ['commit a vote'],
    calldata: encodeFunctionData({ abi: courtAbi, functionName: 'commit', args: [1n, address, word] }),
  },
  {
    name: 'reveal a vote',
    figures: ['reveal a vote'],
    calldata: encodeFunctionData({ abi: courtAbi, functionName: 'reveal', args: [1n, address, 2, word] }),
  },
  { name: 'conclude a round', figures: ['conclude a round'] },
  { name: 'appeal', figures: ['appeal'] },
  { name: 'conclude a case, convicted', figures: ['conclude a case, convicted'] },
  { name: 'fine a silent juror', figures: ['fine a silent juror'] },
  { name: 'credit a juror', figures: ['credit a juror'] },
]

/** Gas by the name of the figure, measured now. */
function runGasTests(): Map<string, number> {
  const copy = createCopy(['unit/*Gas.t.sol', 'unit/DrandRandomness.t.sol'])
  try {
    mkdirSync(join(copy, 'contracts', 'snapshots'))
    const { status, stdout, stderr } = spawnSync(process.execPath, [forge, 'test', '--match-contract', 'GasTest'], {
      cwd: copy,
      env: { ...process.env, FOUNDRY_VIA_IR: 'true' },
      encoding: 'utf8',
    })
    if (status === null) throw new Error(`forge did not end:\n${stderr}`)
    if (!stdout.includes('Suite result')) throw new Error(`forge ran no tests:\n${stdout}${stderr}`)
    // A test ends at its first figure over a limit: those after it are not measured.
    for (const line of new Set(stdout.match(/^\[FAIL.*$/gm))) process.stdout.write(`${line}\n`)
    const figures: Record<string, string> = JSON.parse(readFileSync(join(copy, 'contracts', 'snapshots', 'gas.json'), 'utf8'))
    return new Map(Object.entries(figures).map(([name, gas]) => [name, Number(gas)]))
  } finally {
    rmSync(copy, { recursive: true })
  }
}

const toFloor = (calldata: Hex) => hexToBytes(calldata).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), TRANSACTION)
const formatGas = (gas: number | undefined) => (gas === undefined ? '' : gas.toLocaleString('en-US')).padStart(9)

const measured = runGasTests()
let bad = 0
process.stdout.write(`${'gas'.padEnd(46)}${'measured'.padStart(9)}${'must'.padStart(9)}${'stretch'.padStart(9)}${'floor'.padStart(9)}\n`)
for (const { name, figures, must, stretch, calldata, isCall } of rows) {
  const unmeasured = figures.filter((figure) => !measured.has(figure))
  const found = figures.flatMap((figure) => measured.get(figure) ?? [])
  const gas = found.length === 0 ? undefined : Math.max(...found) - (isCall ? TRANSACTION : 0)
  const isOver = gas !== undefined && must !== undefined && gas > must
  if (isOver || unmeasured.length > 0) bad += 1
  const isStretch = gas !== undefined && stretch !== undefined && gas <= stretch
  const verdict = unmeasured.length > 0 ? `  not measured: ${unmeasured.join('; ')}` : isOver ? '  over must' : isStretch ? '  stretch' : ''
  const floor = calldata === undefined ? undefined : toFloor(calldata)
  process.stdout.write(`${name.padEnd(46)}${formatGas(gas)}${formatGas(must)}${formatGas(stretch)}${formatGas(floor)}${verdict}\n`)
}
const text = `${JSON.stringify(Object.fromEntries([...measured].sort(([left], [right]) => (left < right ? -1 : 1)).map(([figure, gas]) => [figure, String(gas)])), null, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(snapshot, text)
else if (readFileSync(snapshot, 'utf8') !== text) {
  bad += 1
  process.stdout.write('contracts/snapshots/gas.json is not what is measured: look at the difference of npm run bench:gas, then commit it\n')
}
if (bad > 0) process.exitCode = 1
