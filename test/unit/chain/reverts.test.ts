import { readFile } from 'node:fs/promises'
import { encodeAbiParameters, encodeErrorResult, getAddress, toFunctionSelector } from 'viem'
import { describe, expect, test } from 'vitest'
import { abis, type ContractName, contractNames } from '../../../src/chain/abis.ts'
import { decodeRevert, reverts } from '../../../src/chain/reverts/decodeRevert.ts'
import { callReverted } from '../../../src/errors/chain.ts'
import * as court from '../../../src/errors/court.ts'
import * as epochs from '../../../src/errors/epochs.ts'
import { bondTooLow, freeTooLow } from '../../../src/errors/staking.ts'

const samples: Record<string, unknown> = {
  bytes32: `0x${'12'.repeat(32)}`,
  uint8: 1,
  uint16: 10_001,
  uint64: 7n,
  uint256: 5n * 10n ** 18n,
  address: getAddress(`0x${'ab'.repeat(20)}`),
  string: 'name',
}
const interfaces: Record<ContractName, readonly string[]> = {
  staking: ['IStaking', 'IRewards', 'IStakingHooks'],
  payments: ['IPayments'],
  court: ['ICourt'],
  epochs: ['IEpochs'],
  randomness: ['IRandomness'],
}
const toErrors = (contract: ContractName) => abis[contract].filter((item) => item.type === 'error')

function encode(contract: ContractName, name: string, inputs: readonly { type: string }[]) {
  return encodeErrorResult({ abi: abis[contract], errorName: name, args: inputs.map(({ type }) => samples[type]) } as never)
}

describe.each(contractNames)('%s', (contract) => {
  const areas: Record<ContractName, string> = { staking: 'STAKING', payments: 'PAYMENTS', court: 'COURT', epochs: 'EPOCHS', randomness: 'COURT' }

  test('every error that its interfaces declare has an entry', async () => {
    const read = (name: string) => readFile(new URL(`../../../contracts/src/interfaces/${name}.sol`, import.meta.url), 'utf8')
    const source = (await Promise.all(interfaces[contract].map(read))).join('\n')
    const declared = [...source.matchAll(/^\s*error (\w+)\(/gm)].map(([, name]) => name)
    expect(declared.length).toBeGreaterThan(2)
    expect(declared.filter((name) => !Object.hasOwn(reverts[contract], name as string))).toEqual([])
  })

  test.each(toErrors(contract))('$name becomes an error of ours with a code, a sentence and a next step', ({ name, inputs }) => {
    const error = decodeRevert(encode(contract, name, inputs), 'stake', contract)
    expect(error.code).toMatch(new RegExp(`^CUCKOO_${areas[contract]}_[A-Z_]+$`))
    expect(error.message).toMatch(/^[A-Z0-9$].*\.$/s)
    expect(error.message).not.toMatch(/undefined|\[object|NaN/)
    expect(error.hint).toMatch(/\S/)
    expect(error.message).not.toMatch(/0x\w*[A-F]/)
  })

  test('no two of its errors become one', () => {
    const codes = toErrors(contract).map(({ name, inputs }) => decodeRevert(encode(contract, name, inputs), 'stake', contract).code)
    expect(new Set(codes).size).toBe(codes.length)
  })
})

test('what is missing is counted out', () => {
  const data = encodeErrorResult({ abi: abis.staking, errorName: 'InsufficientFree', args: [1_500_000_000_000_000_000n, 4n * 10n ** 18n] })
  expect(decodeRevert(data, 'bond', 'staking')).toMatchObject({ code: freeTooLow.code, facts: { availableCai: '1.5', neededCai: '4', missingCai: '2.5' } })
})

test('of two contracts with an error of one name, the called one is meant', () => {
  const data = encodeErrorResult({ abi: abis.staking, errorName: 'BondTooLow', args: [1n, 2n] })
  expect(decodeRevert(data, 'register', 'staking').code).toBe(bondTooLow.code)
  expect(decodeRevert(data, 'challenge', 'court').code).toBe(court.courtBondTooLow.code)
})

test('what a called contract did not declare is looked for in those that it calls', () => {
  const data = encodeErrorResult({ abi: abis.randomness, errorName: 'RoundNotReached', args: [9n, 100n] })
  expect(decodeRevert(data, 'seal', 'court')).toMatchObject({ code: court.seedNotReached.code, facts: { round: 9n, reachedAt: 100 } })
  const other = encodeErrorResult({ abi: abis.epochs, errorName: 'CommitmentZero' })
  expect(decodeRevert(other, 'deploy', null).code).toBe(epochs.commitmentZero.code)
})

test('what no ABI knows is still a refusal', () => {
  const foreign = `${toFunctionSelector('Foreign(uint256)')}${encodeAbiParameters([{ type: 'uint256' }], [1n]).slice(2)}` as const
  const messages = (['0x', foreign, encodeErrorResult({ abi: [reason], args: ['no luck'] })] as const).map((data) => {
    const error = decodeRevert(data, 'withdraw', 'staking')
    expect(error.code).toBe(callReverted.code)
    return error.message
  })
  expect(messages).toMatchInlineSnapshot(`
    [
      "The contract refuses withdraw: it reverts without a reason.",
      "The contract refuses withdraw: it reverts with 0x85213218.",
      "The contract refuses withdraw: Error(no luck).",
    ]
  `)
})

const reason = { type: 'error', name: 'Error', inputs: [{ name: 'message', type: 'string' }] } as const
