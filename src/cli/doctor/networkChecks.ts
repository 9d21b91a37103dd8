import { maxClockSkewSeconds } from '../../api/session.ts'
import type { Chain } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import type { NodeRecord } from '../../domain/node.ts'
import { operatorNotRegistered } from '../../errors/cli.ts'
import { coordinatorsUnreachable } from '../../errors/doctor.ts'
import type { Context } from '../context.ts'
import { formatCai } from '../format.ts'
import { describeStanding } from '../standing.ts'
import { type Check, fromError, toFailure, toOk, toSkipped, toWarning } from './check.ts'

/** Coordinators that are asked: enough to know whether this machine reaches any. */
const maxCoordinators = 12
const callTimeoutMs = 10_000

/** Chain, key, registration, bond, coordinators and clock. What needs something that failed is skipped with that reason. */
export async function listNetworkChecks(context: Context<never>): Promise<Check[]> {
  const key = await checkKey(context)
  try {
    const chain = await context.ports.getChain()
    const { latest } = await chain.getBlocks()
    const { network, chainId } = chain.deployment
    const found: Check = toOk('chain', `'${network}', chain id ${chainId}, block ${latest.number}`)
    const registration =
      key.address === null
        ? [toSkipped('registration', 'no account is in use'), toSkipped('bond', 'no account is in use')]
        : await checkRegistration(context, chain, key.address, latest.timestamp)
    const coordinators = await checkCoordinators(context, chain)
    const chainOffset = latest.timestamp - context.nowSeconds()
    return [found, key.check, ...registration, ...coordinators.checks, checkClock({ network, chainOffset, coordinatorOffsets: coordinators.offsets })]
  } catch (error) {
    const without = ['registration', 'bond', 'coordinators', 'clock'].map((name) => toSkipped(name, 'the chain cannot be read'))
    return [fromError('chain', error), key.check, ...without]
  }
}

/** Nothing is asked: a password that is configured is tried, one that is not will be asked for at the start. */
async function checkKey({ ports, config }: Context<never>): Promise<{ check: Check; address: Address | null }> {
  try {
    const { name, address } = await ports.getOwn()
    const who = name === null ? address : `'${name}', ${address}`
    const { password, passwordFile, privateKey, privateKeyFile } = config.values
    const isConfigured = [password, passwordFile, privateKey, privateKeyFile].some((value) => value !== undefined)
    if (!isConfigured) return { check: toOk('key', `${who}; its password is asked for at the start`), address }
    await ports.getSigner()
    return { check: toOk('key', `${who} opens`), address }
  } catch (error) {
    return { check: fromError('key', error), address: null }
  }
}

async function checkRegistration({ output }: Context<never>, chain: Chain, operator: Address, chainSeconds: number): Promise<Check[]> {
  const found = await chain.findOperator(operator)
  const record = found === null ? null : await chain.getNode(found.node)
  if (record === null || record.role !== 'miner' || record.operator !== operator) {
    const { network } = chain.deployment
    return [fromError('registration', operatorNotRegistered({ operator, role: 'miner', network })), toSkipped('bond', 'the key runs no miner')]
  }
  return [toOk('registration', `operator of miner ${record.node}`), checkBond(record, chainSeconds, output.program)]
}

function checkBond(record: NodeRecord, chainSeconds: number, program: string): Check {
  if (record.active) return toOk('bond', `${formatCai(record.bondWei)}, active, weight ${formatCai(record.weightWei)}`)
  const reasons = describeStanding(record, chainSeconds, program)
  return toFailure('bond', `${formatCai(record.bondWei)}, not active: ${reasons.join('; ')}`, reasons[0] ?? `See \`${program} node show ${record.node}\`.`)
}

