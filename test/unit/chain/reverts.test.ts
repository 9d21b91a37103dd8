import { readFile } from 'node:fs/promises'
import { encodeAbiParameters, encodeErrorResult, getAddress, toFunctionSelector } from 'viem'
import { expect, test } from 'vitest'
import { stakingAbi } from '../../../src/chain/contracts.generated.ts'
import { decodeRevert, revertErrors } from '../../../src/chain/reverts.ts'
import { callReverted, freeTooLow } from '../../../src/errors/chain.ts'

const contractErrors = stakingAbi.filter((item) => item.type === 'error')
const samples: Record<string, unknown> = {
  uint8: 1,
  uint16: 10_001,
  uint64: 7n,
  uint256: 5n * 10n ** 18n,
  address: getAddress(`0x${'ab'.repeat(20)}`),
  string: 'name',
}

test('every error that IStaking declares has its entry', async () => {
  const source = await readFile(new URL('../../../contracts/src/interfaces/IStaking.sol', import.meta.url), 'utf8')
  const declared = [...source.matchAll(/^\s*error (\w+)\(/gm)].map(([, name]) => name)
  expect(declared.length).toBeGreaterThan(20)
  expect(declared.filter((name) => !Object.hasOwn(revertErrors, name as string))).toEqual([])
})

test.each(contractErrors)('$name becomes an error of ours with a code, a sentence and a next step', ({ name, inputs }) => {
  const args = inputs.map((input) => samples[input.type])
  const data = encodeErrorResult({ abi: contractErrors, errorName: name, args } as never)
  const error = decodeRevert(data, 'stake')
  expect(error.code).toMatch(/^CUCKOO_STAKING_[A-Z_]+$/)
  expect(error.message).toMatch(/^[A-Z0-9$].*\.$/s)
  expect(error.message).not.toMatch(/undefined|\[object|NaN/)
  expect(error.hint).toMatch(/\S/)
  expect(error.message).not.toMatch(/0x\w*[A-F]/)
})

test('no two errors of the contract become one, but for those of its short strings', () => {
  const codes = contractErrors.map(({ name, inputs }) => {
    const data = encodeErrorResult({ abi: contractErrors, errorName: name, args: inputs.map((input) => samples[input.type]) } as never)
    return decodeRevert(data, 'stake').code
  })
  expect(new Set(codes).size).toBe(codes.length - 1)
})

test('what is missing is counted out', () => {
  const data = encodeErrorResult({ abi: stakingAbi, errorName: 'InsufficientFree', args: [1_500_000_000_000_000_000n, 4n * 10n ** 18n] })
  expect(decodeRevert(data, 'bond')).toMatchObject({ code: freeTooLow.code, facts: { availableCai: '1.5', neededCai: '4', missingCai: '2.5' } })
})

test('what the ABI does not know is still a refusal', () => {
  const foreign = `${toFunctionSelector('Foreign(uint256)')}${encodeAbiParameters([{ type: 'uint256' }], [1n]).slice(2)}` as const
  const messages = (['0x', foreign, encodeErrorResult({ abi: [reason], args: ['no luck'] })] as const).map((data) => {
    const error = decodeRevert(data, 'withdraw')
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