/** Each active coordinator's health, without a handshake, and how far its clock is from ours in seconds. */
async function checkCoordinators(context: Context<never>, chain: Chain): Promise<{ checks: Check[]; offsets: number[] }> {
  const { network } = chain.deployment
  const active = (await chain.getNodes('coordinator')).filter(({ active: isActive, profile }) => isActive && profile !== null && profile.url !== '')
  if (active.length === 0)
    return {
      checks: [toWarning('coordinators', `none is active on '${network}'`, `Wait for one: \`${context.output.program} nodes --role coordinator\`.`)],
      offsets: [],
    }
  const asked = active.slice(0, maxCoordinators)
  const answers = await Promise.allSettled(asked.map(({ profile }) => askHealth(context, profile?.url ?? '', network === 'devnet')))
  const reached = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const lost = answers.flatMap((answer, index) =>
    answer.status === 'rejected' ? [{ url: asked[index]?.profile?.url ?? '', reason: answer.reason as unknown }] : [],
  )
  const offsets = reached.flatMap(({ offset }) => (offset === null ? [] : [offset]))
  const [first] = lost
  const toText = (error: unknown) => (error instanceof Error ? error.message : String(error))
  if (reached.length === 0) {
    const error = coordinatorsUnreachable({ coordinators: asked.length, network, last: toText(first?.reason) }, { cause: first?.reason })
    return { checks: [fromError('coordinators', error)], offsets }
  }
  const detail = `${reached.length} of ${asked.length} answer${active.length > asked.length ? ` (${active.length} are active)` : ''}, in ${Math.min(...reached.map(({ ms }) => ms)).toFixed(0)} ms at best`
  const names = lost.map(({ url, reason }) => `${url}: ${toText(reason)}`).join(' ')
  return { checks: [first === undefined ? toOk('coordinators', detail) : toWarning('coordinators', `${detail}. ${names}`, null)], offsets }
}

async function askHealth(context: Context<never>, url: string, allowPrivate: boolean): Promise<{ ms: number; offset: number | null }> {
  const client = await context.ports.createClient({ url, allowPrivate })
  const startedAt = performance.now()
  const { headers } = await client.call('getHealth', {}, { signal: context.signal, timeoutMs: callTimeoutMs })
  const serverMs = Date.parse(headers['date'] ?? '')
  return { ms: performance.now() - startedAt, offset: Number.isNaN(serverMs) ? null : serverMs / 1_000 - context.ports.clock.nowMs() / 1_000 }
}

/**
 * This machine's clock against the chain's newest block, which cannot come from the future, and against the coordinators', which refuse
 * sessions that are a minute off. A devnet's clock may have been moved ahead, and is not looked at.
 */
export function checkClock(seen: { network: string; chainOffset: number; coordinatorOffsets: readonly number[] }): Check {
  const sorted = [...seen.coordinatorOffsets].sort((a, b) => a - b)
  const offset = sorted[Math.floor(sorted.length / 2)]
  const fix = toClockFix()
  if (offset !== undefined && Math.abs(offset) > maxClockSkewSeconds)
    return toFailure(
      'clock',
      `it is ${Math.abs(offset).toFixed(0)} s ${offset > 0 ? 'behind' : 'ahead of'} the coordinators', which bear ${maxClockSkewSeconds}`,
      fix,
    )
  if (seen.network !== 'devnet' && seen.chainOffset > maxClockSkewSeconds)
    return toFailure('clock', `it is ${seen.chainOffset} s behind the chain's newest block`, fix)
  if (offset !== undefined) return toOk('clock', `${Math.abs(offset).toFixed(0)} s from the coordinators'`)
  return seen.network === 'devnet' ? toSkipped('clock', 'nobody here to compare with') : toOk('clock', "not behind the chain's newest block")
}

function toClockFix(): string {
  if (process.platform === 'win32') return 'Run `w32tm /resync` as administrator.'
  return process.platform === 'darwin' ? 'Run `sudo sntp -sS time.apple.com`.' : 'Run `sudo timedatectl set-ntp true`.'
}
